// out_of_order_share and gap: rows in an order of their own, for which all of them are sorted.

#include <optional>

#include "base/time.h"
#include "data/hash.h"
#include "kernel/key_bytes.h"
#include "quality/batch_fold.h"
#include "quality/offending_rows.h"
#include "quality/record_sorter.h"

namespace coeval::quality {

namespace {

using data::Column;

// Rows whose event time is below that of one before them in the batch, as a share of all. Records:
// row number, event time.
class OutOfOrderFold final : public BatchFold {
 public:
  explicit OutOfOrderFold(const FoldSetting& setting)
      : setting_(setting), rows_in_order_(setting.memory_bytes, setting.spill_folder) {}

  Status add(const BatchPiece& piece) override {
    const Column& times = setting_.times_of(piece);
    rows_ += times.size();
    std::string record;
    for (std::int64_t row = 0; row < times.size(); ++row) {
      if (times.is_null(row)) continue;
      record.clear();
      append_ordered(record, piece.row_numbers[static_cast<std::size_t>(row)]);
      append_ordered(record, times.integer(row));
      COEVAL_TRY(rows_in_order_.add(record));
    }
    return {};
  }
  Status merge(BatchFold& other) override {
    auto& its = static_cast<OutOfOrderFold&>(other);
    rows_ += its.rows_;
    return rows_in_order_.merge(its.rows_in_order_);
  }
  Result<Verdict> finish(const BatchContext&) override {
    if (rows_ == 0) return not_evaluated("there are no rows");
    OffendingRows early(setting_.sample_rows, setting_.check->rule_name());
    std::optional<std::int64_t> newest;
    COEVAL_TRY(rows_in_order_.each([&](std::string_view record) {
      const std::int64_t time = take_ordered(record);
      if (newest && time < *newest) early.add(take_ordered(record));
      if (!newest || time > *newest) newest = time;
    }));
    Verdict verdict;
    verdict.number = share_of(early.count(), rows_);
    verdict.passed = is_within(*setting_.check, *verdict.number);
    verdict.observed = share_text(early.count(), rows_);
    verdict.rows_count = early.count();
    verdict.rows = early.rows();
    return verdict;
  }

 private:
  FoldSetting setting_;
  RecordSorter rows_in_order_;
  std::int64_t rows_ = 0;
};

// How often more than the span lies between a row and the one before it, by event time, among rows
// of equal keys. Rows with a null in a key are of no key. Records: the key's hash, the key, event
// time, row number.
class GapFold final : public BatchFold {
 public:
  explicit GapFold(const FoldSetting& setting)
      : setting_(setting), rows_by_key_(setting.memory_bytes, setting.spill_folder) {}

  Status add(const BatchPiece& piece) override {
    const Column& times = setting_.times_of(piece);
    std::vector<const Column*> columns;
    for (const int column : setting_.check->keys)
      columns.push_back(&piece.rows.columns[static_cast<std::size_t>(column)]);
    std::string key, record;
    for (std::int64_t row = 0; row < times.size(); ++row) {
      if (times.is_null(row) || !kernel::make_key(key, columns, row)) continue;
      record.clear();
      append_ordered(record, static_cast<std::int64_t>(data::xxh3_64(key)));
      record += key;
      append_ordered(record, times.integer(row));
      append_ordered(record, piece.row_numbers[static_cast<std::size_t>(row)]);
      COEVAL_TRY(rows_by_key_.add(record));
    }
    return {};
  }
  Status merge(BatchFold& other) override {
    return rows_by_key_.merge(static_cast<GapFold&>(other).rows_by_key_);
  }

  Result<Verdict> finish(const BatchContext&) override {
    Gaps gaps(setting_);
    COEVAL_TRY(rows_by_key_.each([&](std::string_view record) { gaps.see(record); }));
    Verdict verdict;
    verdict.rows_count = gaps.after.count();
    verdict.rows = gaps.after.rows();
    verdict.number = static_cast<double>(verdict.rows_count);
    verdict.passed = is_within(*setting_.check, *verdict.number);
    verdict.observed = counted(verdict.rows_count, "gap", "gaps");
    if (gaps.longest) {
      verdict.observed += ", the longest " + format_duration(gaps.longest->us);
      verdict.examples.push_back("the longest lies before row " +
                                 std::to_string(gaps.longest->row) + " at " +
                                 format_time(gaps.longest->time) + key_suffix(gaps.longest->key));
    }
    return verdict;
  }

 private:
  struct Gap {
    std::int64_t us = 0, time = 0, row = 0;
    std::string key;
  };
  struct Gaps {
    explicit Gaps(const FoldSetting& setting)
        : span_us(setting.check->span_us), after(setting.sample_rows, setting.check->rule_name()) {}
    void see(std::string_view record) {
      const std::int64_t row = take_ordered(record);
      const std::int64_t time = take_ordered(record);
      record.remove_prefix(sizeof(std::uint64_t));
      if (any && record == key) {
        std::int64_t us = 0;
        if (__builtin_sub_overflow(time, before, &us)) us = INT64_MAX;
        if (us > span_us) add({us, time, row, key});
      } else {
        key = record;
        any = true;
      }
      before = time;
    }
    // Of equally long ones the one before the first row is told.
    void add(Gap gap) {
      after.add(gap.row);
      if (!longest || gap.us > longest->us || (gap.us == longest->us && gap.row < longest->row))
        longest = std::move(gap);
    }

    const std::int64_t span_us;
    OffendingRows after;
    std::optional<Gap> longest;
    bool any = false;
    std::string key;
    std::int64_t before = 0;
  };

  std::string key_suffix(const std::string& key) const {
    if (setting_.check->keys.empty()) return {};
    return ", " + key_text(*setting_.source, setting_.check->keys, key);
  }

  FoldSetting setting_;
  RecordSorter rows_by_key_;
};

}  // namespace

std::unique_ptr<BatchFold> make_order_fold(const FoldSetting& setting) {
  if (setting.check->kind == define::CheckKind::gap) return std::make_unique<GapFold>(setting);
  return std::make_unique<OutOfOrderFold>(setting);
}

}  // namespace coeval::quality
