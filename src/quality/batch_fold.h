#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "quality/batch_checks.h"

namespace coeval::quality {

/// What a fold found: the parts of a finding that come from the rows.
struct Verdict {
  bool evaluated = true;  ///< else `observed` says why not
  bool passed = false;
  std::string observed;
  std::optional<double> number;
  std::int64_t rows_count = 0;
  std::vector<std::int64_t> rows;
  std::vector<std::string> examples;
};
inline Verdict not_evaluated(std::string why) {
  Verdict verdict;
  verdict.evaluated = false;
  verdict.observed = std::move(why);
  return verdict;
}

/// The state of one check over some rows of a batch: a function of their set. After an error it is
/// of no use. Threading: one thread at a time.
class BatchFold {
 public:
  virtual ~BatchFold() = default;
  virtual Status add(const BatchPiece& piece) = 0;
  /// `other` comes from the same factory with the same setting, and is of no use afterwards.
  virtual Status merge(BatchFold& other) = 0;
  virtual Result<Verdict> finish(const BatchContext& context) = 0;
};

/// What a fold is made from; source, check and reference outlive it.
struct FoldSetting {
  const define::Source* source = nullptr;
  const define::Check* check = nullptr;
  const Result<ColumnReference>* reference = nullptr;  ///< of distribution checks
  std::size_t memory_bytes = 0;                        ///< of this fold
  std::string spill_folder;
  std::size_t sample_rows = 0, examples = 0;

  const define::SourceColumn& column() const {
    return source->columns[static_cast<std::size_t>(check->columns[0])];
  }
  const data::Column& column_of(const BatchPiece& piece) const {
    return piece.rows.columns[static_cast<std::size_t>(check->columns[0])];
  }
  const data::Column& times_of(const BatchPiece& piece) const {
    return piece.rows.columns[static_cast<std::size_t>(source->time_index)];
  }
};

/// Whether a kind remembers something of every row, and so takes a share of the memory.
bool needs_memory(define::CheckKind kind);
/// Of any kind but those of rows.
std::unique_ptr<BatchFold> make_fold(const FoldSetting& setting);

// The families, each in a file of its own: batch_unique.cc, batch_numbers.cc, batch_times.cc,
// batch_order.cc, batch_volume.cc, batch_distribution.cc.
std::unique_ptr<BatchFold> make_unique_fold(const FoldSetting& setting);
std::unique_ptr<BatchFold> make_number_fold(const FoldSetting& setting);
std::unique_ptr<BatchFold> make_time_fold(const FoldSetting& setting);
std::unique_ptr<BatchFold> make_order_fold(const FoldSetting& setting);
std::unique_ptr<BatchFold> make_volume_fold(const FoldSetting& setting);
std::unique_ptr<BatchFold> make_distribution_fold(const FoldSetting& setting);

/// Whether a number is within the check's bounds; NaN never is.
bool is_within(const define::Check& check, double number);
/// "12.5", the shortest that reads back.
std::string short_number(double number);
/// part / whole, rounded once; whole > 0.
double share_of(std::int64_t part, std::int64_t whole);
/// "0.031 (31 of 1000 rows)"
std::string share_text(std::int64_t part, std::int64_t whole);
/// "1 row", "3 rows"
std::string counted(std::int64_t count, const std::string& singular, const std::string& plural);
/// "flight 12, date 2001-06-01" of a key by kernel::make_key over these columns of a source; values
/// of personal columns are hidden, long texts cut.
std::string key_text(const define::Source& source, std::span<const int> columns,
                     std::string_view key);

}  // namespace coeval::quality
