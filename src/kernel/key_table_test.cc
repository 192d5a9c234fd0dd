#include "kernel/key_table.h"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <unordered_map>

namespace coeval::kernel {
namespace {

TEST_CASE("keys keep their numbers, whether all have one length or not") {
  std::mt19937_64 random(3);
  for (const bool one_length : {true, false}) {
    KeyTable table;
    std::unordered_map<std::string, std::int32_t> expected;
    for (int i = 0; i < 20'000; ++i) {
      std::string key = std::to_string(100'000 + random() % 5'000);
      if (!one_length && i > 500) key.resize(random() % 9, 'x');
      const auto [place, fresh] =
          expected.try_emplace(key, static_cast<std::int32_t>(expected.size()));
      CHECK(table.find(key) == (fresh ? KeyTable::kNull : place->second));
      REQUIRE(table.intern(key) == place->second);
    }
    REQUIRE(table.size() == static_cast<std::int32_t>(expected.size()));
    for (const auto& [key, number] : expected) {
      REQUIRE(table.key(number) == key);
      REQUIRE(table.find(key) == number);
    }
  }
}

TEST_CASE("the newest key can be forgotten") {
  for (const std::string second : {"bb", "b"}) {
    KeyTable table;
    CHECK(table.intern("aa") == 0);
    CHECK(table.intern(second) == 1);
    CHECK(table.key_bytes() == 2 + second.size());
    table.forget_last();
    CHECK(table.size() == 1);
    CHECK(table.key_bytes() == 2);
    CHECK(table.find(second) == KeyTable::kNull);
    CHECK(table.find("aa") == 0);
    CHECK(table.intern("c") == 1);
    CHECK(table.key(1) == "c");
    CHECK(table.key(0) == "aa");
    table.forget_last();
    table.forget_last();
    CHECK(table.intern("ddd") == 0);
    CHECK(table.key(0) == "ddd");
  }
}

TEST_CASE("the key of no columns is one key") {
  KeyTable table;
  CHECK(table.find("") == KeyTable::kNull);
  CHECK(table.intern("") == 0);
  CHECK(table.intern("") == 0);
  CHECK(table.intern("a") == 1);
  CHECK(table.key(0).empty());
  CHECK(table.key(1) == "a");
}

}  // namespace
}  // namespace coeval::kernel
