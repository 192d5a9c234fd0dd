#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace coeval::quality {

/// Rows per stretch of event time, with how long each took to become known: what the charts of
/// volume and freshness are drawn from.
///
/// The stretches are hours to begin with, and twice as long whenever there would be more than
/// kMost of them; each begins at a multiple of its length since the epoch. So the counts are a
/// function of the multiset of rows, whatever their order and division. (semantics: A1)
class TimeCounts {
 public:
  static constexpr std::size_t kMost = 400;

  struct Stretch {
    std::int64_t begin_us = 0;
    std::int64_t rows = 0;
    std::int64_t longest_delay_us = 0;  ///< known − event time, the largest; may be negative
    __extension__ __int128 delay_sum_us = 0;
    double mean_delay_s() const;
    friend bool operator==(const Stretch&, const Stretch&) = default;
  };

  void add(std::int64_t event_us, std::int64_t known_us);
  void merge(const TimeCounts& other);
  std::int64_t length_us() const { return length_us_; }
  /// Those that have rows, ascending.
  std::vector<Stretch> stretches() const;

 private:
  Stretch& at(std::int64_t us);
  void lengthen();

  std::int64_t length_us_ = 3'600'000'000;
  std::map<std::int64_t, Stretch> stretches_;  // by begin
  Stretch* latest_ = nullptr;                  // the one that was found last
};

}  // namespace coeval::quality
