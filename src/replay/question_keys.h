#pragma once

#include <map>
#include <string>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/feature_history.h"
#include "replay/past.h"

namespace coeval::replay {

/// A question with the keys that its views are asked with.
struct AskedKeys {
  data::Batch columns;  ///< the question's, then the keys that other views found
  /// By such a key how it was found, through all views on the way: "airport=ORD ← plane.base
  /// [tailnum=N1]".
  std::map<std::string, std::string> found_by;
};

/// Finds the keys of a question that are no columns of it, stage by stage, by a plain scan of what
/// happened. `question` has one row with the columns of `row`. Errors: those of feature_history.
Result<AskedKeys> with_keys(const define::Project& project, const Past& past,
                            const define::RowSchema& row, const data::Batch& question,
                            Visibility seen);

/// The key of a view's question as a person reads it: "airport=ORD", and behind it how that was
/// found.
std::string key_path(const define::View& view, const std::string& key, const AskedKeys& asked);

}  // namespace coeval::replay
