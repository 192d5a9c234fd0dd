#include "quality/time_counts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace coeval::quality {
namespace {

constexpr std::int64_t kHour = 3'600'000'000;

TEST_CASE("rows are counted by the hour of their event") {
  TimeCounts counts;
  counts.add(0, 10);
  counts.add(kHour - 1, kHour + 5);
  counts.add(kHour, kHour);
  counts.add(-1, -1);
  const auto stretches = counts.stretches();
  REQUIRE(stretches.size() == 3);
  CHECK(stretches[0].begin_us == -kHour);
  CHECK(stretches[1].begin_us == 0);
  CHECK(stretches[1].rows == 2);
  CHECK(stretches[1].longest_delay_us == 10);
  CHECK(stretches[1].mean_delay_s() == doctest::Approx(8e-6));
  CHECK(stretches[2].rows == 1);
}

TEST_CASE("many hours become longer stretches, and nothing is lost") {
  TimeCounts counts;
  for (std::int64_t hour = 0; hour < 10'000; ++hour) counts.add(hour * kHour, hour * kHour + 1);
  CHECK(counts.length_us() == 32 * kHour);  // 313 of them; of 16 hours there would be 625
  std::int64_t rows = 0;
  for (const auto& stretch : counts.stretches()) rows += stretch.rows;
  CHECK(rows == 10'000);
}

TEST_CASE("shards in any order are one pass") {
  std::mt19937_64 random(11);
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  for (int i = 0; i < 3000; ++i) {
    const auto at = static_cast<std::int64_t>(random() % (5000 * kHour)) - 1000 * kHour;
    rows.emplace_back(at, at + static_cast<std::int64_t>(random() % kHour) - kHour / 2);
  }
  TimeCounts once;
  for (const auto& [event, known] : rows) once.add(event, known);
  for (int round = 0; round < 5; ++round) {
    std::ranges::shuffle(rows, random);
    std::vector<TimeCounts> shards(7);
    for (const auto& [event, known] : rows) shards[random() % 7].add(event, known);
    TimeCounts merged;
    for (const TimeCounts& shard : shards) merged.merge(shard);
    CHECK(merged.length_us() == once.length_us());
    CHECK(merged.stretches() == once.stretches());
  }
}

TEST_CASE("the ends of time do not overflow") {
  TimeCounts counts;
  counts.add(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
  counts.add(std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min());
  std::int64_t rows = 0;
  for (const auto& stretch : counts.stretches()) rows += stretch.rows;
  CHECK(rows == 2);
}

}  // namespace
}  // namespace coeval::quality
