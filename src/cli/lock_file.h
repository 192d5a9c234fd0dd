#pragma once

#include "cli/context.h"

namespace coeval::cli {

/// Writes coeval.lock beside coeval.toml: what was built from what, for committing. Ids only, no
/// times, so that building the same again changes no byte.
Status write_lock_file(Context& context, stores::MetaStore& meta);

}  // namespace coeval::cli
