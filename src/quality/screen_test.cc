#include <doctest/doctest.h>

#include "quality/checks.h"

namespace coeval::quality {
namespace {

using data::Batch;
using data::Column;
using data::Type;

define::Source flights() {
  define::Source source;
  source.name = "flights";
  const auto add = [&source](const char* name, Type type) -> define::SourceColumn& {
    source.schema.fields.push_back({name, type, false});
    source.columns.push_back({});
    source.columns.back().name = name;
    source.columns.back().type = type;
    return source.columns.back();
  };
  add("date", Type::timestamp);
  auto& delay = add("delay", Type::int32);
  delay.min = data::Value(std::int64_t{-120});
  delay.max = data::Value(std::int64_t{3000});
  auto& distance = add("distance", Type::int32);
  distance.min = data::Value(std::int64_t{0});
  distance.max = data::Value(std::int64_t{6000});
  add("origin", Type::string).pattern = "[A-Z0-9]{3}";
  add("destination", Type::string).pattern = "[A-Z0-9]{3}";
  return source;
}

template <class T>
Column numbers(Type type, std::int64_t rows, T value) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(rows) * sizeof(T));
  auto* values = reinterpret_cast<T*>(bytes.data());
  for (std::int64_t row = 0; row < rows; ++row) values[row] = value;
  return Column::fixed(type, std::move(bytes), {}, rows);
}

Batch good_rows(std::int64_t rows) {
  const auto airports = std::make_shared<Column>(Column::strings({0, 3, 6}, "ORDJFK", {}));
  std::vector<std::int32_t> codes(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int32_t>(i % 2);
  Batch batch{flights().schema, {}, rows};
  batch.columns.push_back(numbers<std::int64_t>(Type::timestamp, rows, 991353600000000));
  batch.columns.push_back(numbers<std::int32_t>(Type::int32, rows, 15));
  batch.columns.push_back(numbers<std::int32_t>(Type::int32, rows, 1000));
  batch.columns.push_back(Column::coded(codes, airports, {}));
  batch.columns.push_back(Column::coded(codes, airports, {}));
  return batch;
}

std::unique_ptr<RowChecks> compiled() { return std::move(*RowChecks::compile(flights())); }

TEST_CASE("a batch without bad rows comes back as it is, uncopied") {
  const Batch batch = good_rows(1000);
  const Screened screened = screen(*compiled(), flights(), batch, "a.parquet", 0);
  CHECK(screened.quarantined.empty());
  REQUIRE(screened.accepted_rows.size() == 1000);
  CHECK(screened.accepted_rows.back() == 999);
  for (std::size_t i = 0; i < batch.columns.size(); ++i)
    CHECK(screened.accepted.columns[i].values_data() == batch.columns[i].values_data());
}

TEST_CASE("bad rows are taken out with raw content, place and every reason") {
  Batch batch = good_rows(6);
  std::vector<std::byte> bytes(6 * 4);
  auto* delays = reinterpret_cast<std::int32_t*>(bytes.data());
  for (int i = 0; i < 6; ++i) delays[i] = i;
  delays[0] = -185;
  delays[4] = 4000;
  batch.columns[1] = Column::fixed(Type::int32, bytes, {}, 6);
  const Screened screened = screen(*compiled(), flights(), batch, "a.parquet", 1'000'000);
  CHECK(screened.accepted_rows == std::vector<std::int64_t>{1, 2, 3, 5});
  CHECK(screened.accepted.rows == 4);
  CHECK(screened.accepted.columns[1].integer(3) == 5);
  CHECK(screened.accepted.columns[3].string(3) == "JFK");
  REQUIRE(screened.quarantined.size() == 2);
  const QuarantinedRow& second = screened.quarantined[1];
  CHECK(second.source == "flights");
  CHECK(second.origin == "a.parquet");
  CHECK(second.row == 1'000'004);
  CHECK(second.rules == std::vector<std::string>{"delay.max"});
  CHECK(second.reason == "delay must be at most 3000, found 4000");
  CHECK(
      second.raw ==
      R"({"date":"2001-06-01T00:00:00Z","delay":4000,"distance":1000,"origin":"ORD","destination":"ORD"})");
  const Conservation counts{6, static_cast<std::int64_t>(screened.accepted_rows.size()),
                            static_cast<std::int64_t>(screened.quarantined.size()), 0};
  CHECK(counts.holds());
}

TEST_CASE("a batch of only bad rows and one of none pass") {
  Batch bad = good_rows(3);
  bad.columns[2] = numbers<std::int32_t>(Type::int32, 3, -1);
  const Screened all = screen(*compiled(), flights(), bad, "", 0);
  CHECK(all.accepted.rows == 0);
  CHECK(all.quarantined.size() == 3);
  CHECK(screen(*compiled(), flights(), good_rows(0), "", 0).accepted.rows == 0);
}

TEST_CASE("counts that do not add up do not hold") {
  CHECK(Conservation{10, 7, 2, 1}.holds());
  CHECK_FALSE(Conservation{10, 7, 2, 0}.holds());
}

}  // namespace
}  // namespace coeval::quality
