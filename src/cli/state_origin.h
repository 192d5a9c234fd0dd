#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "define/project.h"

namespace coeval::cli {

/// The names of the sources that have a file, each with its file's sha256. Errors: those of
/// reading.
Result<std::vector<std::pair<std::string, std::string>>> hash_source_files(
    const define::Project& project);

/// A hash of all that the state of a server is made from but the log: views, sources with ids, the
/// cut, the files. With the log's id it is a state's basis. (stores::state_basis)
std::string state_definition(const define::Project& project, std::int64_t cut_us,
                             const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace coeval::cli
