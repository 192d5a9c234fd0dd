#pragma once

#include "cli/context.h"

namespace coeval::cli {

// One function per verb; each in a file of that name. They print, and return the exit code.
int init(Context& context);
int check(Context& context);
int plan(Context& context);
int build(Context& context);
int register_model(Context& context);
int runs(Context& context);
int show(Context& context);
int dataset(Context& context);
int gen(Context& context);
int promote(Context& context);
int rollback(Context& context);
int serve(Context& context);
int replay_traffic(Context& context);
int profile(Context& context);
int ingest(Context& context);
int quarantine(Context& context);
int audit(Context& context);
int reproduce(Context& context);
int explain(Context& context);
int explain_gate(Context& context);
int log(Context& context);
int doctor(Context& context);
int gc(Context& context);
int schema(Context& context);
int completion(Context& context);
int train_worker(Context& context);

}  // namespace coeval::cli
