// Checks that hold one number of the rows against bounds: rows, null_share, distinct, mean,
// quantile, and sum.

#include <cmath>
#include <cstring>
#include <limits>

#include "data/decimal.h"
#include "data/hash.h"
#include "exact/distinct_count.h"
#include "exact/quantile_sketch.h"
#include "kernel/total_order.h"
#include "quality/batch_fold.h"
#include "quality/record_store.h"

namespace coeval::quality {

namespace {

using data::Column;
using define::CheckKind;

// As many distinct values are told exactly.
constexpr std::size_t kExactDistinct = 4096;

Verdict verdict_of(const FoldSetting& setting, double number, std::string observed) {
  Verdict verdict;
  verdict.passed = is_within(*setting.check, number);
  verdict.number = number;
  verdict.observed = std::move(observed);
  return verdict;
}

class RowsFold final : public BatchFold {
 public:
  explicit RowsFold(const FoldSetting& setting) : setting_(setting) {}
  Status add(const BatchPiece& piece) override {
    rows_ += piece.rows.rows;
    return {};
  }
  Status merge(BatchFold& other) override {
    rows_ += static_cast<RowsFold&>(other).rows_;
    return {};
  }
  Result<Verdict> finish(const BatchContext&) override {
    return verdict_of(setting_, static_cast<double>(rows_), counted(rows_, "row", "rows"));
  }

 private:
  FoldSetting setting_;
  std::int64_t rows_ = 0;
};

class NullShareFold final : public BatchFold {
 public:
  explicit NullShareFold(const FoldSetting& setting) : setting_(setting) {}
  Status add(const BatchPiece& piece) override {
    const Column& column = setting_.column_of(piece);
    rows_ += column.size();
    if (!column.has_nulls()) return {};
    for (std::int64_t row = 0; row < column.size(); ++row) nulls_ += column.is_null(row) ? 1 : 0;
    return {};
  }
  Status merge(BatchFold& other) override {
    const auto& its = static_cast<NullShareFold&>(other);
    rows_ += its.rows_;
    nulls_ += its.nulls_;
    return {};
  }
  Result<Verdict> finish(const BatchContext&) override {
    if (rows_ == 0) return not_evaluated("there are no rows");
    return verdict_of(setting_, share_of(nulls_, rows_), share_text(nulls_, rows_));
  }

 private:
  FoldSetting setting_;
  std::int64_t rows_ = 0, nulls_ = 0;
};

// Exact up to kExactDistinct, beyond by HyperLogLog, which the verdict says.
template <class Key>
class DistinctFold final : public BatchFold {
 public:
  explicit DistinctFold(const FoldSetting& setting) : setting_(setting), count_(kExactDistinct) {}
  Status add(const BatchPiece& piece) override {
    const Column& column = setting_.column_of(piece);
    if (column.is_coded()) {
      add_coded(column);
      return {};
    }
    for (std::int64_t row = 0; row < column.size(); ++row)
      if (!column.is_null(row)) count_.add(key_of(column, row));
    return {};
  }
  Status merge(BatchFold& other) override {
    count_.merge(static_cast<DistinctFold&>(other).count_);
    return {};
  }
  Result<Verdict> finish(const BatchContext&) override {
    const std::int64_t count = count_.count();
    std::string text = counted(count, "distinct value", "distinct values");
    if (count_.is_approximate())
      text = "about " + text + " (an estimate beyond 4,096, standard error 0.81 %)";
    return verdict_of(setting_, static_cast<double>(count), std::move(text));
  }

 private:
  // An entry of a dictionary that no row has does not count.
  void add_coded(const Column& column) {
    const Column& dictionary = column.dictionary();
    std::vector<bool> seen(static_cast<std::size_t>(dictionary.size()), false);
    for (std::int64_t row = 0; row < column.size(); ++row) {
      if (column.is_null(row)) continue;
      const auto code = static_cast<std::size_t>(column.code(row));
      if (seen[code]) continue;
      seen[code] = true;
      count_.add(key_of(column, row));
    }
  }
  static Key key_of(const Column& column, std::int64_t row) {
    if constexpr (std::is_same_v<Key, exact::Key128>) {
      const data::Hash128 hash = data::xxh3_128(column.string(row));
      return {hash.high, hash.low};
    } else {
      if (column.type() == data::Type::boolean) return column.bit(row) ? 1 : 0;
      if (!data::is_float(column.type())) return column.integer(row);
      const double real = column.real(row);
      return kernel::order_key(real == 0 ? 0.0 : real);
    }
  }

  FoldSetting setting_;
  exact::DistinctCount<Key> count_;
};

class MeanFold final : public BatchFold {
 public:
  explicit MeanFold(const FoldSetting& setting) : setting_(setting), sum_(setting.column().type) {}
  Status add(const BatchPiece& piece) override {
    sum_.add(setting_.column_of(piece));
    return {};
  }
  Status merge(BatchFold& other) override {
    sum_.merge(static_cast<MeanFold&>(other).sum_);
    return {};
  }
  Result<Verdict> finish(const BatchContext&) override {
    if (sum_.count() == 0) return not_evaluated("there are no values");
    const double mean = sum_.mean();
    return verdict_of(setting_, mean,
                      short_number(mean) + " over " + counted(sum_.count(), "value", "values"));
  }

