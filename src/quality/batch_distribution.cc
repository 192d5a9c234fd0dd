// psi, ks, linf, js, chi2, new_values, vanished_values: a column's values against those of a frozen
// reference.
//
// Distances are those of stats/distances.h over the reference's bins. The number that is held
// against the bound: of psi the corrected index, of chi2 the statistic; each verdict tells the
// p-value where there is one. Fewer than 200 rows on either side are not enough data; of new_values
// any number is enough.

#include <array>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <set>
#include <unordered_map>

#include "data/hash.h"
#include "data/utf8.h"
#include "exact/distinct_count.h"
#include "quality/batch_fold.h"
#include "quality/offending_rows.h"
#include "quality/profile.h"
#include "stats/distances.h"

namespace coeval::quality {

namespace {

using data::Column;
using define::CheckKind;

constexpr std::int64_t kLeastRows = 200;

// "0.0312", four digits that count.
std::string rounded(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", number);
  return text.data();
}

Verdict too_few(std::int64_t rows, const std::string& whose) {
  return not_evaluated("not enough data: " + whose + " has " + counted(rows, "row", "rows") + ", " +
                       std::to_string(kLeastRows) + " are needed");
}

class DistanceFold final : public BatchFold {
 public:
  DistanceFold(const FoldSetting& setting, const ColumnReference& reference)
      : setting_(setting), bins_(reference.bins), counts_(reference.bins.size(), 0) {}

  Status add(const BatchPiece& piece) override {
    bins_.count(setting_.column_of(piece), counts_);
    rows_ += piece.rows.rows;
    return {};
  }
  Status merge(BatchFold& other) override {
    const auto& its = static_cast<DistanceFold&>(other);
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += its.counts_[i];
    rows_ += its.rows_;
    return {};
  }
  Result<Verdict> finish(const BatchContext&) override {
    if (bins_.rows() < kLeastRows) return too_few(bins_.rows(), "the reference");
    if (rows_ < kLeastRows) return too_few(rows_, "the batch");
    Verdict verdict;
    measure(verdict);
    if (std::isnan(*verdict.number))
      return not_evaluated("there are no values to compare, on one side or both");
    verdict.passed = is_within(*setting_.check, *verdict.number);
    return verdict;
  }

 private:
  void measure(Verdict& verdict) const {
    const auto reference = bins_.counts();
    switch (setting_.check->kind) {
      case CheckKind::psi:
        return measure_stability(verdict);
      case CheckKind::ks:
        return say(verdict,
                   stats::kolmogorov_smirnov(bins_.ordered(reference), bins_.ordered(counts_)));
      case CheckKind::chi2:
        return say(verdict, stats::chi_square(reference, counts_));
      case CheckKind::linf:
        verdict.number = stats::l_infinity(reference, counts_);
        break;
      default:
        verdict.number = stats::jensen_shannon(reference, counts_);
        break;
    }
    verdict.observed = rounded(*verdict.number);
  }
  static void say(Verdict& verdict, const stats::Test& test) {
    verdict.number = test.statistic;
    verdict.observed = rounded(test.statistic) + ", p " + rounded(test.p_value);
  }
  void measure_stability(Verdict& verdict) const {
    const stats::Stability found = stats::stability(bins_.counts(), counts_, setting_.examples);
    verdict.number = found.corrected;
    verdict.observed = rounded(found.corrected) + " corrected, " + rounded(found.raw) + " raw, p " +
                       rounded(found.p_value);
    for (const stats::MovedBin& moved : found.moved)
      if (moved.part > 0)
        verdict.examples.push_back(bin_text(moved.bin) + ": " + rounded(moved.reference_share) +
                                   " of the reference, " + rounded(moved.current_share) +
                                   " of the batch");
  }
  // The texts and numbers of a personal column are not told.
  std::string bin_text(std::size_t bin) const {
    return setting_.column().pii && bin >= stats::ReferenceBins::kSpecials
               ? "bin " + std::to_string(bin)
               : bins_.label(bin);
  }

  FoldSetting setting_;
  const stats::ReferenceBins& bins_;
  std::vector<std::int64_t> counts_;
  std::int64_t rows_ = 0;
};

// A reference knows the beginning of long texts.
std::string_view known_text(std::string_view text) {
  return data::utf8_prefix(text, kProfileTextBytes);
}

exact::Key128 key_of_text(std::string_view text) {
  const data::Hash128 hash = data::xxh3_128(known_text(text));
  return {hash.high, hash.low};
}
exact::Key128 key_of_number(std::int64_t number) { return {0, static_cast<std::uint64_t>(number)}; }
exact::Key128 key_of(const data::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return key_of_text(*text);
  if (const auto* truth = std::get_if<bool>(&value)) return key_of_number(*truth ? 1 : 0);
  return key_of_number(std::get<std::int64_t>(value));
}
exact::Key128 key_of(const Column& column, std::int64_t row) {
  if (column.type() == data::Type::string) return key_of_text(column.string(row));
  if (column.type() == data::Type::boolean) return key_of_number(column.bit(row) ? 1 : 0);
  return key_of_number(column.integer(row));
}

struct KeyHash {
  std::size_t operator()(const exact::Key128& key) const {
    return exact::KeyForm<exact::Key128>::hash(key);
  }
};

// Which of the reference's values occur, and which values occur that it has not.
class ValuesFold final : public BatchFold {
 public:
  ValuesFold(const FoldSetting& setting, const std::vector<data::Value>& values)
      : setting_(setting),
        values_(values),
        is_seen_(values.size(), false),
        added_(stats::ReferenceBins::kMostKnownTexts),
        rows_with_new_(setting.sample_rows, setting.check->rule_name()) {
    for (std::size_t i = 0; i < values.size(); ++i) places_.emplace(key_of(values[i]), i);
  }

