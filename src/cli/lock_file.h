#pragma once

#include <optional>
#include <string>

#include "cli/context.h"

namespace coeval::cli {

/// Writes coeval.lock beside coeval.toml: what was built from what, for committing. Ids only, no
/// times, so that building the same again changes no byte.
Status write_lock_file(Context& context, stores::MetaStore& meta);

/// The hash of the definition that coeval.lock says was built last; nothing without such a file.
std::optional<std::string> locked_ir_hash(const define::Project& project);

}  // namespace coeval::cli
