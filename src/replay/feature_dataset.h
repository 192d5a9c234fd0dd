#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "replay/dataset.h"

namespace coeval::replay {

/// A user's own entities and times, read from a table file.
/// `at` names the column with each question's T (timestamp). Questions keep their other columns
/// too. Integer columns are brought to the type that the features' keys and inputs need, if they
/// fit. Errors: those of the format; missing_value for an absent column or a null time;
/// type_mismatch.
Result<Questions> read_questions(const OpenFormat& formats, const std::string& path,
                                 const std::string& at, const define::RowSchema& row);

/// Answers `questions` and writes them in their own order of T: their columns, then the inputs of
/// the set. An input with the name of a question's column replaces it. Behind them
/// kApproximateColumn, if a feature of the set may be approximate. Returns the number of rows.
Result<std::int64_t> write_feature_dataset(std::shared_ptr<const define::Project> project,
                                           const Past& past, const Questions& questions,
                                           const define::FeatureSet& set, const OpenFormat& formats,
                                           const std::string& out, const AnswerOptions& options);

/// Puts columns side by side; of two with one name the later stays, at the place of the first.
data::Batch join_columns(const data::Batch& left, const data::Batch& right);
/// Puts kApproximateColumn behind the columns, if the answers have it and no column has its name.
void add_approximate(data::Batch& table, const Answers& answers);

}  // namespace coeval::replay
