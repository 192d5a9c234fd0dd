#include "kernel/key_table.h"

#include <doctest/doctest.h>

#include <cstring>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data/column.h"

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

// Values with their numbers, first come, first numbered.
struct Numbered {
  std::unordered_map<std::int64_t, std::int32_t> numbers;

  std::int32_t add(std::int64_t value) {
    return numbers.try_emplace(value, static_cast<std::int32_t>(numbers.size())).first->second;
  }
};

data::Column column_of(data::Type type, const std::vector<std::optional<std::int64_t>>& values) {
  data::ColumnBuilder builder(type);
  for (const auto& value : values) value ? builder.append_integer(*value) : builder.append_null();
  return builder.finish();
}

// As WorkerPool might, at worst.
void run_backwards(std::size_t parts, const std::function<void(std::size_t)>& part) {
  for (std::size_t i = parts; i-- > 0;) part(i);
}

TEST_CASE("rows of integers get the numbers that their keys get one by one, in the order of rows") {
  std::mt19937_64 random(4);
  for (const data::Type type : {data::Type::int64, data::Type::int32, data::Type::timestamp}) {
    KeyTable table;
    Numbered expected;
    // Ranges of rows are some 131,072; few, many and ever new values; some that are close in any
    // table, and the ends of the type.
    for (const auto& [rows, distinct] :
         {std::pair<int, std::uint64_t>{5, 3}, {100, 20}, {300'000, 1'000}, {300'000, 1u << 30}}) {
      const std::uint64_t step = random() % 2 == 0 ? 1 : 65'536;
      std::vector<std::optional<std::int64_t>> values;
      for (int i = 0; i < rows; ++i) {
        const std::uint64_t drawn = random() % distinct * step;
        std::int64_t value = static_cast<std::int64_t>(drawn) - 7;
        if (type == data::Type::int32) value = static_cast<std::int32_t>(value);
        if (random() % 50 == 0) value = type == data::Type::int32 ? INT32_MIN : INT64_MIN;
        if (random() % 50 == 0) value = type == data::Type::int32 ? INT32_MAX : INT64_MAX;
        values.emplace_back(value);
        if (random() % 30 == 0) values.back().reset();
      }
      const data::Column column = column_of(type, values);
      const data::Column* columns[] = {&column};
      // Before they have numbers.
      std::vector<std::string> unknown;
      const auto found = table.find_rows(columns, rows, unknown, run_backwards);
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (!values[i]) {
          REQUIRE(found[i] == KeyTable::kNull);
        } else if (const auto known = expected.numbers.find(*values[i]);
                   known != expected.numbers.end()) {
          REQUIRE(found[i] == known->second);
        } else {
          REQUIRE(found[i] < KeyTable::kNull);
          const std::string& key = unknown.at(KeyTable::unknown_index(found[i]));
          std::int64_t value = 0;
          REQUIRE(key.size() == sizeof value);
          std::memcpy(&value, key.data(), sizeof value);
          REQUIRE(value == *values[i]);
        }
      }
      const auto numbers = table.intern_rows(columns, rows, run_backwards);
      REQUIRE(numbers.size() == values.size());
      for (std::size_t i = 0; i < values.size(); ++i)
        REQUIRE(numbers[i] == (values[i] ? expected.add(*values[i]) : KeyTable::kNull));
      REQUIRE(table.size() == static_cast<std::int32_t>(expected.numbers.size()));
      unknown.clear();
      REQUIRE(table.find_rows(columns, rows, unknown) == numbers);
      REQUIRE(unknown.empty());
    }
  }
}

}  // namespace
}  // namespace coeval::kernel
