// volume: the rows of each hour (of event time, UTC) against those of the same hour of the week
// before it.
//
// An hour's usual number is the median of the same hours of the weeks within the span, as many as
// history reaches back; an hour without rows after history began counts as 0. Fewer than three of
// them are no history. An hour has the batch's rows and those that history has of it already. The
// ratio is (rows + 1) / (usual + 1), so that one row more or less where there are few says little.
// An hour is too full when the ratio is above the bound, too empty when it is below 1 / bound; the
// batch's first and last hours, which it may hold only in part, cannot be too empty.

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "quality/batch_fold.h"

namespace coeval::quality {

namespace {

constexpr std::int64_t kWeekHours = 7 * 24;
constexpr std::size_t kLeastWeeks = 3, kMostWeeks = 520;
// About thirty years: what spreads further has wrong times.
constexpr std::size_t kMostHours = 262'144;

std::int64_t hour_of(std::int64_t us) { return us / kHourUs - (us % kHourUs < 0 ? 1 : 0); }

// Twice the median, which is an integer.
std::int64_t twice_median(std::vector<std::int64_t>& counts) {
  std::sort(counts.begin(), counts.end());
  const std::size_t half = counts.size() / 2;
  return counts.size() % 2 == 1 ? 2 * counts[half] : counts[half - 1] + counts[half];
}

class VolumeFold final : public BatchFold {
 public:
  explicit VolumeFold(const FoldSetting& setting) : setting_(setting) {}

  Status add(const BatchPiece& piece) override {
    const data::Column& times = setting_.times_of(piece);
    std::int64_t hour = 0, rows = 0;
    for (std::int64_t row = 0; row < times.size(); ++row) {
      if (times.is_null(row)) continue;
      const std::int64_t at = hour_of(times.integer(row));
      if (rows > 0 && at != hour) count(hour, std::exchange(rows, 0));
      hour = at;
      ++rows;
    }
    if (rows > 0) count(hour, rows);
    return {};
  }
  Status merge(BatchFold& other) override {
    auto& its = static_cast<VolumeFold&>(other);
    for (const auto& [hour, rows] : its.hours_) count(hour, rows);
    too_many_ = too_many_ || its.too_many_;
    return {};
  }

  Result<Verdict> finish(const BatchContext& context) override {
    if (too_many_ || (!hours_.empty() && spread() > kMostHours))
      return not_evaluated("event times spread over more than " + std::to_string(kMostHours) +
                           " hours");
    if (hours_.empty()) return not_evaluated("there are no rows");
    if (context.history == nullptr) return not_evaluated("the source's history is not known here");
    Compared compared;
    for (std::int64_t hour = hours_.begin()->first; hour <= hours_.rbegin()->first; ++hour)
      compare(hour, *context.history, compared);
    return verdict_of(compared);
  }

 private:
  struct Compared {
    std::int64_t hours = 0, skipped = 0;
    std::vector<std::int64_t> outside;
    // The hour that is furthest from what is usual; of equal ones the first.
    double worst = 0, worst_ratio = 1;
    std::int64_t worst_hour = 0, worst_rows = 0, worst_twice_usual = 0;
    std::vector<std::string> examples;
  };

  void count(std::int64_t hour, std::int64_t rows) {
    if (hours_.size() >= kMostHours && !hours_.contains(hour))
      too_many_ = true;
    else
      hours_[hour] += rows;
  }
  std::uint64_t spread() const {
    return static_cast<std::uint64_t>(hours_.rbegin()->first - hours_.begin()->first) + 1;
  }

  std::vector<std::int64_t> same_hours(std::int64_t hour, const HourlyRows& history) const {
    std::vector<std::int64_t> counts;
    if (history.rows.empty()) return counts;
    const std::int64_t first = history.rows.begin()->first, last = history.rows.rbegin()->first;
    const std::int64_t weeks = setting_.check->span_us / kHourUs / kWeekHours;
    for (std::int64_t week = 1; week <= weeks && counts.size() < kMostWeeks; ++week) {
      const std::int64_t before = hour - week * kWeekHours;
      if (before < first) break;
      // Of what happened since its last row history knows nothing.
      if (before > last) continue;
      const auto found = history.rows.find(before);
      counts.push_back(found == history.rows.end() ? 0 : found->second);
    }
    return counts;
  }

  void compare(std::int64_t hour, const HourlyRows& history, Compared& compared) const {
    std::vector<std::int64_t> counts = same_hours(hour, history);
    if (counts.size() < kLeastWeeks) {
      ++compared.skipped;
      return;
    }
    ++compared.hours;
    const auto own = hours_.find(hour);
    const auto earlier = history.rows.find(hour);
    const std::int64_t rows = (own == hours_.end() ? 0 : own->second) +
                              (earlier == history.rows.end() ? 0 : earlier->second);
    const std::int64_t twice_usual = twice_median(counts);
    const double ratio = share_of(2 * rows + 2, twice_usual + 2);
    const double inverse = share_of(twice_usual + 2, 2 * rows + 2);
    const bool is_whole = hour != hours_.begin()->first && hour != hours_.rbegin()->first;
    const double off = std::max(ratio, is_whole ? inverse : 0);
    if (off > compared.worst) {
      compared.worst = off;
      compared.worst_ratio = ratio;
      compared.worst_hour = hour;
      compared.worst_rows = rows;
      compared.worst_twice_usual = twice_usual;
    }
    if (off <= *setting_.check->max) return;
    compared.outside.push_back(hour);
    if (compared.examples.size() < setting_.examples)
      compared.examples.push_back(hour_text(hour, rows, twice_usual));
  }

  static std::string hour_text(std::int64_t hour, std::int64_t rows, std::int64_t twice_usual) {
    return "the hour of " + format_time(hour * kHourUs) + " has " + counted(rows, "row", "rows") +
           ", usual are " + short_number(static_cast<double>(twice_usual) / 2);
  }

  Verdict verdict_of(const Compared& compared) const {
    if (compared.hours == 0)
      return not_evaluated(
          "not enough history: no hour of the batch has three same hours of the week before it");
    Verdict verdict;
    verdict.passed = compared.outside.empty();
    verdict.number = compared.worst_ratio;
    verdict.observed =
        std::to_string(compared.outside.size()) + " of " +
        counted(compared.hours, "hour", "hours") + " unusual, " +
        hour_text(compared.worst_hour, compared.worst_rows, compared.worst_twice_usual);
    if (compared.skipped > 0)
      verdict.observed += "; " + counted(compared.skipped, "hour", "hours") + " without history";
    verdict.examples = compared.examples;
    return verdict;
  }

  FoldSetting setting_;
  std::map<std::int64_t, std::int64_t> hours_;
  bool too_many_ = false;
};

}  // namespace

void HourlyRows::add(std::span<const std::int64_t> event_us) {
  for (const std::int64_t us : event_us) ++rows[hour_of(us)];
}

std::unique_ptr<BatchFold> make_volume_fold(const FoldSetting& setting) {
  return std::make_unique<VolumeFold>(setting);
}

}  // namespace coeval::quality
