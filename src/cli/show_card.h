#pragma once

#include "cli/context.h"

namespace coeval::cli {

/// `coeval show MODEL --card FILE`: writes the model card of a version, as Markdown or as one page
/// of HTML, by the file's ending.
int show_card(Context& context);

}  // namespace coeval::cli
