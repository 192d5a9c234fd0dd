#include "quality/repeated_keys.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <map>
#include <random>

#include "exact/byte_codec.h"
#include "stores/temporary_folder.h"

namespace coeval::quality {
namespace {

using Row = std::pair<std::string, std::int64_t>;

struct Found {
  std::int64_t count = 0;
  std::vector<std::int64_t> sample;
  std::vector<std::pair<std::int64_t, std::int64_t>> first;
  friend bool operator==(const Found&, const Found&) = default;
};

// All repeats by sorting the rows of each key.
Found by_brute_force(const std::vector<Row>& rows, std::size_t sample, std::size_t most_first) {
  std::map<std::string, std::vector<std::int64_t>> by_key;
  for (const auto& [key, row] : rows) by_key[key].push_back(row);
  Found found;
  OffendingRows repeats(sample, "test");
  for (auto& [key, of] : by_key) {
    std::sort(of.begin(), of.end());
    for (std::size_t i = 1; i < of.size(); ++i) {
      repeats.add(of[i]);
      found.first.emplace_back(of[i], of[0]);
    }
  }
  std::sort(found.first.begin(), found.first.end());
  if (found.first.size() > most_first) found.first.resize(most_first);
  found.count = repeats.count();
  found.sample = repeats.rows();
  return found;
}

RepeatedKeys empty_keys(RepeatedKeys::Keys kind, std::size_t memory, std::size_t sample,
                        std::size_t most_first) {
  return {kind, memory, "", OffendingRows(sample, "test"), most_first};
}

std::uint64_t number_of(std::string_view key) {
  std::uint64_t number = 0;
  exact::read_u64(key, number);
  return number;
}

void add(RepeatedKeys& keys, RepeatedKeys::Keys kind, const Row& row) {
  if (kind == RepeatedKeys::Keys::numbers)
    REQUIRE(keys.add(number_of(row.first), row.second));
  else
    REQUIRE(keys.add(std::string_view(row.first), row.second));
}

Found found_in(RepeatedKeys& keys) {
  REQUIRE(keys.finish());
  Found found{keys.repeats().count(), keys.repeats().rows(), {}};
  for (const RepeatedKey& repeat : keys.first())
    found.first.emplace_back(repeat.row, repeat.first_row);
  return found;
}

std::string key_of(std::uint64_t number) {
  std::string key;
  exact::append_u64(key, number);
  return key;
}

TEST_CASE("a key that stands twice is found with both places, whichever row comes first") {
  for (const bool backwards : {false, true}) {
    auto keys = empty_keys(RepeatedKeys::Keys::bytes, 1 << 20, 20, 5);
    std::vector<Row> rows{{"a", 3}, {"b", 5}, {"a", 9}, {"a", 11}, {"", 12}, {"", 40}};
    if (backwards) std::reverse(rows.begin(), rows.end());
    for (const Row& row : rows) add(keys, RepeatedKeys::Keys::bytes, row);
    REQUIRE(keys.finish());
    CHECK(keys.repeats().count() == 3);
    CHECK(keys.repeats().rows() == std::vector<std::int64_t>{9, 11, 40});
    REQUIRE(keys.first().size() == 3);
    CHECK(keys.first()[0].row == 9);
    CHECK(keys.first()[0].first_row == 3);
    CHECK(keys.first()[0].key == "a");
    CHECK(keys.first()[2].first_row == 12);
  }
}

TEST_CASE("keys with one beginning are told apart, and distinct keys repeat nothing") {
  auto keys = empty_keys(RepeatedKeys::Keys::bytes, 1 << 20, 20, 5);
  for (std::int64_t row = 0; row < 5000; ++row)
    add(keys, RepeatedKeys::Keys::bytes, {std::string(40, 'x') + std::to_string(row), row});
  CHECK(found_in(keys) == Found{});
  auto numbers = empty_keys(RepeatedKeys::Keys::numbers, 1 << 20, 20, 5);
  for (std::int64_t row = 0; row < 5000; ++row)
    REQUIRE(numbers.add(static_cast<std::uint64_t>(row) << 32, row));
  CHECK(found_in(numbers) == Found{});
}

TEST_CASE("what does not fit in memory goes to disk, and the answer is the same") {
  std::mt19937_64 random(7);
  std::vector<Row> rows;
  for (std::int64_t row = 0; row < 200'000; ++row)
    rows.emplace_back(key_of(random() % 150'000), row);
  const Found expected = by_brute_force(rows, 20, 5);
  REQUIRE(expected.count > 1000);
  for (const auto kind : {RepeatedKeys::Keys::numbers, RepeatedKeys::Keys::bytes}) {
    auto large = empty_keys(kind, 64 << 20, 20, 5);
    auto small = empty_keys(kind, 100'000, 20, 5);
    for (const Row& row : rows) {
      add(large, kind, row);
      add(small, kind, row);
    }
    CHECK(found_in(large) == expected);
    CHECK(found_in(small) == expected);
    CHECK(large.passes() == 1);
    CHECK(small.passes() > 1);
  }
}

TEST_CASE("a key longer than a block is kept whole") {
  const std::string long_key(100'000, 'k');
  for (const std::size_t memory : {std::size_t{1} << 20, std::size_t{1000}}) {
    auto keys = empty_keys(RepeatedKeys::Keys::bytes, memory, 20, 5);
    add(keys, RepeatedKeys::Keys::bytes, {long_key, 2});
    add(keys, RepeatedKeys::Keys::bytes, {long_key + "x", 3});
    add(keys, RepeatedKeys::Keys::bytes, {long_key, 1});
    REQUIRE(keys.finish());
    REQUIRE(keys.first().size() == 1);
    CHECK(keys.first()[0].row == 2);
    CHECK(keys.first()[0].first_row == 1);
    CHECK(keys.first()[0].key == long_key);
  }
}

TEST_CASE("a folder that is not there is an error once something must go to disk") {
  RepeatedKeys keys(RepeatedKeys::Keys::numbers, 1000, "/there/is/no/such/folder",
                    OffendingRows(1, ""), 1);
  Status status;
  for (std::int64_t row = 0; row < 100'000 && status; ++row)
    status = keys.add(static_cast<std::uint64_t>(row), row);
  REQUIRE(!status);
  CHECK(status.error().code == Code::no_such_file);
}

TEST_CASE("shards in any order, with any memory, find what one pass finds") {
  CHECK(rc::check("repeated keys are a function of the set of rows", [] {
    const auto kind = *rc::gen::element(RepeatedKeys::Keys::numbers, RepeatedKeys::Keys::bytes);
    const auto numbers =
        *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 300));
    const auto shards = *rc::gen::inRange<std::size_t>(1, 6);
    const auto memory = *rc::gen::element<std::size_t>(0, 500, 20'000, 1 << 20);
    const auto sample = *rc::gen::inRange<std::size_t>(0, 6);
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    std::vector<Row> rows;
    for (const auto number : numbers)
      rows.emplace_back(kind == RepeatedKeys::Keys::numbers
                            ? key_of(number)
                            : std::string(number % 50, 'k') + std::to_string(number),
                        static_cast<std::int64_t>(3 * rows.size()));
    const Found expected = by_brute_force(rows, sample, sample);
    std::shuffle(rows.begin(), rows.end(), random);
    std::vector<RepeatedKeys> parts;
    for (std::size_t i = 0; i < shards; ++i)
      parts.push_back(empty_keys(kind, memory, sample, sample));
    for (const Row& row : rows) add(parts[random() % shards], kind, row);
    while (parts.size() > 1) {
      const std::size_t to = random() % (parts.size() - 1);
      RC_ASSERT(parts[to].merge(parts.back()).has_value());
      parts.pop_back();
    }
    RC_ASSERT(found_in(parts[0]) == expected);
  }));
}

}  // namespace
}  // namespace coeval::quality
