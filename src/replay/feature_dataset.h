#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "replay/dataset.h"
#include "replay/spilled_answers.h"

namespace coeval::replay {

/// The keys of the table [keys] that a file of questions has as columns: those are what its
/// questions say, not what [keys] says. Errors: those of the format.
Result<std::vector<std::string>> keys_in(const define::Project& project, const OpenFormat& formats,
                                         const std::string& path);

/// A user's own entities and times, read from a table file.
/// `at` names the column with each question's T (timestamp). Questions keep their other columns
/// too. Integer columns are brought to the type that the features' keys and inputs need, if they
/// fit. Errors: those of the format; missing_value for an absent column or a null time;
/// type_mismatch.
Result<Questions> read_questions(const OpenFormat& formats, const std::string& path,
                                 const std::string& at, const define::RowSchema& row);

inline constexpr const char* kRefusedColumn = "refused";

/// How many questions there were, and how many of them were refused.
struct FeatureRows {
  std::int64_t rows = 0, refused = 0;
};

/// Answers `questions` and writes them in their own order of T: their columns, then the inputs of
/// the set. An input with the name of a question's column replaces it. Behind them
/// kApproximateColumn, if a feature of the set may be approximate. Where a feature refuses stale
/// answers there is one more column, kRefusedColumn: the feature for which a question was refused,
/// whose inputs are all null then, or null. (semantics: D5)
Result<FeatureRows> write_feature_dataset(std::shared_ptr<const define::Project> project,
                                          const Past& past, const Questions& questions,
                                          const define::FeatureSet& set, const OpenFormat& formats,
                                          const std::string& out, const AnswerOptions& options);

/// The same file by way of the disk, see answer_spilled().
Result<FeatureRows> write_spilled_dataset(std::shared_ptr<const define::Project> project,
                                          const Questions& questions, const define::FeatureSet& set,
                                          const OpenFormat& formats, const std::string& out,
                                          const AnswerOptions& options, const SpillOptions& spill);

/// Puts columns side by side; of two with one name the later stays, at the place of the first.
data::Batch join_columns(const data::Batch& left, const data::Batch& right);
/// Puts kApproximateColumn behind the columns, if the answers have it and no column has its name.
void add_approximate(data::Batch& table, const Answers& answers);

}  // namespace coeval::replay
