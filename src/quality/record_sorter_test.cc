#include "quality/record_sorter.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <limits>
#include <random>

namespace coeval::quality {
namespace {

std::vector<std::string> sorted_by(RecordSorter& sorter) {
  std::vector<std::string> records;
  REQUIRE(sorter.each([&](std::string_view record) { records.emplace_back(record); }));
  return records;
}

TEST_CASE("numbers in records compare as they do themselves") {
  const std::vector<std::int64_t> numbers{
      std::numeric_limits<std::int64_t>::min(), -256, -1, 0, 1, 255, 256,
      std::numeric_limits<std::int64_t>::max()};
  std::string before;
  for (const std::int64_t number : numbers) {
    std::string record;
    append_ordered(record, number);
    CHECK(before < record);
    before = record;
    std::string_view rest = record;
    CHECK(take_ordered(rest) == number);
    CHECK(rest.empty());
  }
}

TEST_CASE("records with one beginning, and short ones, are sorted by all their bytes") {
  RecordSorter sorter(1 << 20, "");
  for (const char* record : {"abcdefghij", "abcdefgh", "", "abcdefghi", "abc", "b"})
    REQUIRE(sorter.add(record));
  CHECK(sorted_by(sorter) ==
        std::vector<std::string>{"", "abc", "abcdefgh", "abcdefghi", "abcdefghij", "b"});
}

TEST_CASE("so many runs that they are joined on the way") {
  RecordSorter sorter(1000, "");
  std::mt19937_64 random(3);
  std::vector<std::string> expected;
  for (int i = 0; i < 5000; ++i) {
    expected.push_back(std::to_string(random() % 100'000));
    REQUIRE(sorter.add(expected.back()));
  }
  CHECK(sorter.runs() <= 4);
  CHECK(sorter.runs() >= 1);
  std::sort(expected.begin(), expected.end());
  CHECK(sorted_by(sorter) == expected);
}

TEST_CASE("shards in any order, with any memory, are sorted as one") {
  CHECK(rc::check("records are sorted", [] {
    const auto records =
        *rc::gen::container<std::vector<std::string>>(rc::gen::string<std::string>());
    const auto memory = *rc::gen::element<std::size_t>(0, 300, 3000, 1 << 20);
    const auto shards = *rc::gen::inRange<std::size_t>(1, 5);
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    std::vector<RecordSorter> parts;
    for (std::size_t i = 0; i < shards; ++i) parts.emplace_back(memory, "");
    for (const auto& record : records) RC_ASSERT(parts[random() % shards].add(record).has_value());
    while (parts.size() > 1) {
      RC_ASSERT(parts[random() % (parts.size() - 1)].merge(parts.back()).has_value());
      parts.pop_back();
    }
    auto expected = records;
    std::sort(expected.begin(), expected.end());
    RC_ASSERT(sorted_by(parts[0]) == expected);
  }));
}

}  // namespace
}  // namespace coeval::quality
