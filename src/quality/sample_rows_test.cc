#include "quality/sample_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

namespace coeval::quality {
namespace {

SampleRow row(std::int64_t place) { return {"a.csv", place, "x", "raw " + std::to_string(place)}; }

TEST_CASE("the sample is a function of the set of rows") {
  std::vector<std::int64_t> places(1000);
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = static_cast<std::int64_t>(i);
  SampleRows once;
  for (const std::int64_t place : places) once.add("delay.min", row(place));
  REQUIRE(once.of("delay.min").size() == SampleRows::kMost);

  std::mt19937 random(7);
  for (int round = 0; round < 10; ++round) {
    std::ranges::shuffle(places, random);
    std::vector<SampleRows> shards(7);
    for (const std::int64_t place : places) {
      SampleRows& shard = shards[random() % shards.size()];
      if (shard.wants("delay.min", "a.csv", place)) shard.add("delay.min", row(place));
    }
    SampleRows merged;
    for (const SampleRows& shard : shards) merged.merge(shard);
    CHECK(merged.of("delay.min") == once.of("delay.min"));
  }
}

TEST_CASE("rules do not share their sample") {
  SampleRows rows;
  for (std::int64_t place = 0; place < 1000; ++place) {
    rows.add("a", row(place));
    rows.add("b", row(place));
  }
  CHECK(rows.of("a") != rows.of("b"));
  CHECK(rows.of("c").empty());
}

TEST_CASE("few rows are all shown") {
  SampleRows rows;
  for (std::int64_t place = 0; place < 3; ++place) rows.add("a", row(place));
  std::set<std::int64_t> places;
  for (const SampleRow& one : rows.of("a")) places.insert(one.place);
  CHECK(places == std::set<std::int64_t>{0, 1, 2});
}

}  // namespace
}  // namespace coeval::quality