  Status add(const BatchPiece& piece) override {
    const Column& column = setting_.column_of(piece);
    rows_ += column.size();
    constexpr std::int8_t kUnknown = -1;
    std::vector<std::int8_t> is_new;  // of entries of the dictionary
    if (column.is_coded())
      is_new.resize(static_cast<std::size_t>(column.dictionary().size()), kUnknown);
    for (std::int64_t row = 0; row < column.size(); ++row) {
      if (column.is_null(row)) continue;
      std::int8_t fresh = kUnknown;
      std::int8_t* const known =
          column.is_coded() ? &is_new[static_cast<std::size_t>(column.code(row))] : &fresh;
      if (*known == kUnknown) *known = see(column, row) ? 1 : 0;
      if (*known == 1) rows_with_new_.add(piece.row_numbers[static_cast<std::size_t>(row)]);
    }
    return {};
  }

  Status merge(BatchFold& other) override {
    const auto& its = static_cast<ValuesFold&>(other);
    rows_ += its.rows_;
    for (std::size_t i = 0; i < is_seen_.size(); ++i)
      if (its.is_seen_[i]) is_seen_[i] = true;
    added_.merge(its.added_);
    rows_with_new_.merge(its.rows_with_new_);
    for (const std::string& text : its.new_texts_) keep(text);
    return {};
  }

  Result<Verdict> finish(const BatchContext&) override {
    if (setting_.check->kind == CheckKind::new_values) return new_values();
    if (rows_ < kLeastRows) return too_few(rows_, "the batch");
    return vanished_values();
  }

 private:
  // Notes the value and says whether the reference has it not.
  bool see(const Column& column, std::int64_t row) {
    const exact::Key128 key = key_of(column, row);
    const auto place = places_.find(key);
    if (place != places_.end()) {
      is_seen_[place->second] = true;
      return false;
    }
    added_.add(key);
    keep(shown(column.value(row)));
    return true;
  }
  std::string shown(const data::Value& value) const {
    if (const auto* text = std::get_if<std::string>(&value))
      return "'" + std::string(known_text(*text)) + "'";
    return data::to_text(value, setting_.column().type);
  }
  // The first few in the order of texts.
  void keep(const std::string& text) {
    if (setting_.column().pii) return;
    if (new_texts_.size() == setting_.examples &&
        (new_texts_.empty() || text > *new_texts_.rbegin()))
      return;
    new_texts_.insert(text);
    if (new_texts_.size() > setting_.examples) new_texts_.erase(std::prev(new_texts_.end()));
  }

  Verdict new_values() const {
    Verdict verdict;
    const std::int64_t count = added_.count();
    verdict.number = static_cast<double>(count);
    verdict.passed = is_within(*setting_.check, *verdict.number);
    verdict.observed = (added_.is_approximate() ? "about " : "") +
                       counted(count, "value", "values") + " that the reference has not";
    verdict.rows_count = rows_with_new_.count();
    verdict.rows = rows_with_new_.rows();
    verdict.examples.assign(new_texts_.begin(), new_texts_.end());
    return verdict;
  }
  Verdict vanished_values() const {
    Verdict verdict;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < is_seen_.size(); ++i) {
      if (is_seen_[i]) continue;
      if (++count <= static_cast<std::int64_t>(setting_.examples) && !setting_.column().pii)
        verdict.examples.push_back(shown(values_[i]));
    }
    verdict.number = static_cast<double>(count);
    verdict.passed = is_within(*setting_.check, *verdict.number);
    verdict.observed = std::to_string(count) + " of " +
                       counted(std::ssize(values_), "value", "values") +
                       " of the reference do not occur";
    return verdict;
  }

  FoldSetting setting_;
  const std::vector<data::Value>& values_;
  std::unordered_map<exact::Key128, std::size_t, KeyHash> places_;
  std::vector<bool> is_seen_;
  exact::DistinctCount<exact::Key128> added_;
  OffendingRows rows_with_new_;
  std::set<std::string> new_texts_;
  std::int64_t rows_ = 0;
};

// A check that cannot be: it says why.
class NoFold final : public BatchFold {
 public:
  explicit NoFold(std::string why) : why_(std::move(why)) {}
  Status add(const BatchPiece&) override { return {}; }
  Status merge(BatchFold&) override { return {}; }
  Result<Verdict> finish(const BatchContext&) override { return not_evaluated(why_); }

 private:
  std::string why_;
};

}  // namespace

std::unique_ptr<BatchFold> make_distribution_fold(const FoldSetting& setting) {
  const Result<ColumnReference>& reference = *setting.reference;
  if (!reference) return std::make_unique<NoFold>(reference.error().message);
  const CheckKind kind = setting.check->kind;
  if (kind != CheckKind::new_values && kind != CheckKind::vanished_values)
    return std::make_unique<DistanceFold>(setting, *reference);
  if (!reference->values)
    return std::make_unique<NoFold>("the reference has more distinct values than it can know");
  return std::make_unique<ValuesFold>(setting, *reference->values);
}

}  // namespace coeval::quality
