#include "exact/frequent_values.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace coeval::exact {
namespace {

template <class Key>
std::string bytes_of(const FrequentValues<Key>& values) {
  std::string bytes;
  values.append_bytes(bytes);
  return bytes;
}

template <class Key>
FrequentValues<Key> frequent(const std::vector<Key>& keys) {
  FrequentValues<Key> values;
  for (const Key key : keys) values.add(key);
  return values;
}

// By count descending, then by value ascending.
std::vector<ValueCount<std::int64_t>> brute_force(const std::vector<std::int64_t>& keys) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const std::int64_t key : keys) ++counts[key];
  std::vector<ValueCount<std::int64_t>> all;
  for (const auto& [key, count] : counts) all.push_back({key, count});
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.count > b.count; });
  return all;
}

TEST_CASE("the most frequent values are exact up to the cap, ties in order") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::int64_t> keys;
    const auto kinds = 1 + random() % 1024, size = 1 + random() % 3000;
    while (keys.size() < size) keys.push_back(static_cast<std::int64_t>(random() % kinds) - 100);
    const auto values = frequent(keys);
    auto expected = brute_force(keys);
    CHECK(values.mode() == expected.front());
    expected.resize(std::min<std::size_t>(expected.size(), 10));
    CHECK(values.top_k(10) == expected);
    CHECK_FALSE(values.is_approximate());
    CHECK(values.count() == static_cast<std::int64_t>(size));
  }
  CHECK_FALSE(FrequentValues<std::int64_t>().mode());
  CHECK(frequent(std::vector<std::int64_t>{3, 2, 2, 3, 1}).mode()->value == 2);
  CHECK(frequent(std::vector<std::int64_t>{3, 2}).top_k(0).empty());
}

TEST_CASE("ties are settled by the order that the caller gives") {
  const std::map<Key128, std::string> names = {
      {{1, 0}, "pear"}, {{2, 0}, "apple"}, {{3, 0}, "fig"}};
  FrequentValues<Key128> values;
  for (const auto& [key, name] : names) values.add(key);
  const auto by_name = [&](const Key128& a, const Key128& b) { return names.at(a) < names.at(b); };
  CHECK(names.at(values.mode(by_name)->value) == "apple");
  const auto all = values.top_k(3, by_name);
  REQUIRE(all.size() == 3);
  CHECK(names.at(all[1].value) == "fig");
  CHECK(names.at(all[2].value) == "pear");
}

// Values 1, 2, 3 … with frequencies falling as 1 / rank^s, over many distinct ones.
std::vector<std::int64_t> zipf(std::mt19937_64& random, int size, int kinds, double s) {
  std::vector<double> weights;
  for (int rank = 1; rank <= kinds; ++rank) weights.push_back(std::pow(rank, -s));
  std::discrete_distribution<int> draw(weights.begin(), weights.end());
  std::vector<std::int64_t> keys;
  for (int i = 0; i < size; ++i) keys.push_back(draw(random) * 1'000'003LL - 5);
  return keys;
}

TEST_CASE(
    "above the cap counts told are never too small, and hardly ever too large by 1 % of all") {
  std::mt19937_64 random(2);
  int told = 0, too_large = 0;
  for (const double s : {0.8, 1.0, 1.3})
    for (int round = 0; round < 5; ++round) {
      const auto keys = zipf(random, 30'000, 20'000, s);
      const auto values = frequent(keys);
      REQUIRE(values.is_approximate());
      const auto truth = brute_force(keys);
      std::map<std::int64_t, std::int64_t> counts;
      for (const auto& entry : truth) counts[entry.value] = entry.count;
      for (const auto& entry : values.top_k(20)) {
        CHECK(counts.contains(entry.value));
        CHECK(entry.count >= counts[entry.value]);
        ++told;
        if (entry.count - counts[entry.value] > 300) ++too_large;
      }
      // Values that lead by 1 % of all are in their places.
      const auto listed = values.top_k(20);
      for (std::size_t i = 0; i < 20 && truth[i].count - truth[i + 1].count > 300; ++i) {
        REQUIRE(listed.size() > i);
        CHECK(listed[i].value == truth[i].value);
      }
      CHECK(values.mode()->value == truth.front().value);
    }
  CHECK(told >= 60);
  CHECK(too_large <= 3);
}

