#pragma once

#include <string>
#include <vector>

#include "data/json.h"
#include "define/project.h"
#include "replay/log_schemas.h"

namespace coeval::cli {

/// A sentence for each value that a column's `enum` allows since `before`: a model that was built
/// then has never seen it.
std::vector<std::string> new_enum_values(const define::Project& before,
                                         const define::Project& after);

/// A line for each difference between the definition's columns and those of logged events.
std::vector<std::string> as_lines(const std::vector<replay::SourceChanges>& changes);
data::Json as_json(const std::vector<replay::SourceChanges>& changes);

}  // namespace coeval::cli