 private:
  FoldSetting setting_;
  ColumnSum sum_;
};

// Equal to the sum of a column of another source, or off by at most the tolerance.
class SumFold final : public BatchFold {
 public:
  explicit SumFold(const FoldSetting& setting) : setting_(setting), sum_(setting.column().type) {}
  Status add(const BatchPiece& piece) override {
    sum_.add(setting_.column_of(piece));
    return {};
  }
  Status merge(BatchFold& other) override {
    sum_.merge(static_cast<SumFold&>(other).sum_);
    return {};
  }
  Result<Verdict> finish(const BatchContext& context) override {
    const define::Check& check = *setting_.check;
    if (!context.other_sum) return not_evaluated("the sum of " + check.text + " is not known here");
    COEVAL_ASSIGN(const ColumnSum other, context.other_sum(check.other_source, check.other_column));
    Verdict verdict;
    verdict.passed = ColumnSum::are_equal(sum_, other, check.tolerance);
    verdict.number = sum_.sum();
    verdict.observed = sum_.text() + ", " + check.text + " " + other.text();
    return verdict;
  }

 private:
  FoldSetting setting_;
  ColumnSum sum_;
};

// The exact quantile of all values: they are kept, 8 bytes each, and the order statistics found by
// counting how they begin. (semantics: A7)
class QuantileFold final : public BatchFold {
 public:
  explicit QuantileFold(const FoldSetting& setting)
      : setting_(setting), keys_(1, setting.memory_bytes, setting.spill_folder) {}

  Status add(const BatchPiece& piece) override {
    const Column& column = setting_.column_of(piece);
    const bool is_real = data::is_float(column.type());
    for (std::int64_t row = 0; row < column.size(); ++row) {
      if (column.is_null(row)) continue;
      std::int64_t key = 0;
      if (is_real) {
        const double real = column.real(row);
        if (std::isnan(real)) {
          ++nans_;
          continue;
        }
        key = kernel::order_key(real == 0 ? 0.0 : real);
      } else {
        key = column.integer(row);
      }
      const std::uint64_t ordered = static_cast<std::uint64_t>(key) ^ kSign;
      COEVAL_ASSIGN(char* const at, keys_.add(0, sizeof ordered));
      std::memcpy(at, &ordered, sizeof ordered);
      ++count_;
    }
    return {};
  }

  Status merge(BatchFold& other) override {
    auto& its = static_cast<QuantileFold&>(other);
    count_ += its.count_;
    nans_ += its.nans_;
    return keys_.merge(its.keys_);
  }

  Result<Verdict> finish(const BatchContext&) override {
    if (count_ + nans_ == 0) return not_evaluated("there are no values");
    double quantile = std::numeric_limits<double>::quiet_NaN();
    if (nans_ == 0) {
      COEVAL_ASSIGN(quantile, exact_quantile());
    }
    return verdict_of(
        setting_, quantile,
        short_number(quantile) + " over " + counted(count_ + nans_, "value", "values"));
  }

 private:
  static constexpr std::uint64_t kSign = std::uint64_t{1} << 63;

  Result<double> exact_quantile() const {
    const exact::QuantileRank rank = exact::quantile_rank(setting_.check->p, count_);
    COEVAL_ASSIGN(const std::int64_t a, order_statistic(rank.index));
    std::int64_t b = a;
    if (rank.fraction != 0) {
      COEVAL_ASSIGN(b, order_statistic(rank.index + 1));
    }
    const data::Type type = setting_.column().type;
    if (data::is_float(type))
      return exact::interpolate(kernel::number_of_order_key(a), kernel::number_of_order_key(b),
                                rank);
    return exact::interpolate(a, b, rank,
                              static_cast<std::uint64_t>(data::power_of_ten(data::scale_of(type))));
  }

  // The value of this rank, from 0: its first 16 bits by counting, then the next among the values
  // that begin so.
  Result<std::int64_t> order_statistic(std::int64_t rank) const {
    constexpr int kDigits = 16;
    std::uint64_t prefix = 0;
    for (int shift = 64 - kDigits; shift >= 0; shift -= kDigits) {
      std::vector<std::int64_t> counts(std::size_t{1} << kDigits);
      COEVAL_TRY(keys_.each(0, [&](std::string_view block) {
        for (; !block.empty(); block.remove_prefix(sizeof(std::uint64_t))) {
          std::uint64_t key = 0;
          std::memcpy(&key, block.data(), sizeof key);
          if (shift + kDigits == 64 || key >> (shift + kDigits) == prefix)
            ++counts[key >> shift & 0xFFFF];
        }
      }));
      std::uint64_t digit = 0;
      for (; rank >= counts[digit]; ++digit) rank -= counts[digit];
      prefix = prefix << kDigits | digit;
    }
    return static_cast<std::int64_t>(prefix ^ kSign);
  }

  FoldSetting setting_;
  RecordStore keys_;
  std::int64_t count_ = 0, nans_ = 0;
};

}  // namespace

std::unique_ptr<BatchFold> make_number_fold(const FoldSetting& setting) {
  switch (setting.check->kind) {
    case CheckKind::rows:
      return std::make_unique<RowsFold>(setting);
    case CheckKind::null_share:
      return std::make_unique<NullShareFold>(setting);
    case CheckKind::distinct:
      if (setting.column().type == data::Type::string)
        return std::make_unique<DistinctFold<exact::Key128>>(setting);
      return std::make_unique<DistinctFold<std::int64_t>>(setting);
    case CheckKind::mean:
      return std::make_unique<MeanFold>(setting);
    case CheckKind::quantile:
      return std::make_unique<QuantileFold>(setting);
    default:
      return std::make_unique<SumFold>(setting);
  }
}

}  // namespace coeval::quality
