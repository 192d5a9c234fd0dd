#include "quality/time_counts.h"

#include <algorithm>
#include <limits>

namespace coeval::quality {

namespace {

// The largest multiple of `length` that is at most `us`, or the least that int64 holds.
std::int64_t begin_of(std::int64_t us, std::int64_t length) {
  const std::int64_t rest = us % length;
  const std::int64_t back = rest < 0 ? rest + length : rest;
  return us < std::numeric_limits<std::int64_t>::min() + back
             ? std::numeric_limits<std::int64_t>::min()
             : us - back;
}

std::int64_t difference(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (!__builtin_sub_overflow(a, b, &out)) return out;
  return a < b ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

void join(TimeCounts::Stretch& into, const TimeCounts::Stretch& other) {
  into.longest_delay_us = into.rows == 0 ? other.longest_delay_us
                                         : std::max(into.longest_delay_us, other.longest_delay_us);
  into.rows += other.rows;
  into.delay_sum_us += other.delay_sum_us;
}

}  // namespace

double TimeCounts::Stretch::mean_delay_s() const {
  return rows == 0 ? 0 : static_cast<double>(delay_sum_us) / static_cast<double>(rows) / 1e6;
}

TimeCounts::Stretch& TimeCounts::at(std::int64_t us) {
  const std::int64_t begin = begin_of(us, length_us_);
  if (latest_ != nullptr && latest_->begin_us == begin) return *latest_;
  latest_ = &stretches_[begin];
  latest_->begin_us = begin;
  return *latest_;
}

void TimeCounts::lengthen() {
  std::map<std::int64_t, Stretch> joined;
  length_us_ *= 2;
  for (const auto& [begin, stretch] : stretches_) {
    const std::int64_t wider = begin_of(begin, length_us_);
    Stretch& into = joined[wider];
    into.begin_us = wider;
    join(into, stretch);
  }
  stretches_ = std::move(joined);
  latest_ = nullptr;
}

void TimeCounts::add(std::int64_t event_us, std::int64_t known_us) {
  const std::int64_t delay = difference(known_us, event_us);
  join(at(event_us), {0, 1, delay, delay});
  while (stretches_.size() > kMost) lengthen();
}

void TimeCounts::merge(const TimeCounts& other) {
  while (length_us_ < other.length_us_) lengthen();
  for (const auto& [begin, stretch] : other.stretches_) {
    join(at(begin), stretch);
    while (stretches_.size() > kMost) lengthen();
  }
}

std::vector<TimeCounts::Stretch> TimeCounts::stretches() const {
  std::vector<Stretch> out;
  for (const auto& [begin, stretch] : stretches_) out.push_back(stretch);
  return out;
}

}  // namespace coeval::quality