TEST_CASE("where no value stands out none is told, and none that never occurred") {
  for (const int distinct : {1025, 1100, 5000})
    for (const int times : {1, 3}) {
      FrequentValues<std::int64_t> values;
      for (int i = 0; i < distinct; ++i) values.add(i, times);
      CHECK_FALSE(values.mode());
      CHECK(values.top_k(5).empty());
      values.add(77, distinct * times / 3);
      values.add(-3, distinct * times / 5);
      const auto found = values.top_k(5);
      REQUIRE(found.size() == 2);
      CHECK(found[0].value == 77);
      CHECK(found[1].value == -3);
    }
}

TEST_CASE("a value of one in a hundred is found among a hundred thousand others") {
  std::mt19937_64 random(3);
  for (int round = 0; round < 10; ++round) {
    FrequentValues<std::int64_t> numbers;
    FrequentValues<Key128> strings;
    const auto planted = static_cast<std::int64_t>(random());
    const Key128 planted_string{random(), random()};
    for (int i = 0; i < 100'000; ++i) {
      numbers.add(static_cast<std::int64_t>(random()));
      strings.add({random(), random()});
    }
    numbers.add(planted, 1000);
    strings.add(planted_string, 1000);
    CHECK(numbers.mode()->value == planted);
    CHECK(strings.mode()->value == planted_string);
    CHECK(numbers.mode()->count >= 1000);
    CHECK(numbers.mode()->count < 1000 + 1010);
  }
}

TEST_CASE("the state is that of the multiset, whatever the order and the parts") {
  std::mt19937_64 random(4);
  for (const int kinds : {1, 10, 1000, 1024, 1025, 1100, 5000}) {
    std::vector<std::int64_t> keys;
    for (int i = 0; i < kinds; ++i) {
      const auto key = static_cast<std::int64_t>(random() >> 20);
      keys.insert(keys.end(), 1 + random() % 3, key);
    }
    const auto whole = frequent(keys);
    for (int round = 0; round < 5; ++round) {
      std::shuffle(keys.begin(), keys.end(), random);
      std::vector<FrequentValues<std::int64_t>> parts(1 + random() % 4);
      for (const std::int64_t key : keys) parts[random() % parts.size()].add(key);
      FrequentValues<std::int64_t> merged;
      for (const auto& part : parts) merged.merge(part);
      CHECK(bytes_of(merged) == bytes_of(whole));
      CHECK(merged.count() == whole.count());
      CHECK(merged.top_k(30) == whole.top_k(30));
      CHECK(merged.is_approximate() == (kinds > 1024));
    }
  }
}

TEST_CASE("values added several times at once, emptied and merged with themselves") {
  FrequentValues<std::int64_t> values;
  for (const int size : {3, 3000, 40}) {
    values.clear();
    FrequentValues<std::int64_t> one_by_one;
    for (int i = 0; i < size; ++i) {
      values.add(i * i, 2);
      one_by_one.add(i * i);
    }
    one_by_one.merge(one_by_one);
    CHECK(bytes_of(values) == bytes_of(one_by_one));
    CHECK(values.count() == one_by_one.count());
  }
}

TEST_CASE("bytes of frequent values read back, and others do not") {
  for (const int kinds : {0, 1, 300, 1024, 1025}) {
    FrequentValues<std::int64_t> values;
    for (int i = 0; i < kinds; ++i) values.add(i * 77 - 5, 1 + i % 200);
    const std::string bytes = bytes_of(values), longer = bytes + "rest";
    std::string_view reader = longer;
    FrequentValues<std::int64_t> read;
    REQUIRE(read.read_bytes(reader));
    CHECK(reader == "rest");
    CHECK(bytes_of(read) == bytes);
    CHECK(read.count() == values.count());
    CHECK(read.top_k(5) == values.top_k(5));
    for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 50) {
      std::string_view part = std::string_view(bytes).substr(0, cut);
      CHECK_FALSE(read.read_bytes(part));
    }
    if (kinds <= 1024) continue;
    // One more in a row than in the others.
    std::string uneven = bytes;
    const std::size_t at = uneven.rfind('\0');
    REQUIRE(at != std::string::npos);
    uneven[at] = 1;
    reader = uneven;
    CHECK_FALSE(read.read_bytes(reader));
  }
}

}  // namespace
}  // namespace coeval::exact
