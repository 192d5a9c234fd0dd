#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "kernel/kernel.h"
#include "replay/past.h"
#include "replay/question_buckets.h"

namespace coeval::replay {

/// Questions to be answered point-in-time: columns by name, and each question's T.
struct Questions {
  data::Batch columns;
  std::vector<std::int64_t> at_us;
};

/// The questions at `rows`, in that order.
Questions take(const Questions& questions, std::span<const std::int64_t> rows);

/// One block of answers. `rows` are places in Questions; `inputs` has the columns of the plan's
/// inputs. `stale` tells by row which of RowSchema::stale_rules it breaks first, so that it has no
/// answer, or -1; it is empty when there are no rules. (semantics: D5)
struct Answers {
  std::span<const std::int64_t> rows;
  data::Batch inputs;
  /// Strings: which view features of a row a sketch answered, by name with commas; null where none.
  /// There only if a view feature may be approximate at all. (semantics: A4)
  std::optional<data::Column> approximate;
  std::vector<int> stale;
};

/// The column of datasets for Answers::approximate.
inline constexpr const char* kApproximateColumn = "approximate";

struct AnswerOptions {
  int threads = 2;
  std::int64_t chunk_rows = 1 << 15;
  std::function<void(std::int64_t done, std::int64_t all)> progress = nullptr;
  std::optional<QuestionBucket> bucket = {};  ///< only its questions; nothing = all
  kernel::HistoryWay way = kernel::HistoryWay::by_entity;
};

/// Answers all questions in order of T (ties in question order) in one pass over events and
/// questions: an event is seen by exactly the questions with T after it was known. Blocks reach
/// `sink` in that order, one at a time, from another thread than the caller's. Determinism: the
/// same bits for any number of threads, any chunk size, and with or without a bucket. (semantics:
/// A1 T3) Errors: what the sink returns; missing_value, type_mismatch. Where there are no questions
/// the sink gets one block without rows, which tells the columns.
Status answer(std::shared_ptr<const define::Project> project, const Past& past,
              const Questions& questions, const define::RowSchema& row,
              std::span<const define::Input> inputs, const AnswerOptions& options,
              const std::function<Status(Answers)>& sink);

/// By view the columns of kernel::HistoryAnswers::next(), empty for views that are not asked.
using Features = std::vector<std::vector<data::Column>>;

/// The part of answer() that comes after the views: makes inputs of their features and hands them
/// on. `order` is that of the questions by T. `next` is called with one block of it after the
/// other; only columns that `row` names are read of what it gives.
Status answer_blocks(
    const define::Project& project, const Questions& questions, std::span<const std::int64_t> order,
    const define::RowSchema& row, std::span<const define::Input> inputs,
    const AnswerOptions& options,
    const std::function<Result<Features>(std::span<const std::int64_t> rows)>& next,
    const std::function<Status(Answers)>& sink);

/// Calls `answering` with the questions of options.bucket, and hands what it gives on with the
/// places that they have in `questions`.
Status answer_bucket(const define::Project& project, const Questions& questions,
                     const define::RowSchema& row, const AnswerOptions& options,
                     const std::function<Status(Answers)>& sink,
                     const std::function<Status(const Questions&,
                                                const std::function<Status(Answers)>&)>& answering);

/// The part of answer() before answer_blocks(): the features of views for questions that are in the
/// order of T, block by block, `sink` being called in the caller's thread.
Status answer_views(std::shared_ptr<const define::Project> project, const Past& past,
                    const Questions& questions, const std::vector<int>& views,
                    const AnswerOptions& options, const std::function<Status(Features)>& sink);

/// Views whose features a row schema holds, ascending, each once.
std::vector<int> views_of(const define::RowSchema& row);
/// Sources that those views read, and those that they look up for their events.
std::vector<int> sources_of(const define::Project& project, std::span<const int> views);

/// Teaches a kernel the rows that events look up: before their events are prepared.
Status learn(kernel::Kernel& kernel, const Past& past);

/// The view columns of a row schema in its order, out of all features of each view.
/// `features[view]` holds feature_count() columns, empty for views not asked.
std::vector<data::Column> pick_features(const define::RowSchema& row,
                                        const std::vector<std::vector<data::Column>>& features);

}  // namespace coeval::replay
