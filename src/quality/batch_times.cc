// freshness and late_share: when rows happened, and when they became known.

#include <algorithm>
#include <optional>

#include "base/time.h"
#include "quality/batch_fold.h"
#include "quality/offending_rows.h"

namespace coeval::quality {

namespace {

using define::FreshnessOf;

// "1d 2h": to the second, the two largest units.
std::string age_text(std::int64_t us) {
  struct Unit {
    std::int64_t us;
    const char* name;
  };
  constexpr Unit kUnits[] = {{kDayUs, "d"}, {kHourUs, "h"}, {kMinuteUs, "min"}, {kSecondUs, "s"}};
  std::string text;
  int units = 0;
  for (const Unit& unit : kUnits) {
    if (us < unit.us || units == 2) continue;
    text += (text.empty() ? "" : " ") + std::to_string(us / unit.us) + unit.name;
    us %= unit.us;
    ++units;
  }
  return text.empty() ? "less than 1s" : text;
}

// The newest row is at most as old as the span: by its event time, by its known time, or by both.
// A time after the clock's is young.
class FreshnessFold final : public BatchFold {
 public:
  explicit FreshnessFold(const FoldSetting& setting) : setting_(setting) {}

  Status add(const BatchPiece& piece) override {
    const data::Column& times = setting_.times_of(piece);
    for (std::int64_t row = 0; row < times.size(); ++row) {
      if (!times.is_null(row)) raise(event_us_, times.integer(row));
      raise(known_us_, piece.known_us[static_cast<std::size_t>(row)]);
    }
    return {};
  }
  Status merge(BatchFold& other) override {
    const auto& its = static_cast<FreshnessFold&>(other);
    if (its.event_us_) raise(event_us_, *its.event_us_);
    if (its.known_us_) raise(known_us_, *its.known_us_);
    return {};
  }

  Result<Verdict> finish(const BatchContext& context) override {
    const FreshnessOf of = setting_.check->freshness_of;
    const bool by_event = of != FreshnessOf::arrival, by_arrival = of != FreshnessOf::event_time;
    if ((by_event && !event_us_) || (by_arrival && !known_us_))
      return not_evaluated("there are no rows");
    Verdict verdict;
    verdict.passed = true;
    if (by_event) judge(verdict, "event time", *event_us_, context.now_us);
    if (by_arrival) judge(verdict, "arrival", *known_us_, context.now_us);
    return verdict;
  }

 private:
  static void raise(std::optional<std::int64_t>& newest, std::int64_t time) {
    newest = newest ? std::max(*newest, time) : time;
  }
  // The number is the greatest age, in seconds.
  void judge(Verdict& verdict, const std::string& what, std::int64_t newest, std::int64_t now) {
    std::int64_t age = 0;
    if (__builtin_sub_overflow(now, newest, &age)) age = now < newest ? INT64_MIN : INT64_MAX;
    if (age > setting_.check->span_us) verdict.passed = false;
    const double seconds = static_cast<double>(age) / 1e6;
    verdict.number = std::max(verdict.number.value_or(seconds), seconds);
    verdict.observed += (verdict.observed.empty() ? "newest " : ", newest ") + what + " " +
                        format_time(newest) +
                        (age > 0 ? ", " + age_text(age) + " old" : ", not before the clock's");
  }

  FoldSetting setting_;
  std::optional<std::int64_t> event_us_, known_us_;
};

// Rows that became known more than the span after they happened, as a share of all.
class LateShareFold final : public BatchFold {
 public:
  explicit LateShareFold(const FoldSetting& setting)
      : setting_(setting), late_(setting.sample_rows, setting.check->rule_name()) {}

  Status add(const BatchPiece& piece) override {
    const data::Column& times = setting_.times_of(piece);
    rows_ += times.size();
    for (std::int64_t row = 0; row < times.size(); ++row) {
      if (times.is_null(row)) continue;
      const auto at = static_cast<std::size_t>(row);
      std::int64_t late = 0;
      if (__builtin_sub_overflow(piece.known_us[at], times.integer(row), &late))
        late = piece.known_us[at] < times.integer(row) ? INT64_MIN : INT64_MAX;
      if (late > setting_.check->span_us) late_.add(piece.row_numbers[at]);
    }
    return {};
  }
  Status merge(BatchFold& other) override {
    const auto& its = static_cast<LateShareFold&>(other);
    rows_ += its.rows_;
    late_.merge(its.late_);
    return {};
  }
  Result<Verdict> finish(const BatchContext&) override {
    if (rows_ == 0) return not_evaluated("there are no rows");
    Verdict verdict;
    verdict.number = share_of(late_.count(), rows_);
    verdict.passed = is_within(*setting_.check, *verdict.number);
    verdict.observed = share_text(late_.count(), rows_);
    verdict.rows_count = late_.count();
    verdict.rows = late_.rows();
    return verdict;
  }

 private:
  FoldSetting setting_;
  OffendingRows late_;
  std::int64_t rows_ = 0;
};

}  // namespace

std::unique_ptr<BatchFold> make_time_fold(const FoldSetting& setting) {
  if (setting.check->kind == define::CheckKind::freshness)
    return std::make_unique<FreshnessFold>(setting);
  return std::make_unique<LateShareFold>(setting);
}

}  // namespace coeval::quality
