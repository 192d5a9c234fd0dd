#include "exact/register_places.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "exact/key_hash.h"

namespace coeval::exact {
namespace {

TEST_CASE("every loop finds the register and rank that the plain one finds") {
  std::mt19937_64 random(1);
  REQUIRE(all_register_places().size() >= 2);
  std::vector<std::int64_t> keys;
  // Of hashes whose bits behind the register's are mostly 0, so that every rank comes.
  for (int bits = 0; bits <= 50; ++bits)
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t behind = random() & ((std::uint64_t{1} << bits) - 1);
      keys.push_back(static_cast<std::int64_t>(unmix(random() >> 50 << 50 | behind)));
    }
  for (int i = 0; i < 1000; ++i) keys.push_back(static_cast<std::int64_t>(random()));
  for (int i = 0; i < 100; ++i) keys.push_back(i);
  std::shuffle(keys.begin(), keys.end(), random);
  for (const RegisterPlaces& loop : all_register_places()) {
    CAPTURE(loop.name);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, keys.size()}) {
      std::vector<std::uint64_t> expected(size), found(size);
      all_register_places().front().find(keys.data(), size, expected.data());
      loop.find(keys.data(), size, found.data());
      CHECK(found == expected);
    }
  }
}

TEST_CASE("a place is a register and the place of the first bit behind it") {
  const auto place_of = [](std::uint64_t hash) {
    const auto key = static_cast<std::int64_t>(unmix(hash));
    std::uint64_t place = 0;
    quickest_register_places().find(&key, 1, &place);
    return place;
  };
  CHECK(place_of(std::uint64_t{5} << 50 | std::uint64_t{1} << 49) == (5 << 8 | 1));
  CHECK(place_of(std::uint64_t{16383} << 50 | 1) == (16383 << 8 | 50));
  CHECK(place_of(std::uint64_t{3} << 50) == (3 << 8 | 51));
}

}  // namespace
}  // namespace coeval::exact
