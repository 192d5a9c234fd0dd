#include "base/zone_tables.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace coeval {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes embedded() {
  const auto bytes = embedded_zone_tables();
  return {bytes.begin(), bytes.end()};
}

TEST_CASE("the tables of this program open, and every file in them is a TZif file") {
  const auto tables = ZoneTables::open(embedded_zone_tables()).value();
  CHECK(tables.size() > 400);
  std::set<const std::uint8_t*> files;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const auto file = tables.file(i);
    REQUIRE(file.size() > 44);
    CHECK(std::string(file.begin(), file.begin() + 4) == "TZif");
    CHECK(tables.find(tables.name(i)) == i);
    files.insert(file.data());
  }
  CHECK(files.size() < tables.size());  // aliases share
  CHECK(embedded_zone_tables().size() < 500'000);
}

TEST_CASE("tables that are cut off are refused at every length") {
  const Bytes whole = embedded();
  const std::size_t directory = 8 + 8 + 4 + 16 * ZoneTables::open(whole).value().size();
  for (std::size_t size = 0; size < whole.size(); size += size < directory ? 1 : 1009)
    REQUIRE_FALSE(ZoneTables::open(std::span(whole).first(size)));
  REQUIRE_FALSE(ZoneTables::open(std::span(whole).first(whole.size() - 1)));
}

TEST_CASE("names that do not ascend are refused, for find() would miss them") {
  Bytes bytes = embedded();
  const auto first = bytes.begin() + 8 + 8 + 4, second = first + 16;
  std::swap_ranges(first, second, second);
  const auto tables = ZoneTables::open(bytes);
  REQUIRE_FALSE(tables);
  CHECK(tables.error().message ==
        "the packed time zone tables are damaged: the names do not ascend");
}

TEST_CASE("a damaged directory is refused or read, and never leads outside") {
  const Bytes whole = embedded();
  const std::size_t count = ZoneTables::open(whole).value().size();
  std::size_t refused = 0;
  for (std::size_t byte = 0; byte < 8 + 8 + 4 + 16 * count; byte += 3) {
    Bytes damaged = whole;
    damaged[byte] ^= static_cast<std::uint8_t>(1U << byte % 8);
    const auto tables = ZoneTables::open(damaged);
    if (!tables) {
      ++refused;
      continue;
    }
    for (std::size_t i = 0; i < tables->size(); ++i) {
      const auto file = tables->file(i);
      REQUIRE(file.data() >= damaged.data());
      REQUIRE(file.data() + file.size() <= damaged.data() + damaged.size());
    }
    static_cast<void>(tables->nearest("Berlin"));
  }
  CHECK(refused > count / 4);
}

}  // namespace
}  // namespace coeval
