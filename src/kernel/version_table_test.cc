#include "kernel/version_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace coeval::kernel {
namespace {

struct Row {
  std::int64_t time = 0, known = 0;
  std::optional<std::string> key;
  std::optional<std::int64_t> value;
};

data::Schema value_schema() { return {{{"plane.seats", data::Type::int64, true}}}; }

// Columns of rows: keys, times, values.
struct Columns {
  explicit Columns(const std::vector<Row>& rows) {
    data::ColumnBuilder keys(data::Type::string), numbers(data::Type::int64);
    for (const Row& row : rows) {
      row.key ? keys.append_string(*row.key) : keys.append_null();
      row.value ? numbers.append_integer(*row.value) : numbers.append_null();
      time.push_back(row.time);
      known.push_back(row.known);
      order.push_back(static_cast<std::int64_t>(order.size()));
    }
    key = keys.finish();
    values = {value_schema(), {numbers.finish()}, static_cast<std::int64_t>(rows.size())};
  }
  data::Column key;
  data::Batch values;
  std::vector<std::int64_t> time, known, order;
};

void add(VersionTable& table, const std::vector<Row>& rows) {
  const Columns columns(rows);
  const data::Column* keys[] = {&columns.key};
  table.add(keys, columns.values, columns.time, columns.known, columns.order);
}

std::vector<std::optional<std::int64_t>> found(const VersionTable& table,
                                               const std::vector<Row>& events) {
  const Columns columns(events);
  const data::Column* keys[] = {&columns.key};
  const auto answers = table.find(keys, columns.time, columns.known);
  REQUIRE(answers.size() == 1);
  std::vector<std::optional<std::int64_t>> out;
  for (std::int64_t row = 0; row < answers[0].size(); ++row)
    out.push_back(answers[0].is_null(row) ? std::nullopt : std::optional(answers[0].integer(row)));
  return out;
}

// Looks at every row, in position order.
std::optional<std::int64_t> by_the_book(const std::vector<Row>& rows, const Row& event) {
  const Row* newest = nullptr;
  for (const Row& row : rows)
    if (event.key && row.key == event.key && row.time < event.time && row.known < event.known &&
        (newest == nullptr || row.time >= newest->time))
      newest = &row;
  return newest == nullptr ? std::nullopt : newest->value;
}

std::string bytes_of(const VersionTable& table) {
  std::string bytes;
  table.serialize(bytes);
  return bytes;
}

TEST_CASE("an event reads the newest row valid and known before it") {
  VersionTable table(value_schema());
  add(table, {{10, 10, "a", 1}, {20, 50, "a", 2}, {10, 60, "a", 3}, {5, 70, "a", std::nullopt}});
  const std::vector<Row> events = {{10, 100, "a", {}}, {11, 10, "a", {}}, {11, 11, "a", {}},
                                   {21, 50, "a", {}},  {21, 51, "a", {}}, {20, 90, "a", {}},
                                   {11, 61, "a", {}},  {6, 71, "a", {}},  {30, 90, "b", {}},
                                   {30, 90, {}, {}},   {30, 90, "a", {}}};
  using Values = std::vector<std::optional<std::int64_t>>;
  CHECK(found(table, events) == Values{{}, {}, 1, 1, 2, 3, 3, {}, {}, {}, 2});
}

TEST_CASE("whatever the batches, it is the row that a scan finds, and the bytes are the same") {
  std::mt19937_64 random(7);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  const auto draw = [&](std::int64_t known) {
    Row row{below(40), known, std::nullopt, std::nullopt};
    if (below(10) > 0) row.key = std::string(1, static_cast<char>('a' + below(4)));
    if (below(5) > 0) row.value = below(100);
    return row;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<Row> rows, events;
    std::int64_t known = 0;
    for (int i = 0; i < 60; ++i) rows.push_back(draw(known += below(3)));
    for (int i = 0; i < 60; ++i) events.push_back(draw(below(known + 3)));
    VersionTable whole(value_schema()), parts(value_schema());
    add(whole, rows);
    for (std::size_t begin = 0; begin < rows.size();) {
      const std::size_t end = std::min(rows.size(), begin + 1 + random() % 9);
      add(parts, {rows.begin() + static_cast<std::ptrdiff_t>(begin),
                  rows.begin() + static_cast<std::ptrdiff_t>(end)});
      begin = end;
    }
    std::vector<std::optional<std::int64_t>> expected;
    for (const Row& event : events) expected.push_back(by_the_book(rows, event));
    REQUIRE(found(whole, events) == expected);
    REQUIRE(found(parts, events) == expected);
    const std::string bytes = bytes_of(whole);
    REQUIRE(bytes_of(parts) == bytes);
    VersionTable restored(value_schema());
    std::string_view rest = bytes;
    REQUIRE(restored.restore(rest));
    REQUIRE(rest.empty());
    REQUIRE(found(restored, events) == expected);
    REQUIRE(bytes_of(restored) == bytes);
  }
}

TEST_CASE("bytes that are cut short or changed are refused or mean what they say") {
  VersionTable table(value_schema());
  add(table, {{10, 10, "a", 1}, {20, 50, "b", 2}, {30, 60, "a", 3}});
  const std::string bytes = bytes_of(table);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    VersionTable cut(value_schema());
    std::string_view rest(bytes.data(), size);
    CHECK_FALSE(cut.restore(rest));
    CHECK(cut.size() == 0);
  }
  for (std::size_t at = 0; at < bytes.size(); ++at)
    for (const char flip : {'\x01', '\x40', '\xFF'}) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      VersionTable other(value_schema());
      std::string_view rest = changed;
      if (!other.restore(rest)) continue;
      std::string back;
      other.serialize(back);
      CHECK(back == changed.substr(0, changed.size() - rest.size()));
    }
}

}  // namespace
}  // namespace coeval::kernel
