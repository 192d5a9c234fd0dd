#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

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

/// A question about one feature, given by the columns that its view's keys are found by.
struct KeyedQuestion {
  define::RowSchema row;
  data::Batch columns;  ///< one row
};
/// Reads values such as "tailnum=N1", each for a column of the question. Nothing where the values
/// are those of the view's own keys. Errors: usage, and those of reading a value.
Result<std::optional<KeyedQuestion>> question_behind(const define::Project& project,
                                                     define::ViewFeature feature,
                                                     const std::vector<std::string>& values);

/// The key of a view's question as a person reads it: "airport=ORD", and behind it how that was
/// found.
std::string key_path(const define::View& view, const std::string& key, const AskedKeys& asked);

}  // namespace coeval::replay
