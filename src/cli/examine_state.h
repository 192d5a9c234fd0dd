#pragma once

#include "cli/context.h"
#include "cli/findings.h"

namespace coeval::cli {

/// What a server saved of its state, as far as the definition says that there is such: whether its
/// module loads, where it stands, whether the next server goes on from it, and whether all of it
/// can be read. Changes nothing. What a server has open is not looked at.
void examine_state(Context& context, Findings& findings);

}  // namespace coeval::cli
