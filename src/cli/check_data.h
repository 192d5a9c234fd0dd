#pragma once

#include "cli/context.h"

namespace coeval::cli {

/// `coeval check --data`: runs every check on files, or on the sources' own, writes nothing but the
/// reports that were asked for. Exit 3 when a check failed.
int check_data(Context& context);

}  // namespace coeval::cli
