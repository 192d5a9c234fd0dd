#pragma once

#include "cli/context.h"

namespace coeval::cli {

/// `coeval show feature VIEW.FEATURE --key … --at …`: what a feature's value is made of, found by a
/// plain scan, beside what the kernel answers. Exit code 1 when the two differ. (semantics: P2)
int show_feature(Context& context);

}  // namespace coeval::cli
