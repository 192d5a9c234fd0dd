#pragma once

#include <string>
#include <vector>

#include "cli/invocation.h"

namespace coeval::cli {

// Completion scripts: verbs, then the flags of a verb and the values of those that have a few, else
// files. Nothing is run while completing, so a script is of the version that printed it.

/// To be evaluated: eval "$(coeval completion bash)"
std::string bash_script(const std::vector<VerbDetails>& verbs);
/// To be evaluated, or kept as _coeval in a folder of $fpath.
std::string zsh_script(const std::vector<VerbDetails>& verbs);
/// To be kept as ~/.config/fish/completions/coeval.fish, or piped into `source`.
std::string fish_script(const std::vector<VerbDetails>& verbs);

}  // namespace coeval::cli
