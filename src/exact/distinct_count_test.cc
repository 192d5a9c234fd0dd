#include "exact/distinct_count.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <set>
#include <vector>

namespace coeval::exact {
namespace {

template <class Key>
std::string bytes_of(const DistinctCount<Key>& values) {
  std::string bytes;
  values.append_bytes(bytes);
  return bytes;
}

template <class Key>
DistinctCount<Key> distinct(const std::vector<Key>& keys, std::size_t cap = kDefaultCap) {
  DistinctCount<Key> values(cap);
  for (const Key key : keys) values.add(key);
  return values;
}

TEST_CASE("the mixing of keys is SplitMix64's, and one to one") {
  // The first outputs of SplitMix64 from seed 0, as published with it.
  constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
  CHECK(mix(kStep) == 0xE220A8397B1DCDAF);
  CHECK(mix(2 * kStep) == 0x6E789E6AA1B965F4);
  CHECK(mix(3 * kStep) == 0x06C45D188009454F);
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t x = random() >> random() % 64;
    CHECK(unmix(mix(x)) == x);
    const Key128 key{random() >> random() % 64, x};
    CHECK(KeyForm<Key128>::unmixed(KeyForm<Key128>::mixed(key)) == key);
  }
}

TEST_CASE("the number of distinct values is exact up to the cap") {
  std::mt19937_64 random(2);
  for (int round = 0; round < 100; ++round) {
    const std::uint64_t kinds = 1 + random() % 1024;
    std::set<std::int64_t> seen;
    DistinctCount<std::int64_t> values;
    CHECK(values.count() == 0);
    for (int i = 0; i < 2000; ++i) {
      const auto key = static_cast<std::int64_t>(random() % kinds) - 300;
      seen.insert(key);
      values.add(key);
    }
    CHECK(values.count() == static_cast<std::int64_t>(seen.size()));
    CHECK_FALSE(values.is_approximate());
  }
}

TEST_CASE("one value above the cap makes it approximate, and a repeated one does not") {
  DistinctCount<std::int64_t> values;
  for (std::int64_t key = 0; key < 1024; ++key) values.add(key);
  for (std::int64_t key = 0; key < 1024; ++key) values.add(key);
  CHECK(values.count() == 1024);
  CHECK_FALSE(values.is_approximate());
  values.add(1024);
  CHECK(values.is_approximate());
  CHECK(values.count() > 1024);
}

// Kinds of keys as they occur: counters, multiples, float64, hashes in one half.
std::vector<std::vector<std::int64_t>> key_families(std::int64_t size) {
  std::vector<std::vector<std::int64_t>> families(5);
  std::mt19937_64 random(3);
  for (std::int64_t i = 0; i < size; ++i) {
    families[0].push_back(i);
    families[1].push_back(i << 32);
    families[2].push_back(-1000 * i);
    families[3].push_back(std::bit_cast<std::int64_t>(0.01 * static_cast<double>(i)));
    families[4].push_back(static_cast<std::int64_t>(random()));
  }
  return families;
}

TEST_CASE("estimates are within four standard errors, whatever the keys") {
  for (const std::int64_t size : {1025, 3000, 10'000, 40'000, 100'000, 1'000'000})
    for (const auto& family : key_families(size)) {
      const auto estimated = static_cast<double>(distinct(family).count());
      CHECK(std::fabs(estimated / static_cast<double>(size) - 1) < 4 * 0.0082);
    }
  std::vector<Key128> high, low;
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    high.push_back({i, 7});
    low.push_back({7, i << 40});
  }
  CHECK(std::fabs(static_cast<double>(distinct(high).count()) / 50'000 - 1) < 4 * 0.0082);
  CHECK(std::fabs(static_cast<double>(distinct(low).count()) / 50'000 - 1) < 4 * 0.0082);
}

TEST_CASE("the standard error is the stated one") {
  std::mt19937_64 random(4);
  double squares = 0, sum = 0;
  constexpr int kTrials = 200, kSize = 60'000;
  for (int trial = 0; trial < kTrials; ++trial) {
    DistinctCount<std::int64_t> values(16);
    for (int i = 0; i < kSize; ++i) values.add(static_cast<std::int64_t>(random()));
    const double error = static_cast<double>(values.count()) / kSize - 1;
    squares += error * error;
    sum += error;
  }
  // 1.04 / 2^7 = 0.81 %; the root of 200 squares is within 20 % of it, the mean within 0.2 %.
  CHECK(std::sqrt(squares / kTrials) < 1.2 * 0.00813);
  CHECK(std::fabs(sum / kTrials) < 0.002);
}

TEST_CASE("the state is that of the set, whatever the order, the repetitions and the parts") {
  std::mt19937_64 random(5);
  for (const int size : {0, 10, 1000, 1024, 1025, 1100, 5000}) {
    std::vector<std::int64_t> keys;
    for (int i = 0; i < size; ++i) keys.push_back(static_cast<std::int64_t>(random()));
    const auto whole = distinct(keys);
    for (int round = 0; round < 10; ++round) {
      std::shuffle(keys.begin(), keys.end(), random);
      std::vector<DistinctCount<std::int64_t>> parts(1 + random() % 4);
      for (const std::int64_t key : keys) {
        parts[random() % parts.size()].add(key);
        parts[random() % parts.size()].add(key);
      }
      DistinctCount<std::int64_t> merged;
      for (const auto& part : parts) merged.merge(part);
      merged.merge(merged);
      CHECK(bytes_of(merged) == bytes_of(whole));
      CHECK(merged.count() == whole.count());
      CHECK(merged.is_approximate() == (size > 1024));
    }
  }
}

TEST_CASE("an emptied counter is as good as new") {
  DistinctCount<std::int64_t> values;
  for (const int size : {5, 2000, 100, 1024, 3}) {
    values.clear();
    DistinctCount<std::int64_t> fresh;
    for (int i = 0; i < size; ++i) {
      values.add(i);
      fresh.add(i);
    }
    CHECK(bytes_of(values) == bytes_of(fresh));
    CHECK(values.count() == fresh.count());
  }
}

TEST_CASE("bytes of distinct counts read back, and others do not") {
  for (const int size : {0, 1, 300, 1024, 1025}) {
    DistinctCount<std::int64_t> values;
    for (int i = 0; i < size; ++i) values.add(i * 77 - 5);
    const std::string bytes = bytes_of(values), longer = bytes + "rest";
    std::string_view reader = longer;
    DistinctCount<std::int64_t> read;
    REQUIRE(read.read_bytes(reader));
    CHECK(reader == "rest");
    CHECK(bytes_of(read) == bytes);
    read.add(-1);
    values.add(-1);
    CHECK(bytes_of(read) == bytes_of(values));
    for (std::size_t cut = 0; cut < bytes.size(); cut += 1 + bytes.size() / 100) {
      std::string_view part = std::string_view(bytes).substr(0, cut);
      CHECK_FALSE(read.read_bytes(part));
    }
  }
  DistinctCount<std::int64_t> small(2);
  small.add(1);
  small.add(2);
  const std::string bytes = bytes_of(small);
  std::string descending = bytes;
  std::swap(descending[2], descending[11]);
  std::string counted = bytes;
  counted[10] = 2;
  std::string_view reader = descending;
  CHECK_FALSE(small.read_bytes(reader));
  reader = counted;
  CHECK_FALSE(small.read_bytes(reader));
  reader = bytes;
  DistinctCount<std::int64_t> smaller(1);
  CHECK_FALSE(smaller.read_bytes(reader));
  const std::string ranks = "\x01" + std::string(16384, '\x34');  // 52 is no rank
  reader = ranks;
  CHECK_FALSE(small.read_bytes(reader));
}

}  // namespace
}  // namespace coeval::exact
