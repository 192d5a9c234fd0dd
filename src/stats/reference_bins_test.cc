#include "stats/reference_bins.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace coeval::stats {
namespace {

using data::Column;
using data::ColumnBuilder;
using data::Type;
using Counts = std::vector<std::int64_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                       kMost = std::numeric_limits<std::int64_t>::max();

Column reals(const std::vector<double>& values, int nulls = 0, Type type = Type::float64) {
  ColumnBuilder builder(type);
  for (const double value : values) builder.append_real(value);
  for (int i = 0; i < nulls; ++i) builder.append_null();
  return builder.finish();
}
Column integers(const std::vector<std::int64_t>& values, Type type = Type::int64) {
  ColumnBuilder builder(type);
  for (const std::int64_t value : values) builder.append_integer(value);
  return builder.finish();
}
Column texts(const std::vector<std::string>& values) {
  ColumnBuilder builder(Type::string);
  for (const std::string& value : values)
    value == "null" ? builder.append_null() : builder.append_string(value);
  return builder.finish();
}
Counts counted(const ReferenceBins& bins, const Column& column) {
  Counts counts(bins.size(), 0);
  bins.count(column, counts);
  return counts;
}
Counts of(std::span<const std::int64_t> counts) { return {counts.begin(), counts.end()}; }
ReferenceBins bins_of(const Column& column) {
  auto bins = ReferenceBins::of(column);
  REQUIRE(bins.has_value());
  return *bins;
}
std::vector<std::int64_t> numbers_to(std::int64_t last) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 1; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace

TEST_CASE("a hundred numbers have ten bins of ten, the last with its upper edge") {
  const ReferenceBins bins = bins_of(integers(numbers_to(100)));
  CHECK(bins.kind() == ReferenceBins::Kind::quantiles);
  // null, NaN, −∞, +∞, below, then [1, 11), …, [81, 91), [91, 100], above.
  CHECK(of(bins.counts()) == Counts{0, 0, 0, 0, 0, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 0});
  CHECK(bins.rows() == 100);
  CHECK(bins.label(0) == "null");
  CHECK(bins.label(4) == "below 1");
  CHECK(bins.label(5) == "1 to 11");
  CHECK(bins.label(14) == "91 to 100");
  CHECK(bins.label(15) == "above 100");
  CHECK(counted(bins, integers({0, 1, 10, 11, 90, 91, 100, 101, kLeast, kMost})) ==
        Counts{0, 0, 0, 0, 2, 2, 1, 0, 0, 0, 0, 0, 0, 1, 2, 2});
}

TEST_CASE("floats that are no numbers have bins of their own") {
  std::vector<double> values;
  for (int i = 0; i < 30; ++i) values.push_back(i / 4.0);
  values.insert(values.end(), {NAN, NAN, kInfinity, -kInfinity, -kInfinity, -kInfinity});
  const ReferenceBins bins = bins_of(reals(values, 4));
  CHECK(of(bins.counts()).front() == 4);
  CHECK(bins.counts()[1] == 2);
  CHECK(bins.counts()[2] == 3);
  CHECK(bins.counts()[3] == 1);
  CHECK(bins.rows() == 40);
  const Counts counts = counted(bins, reals({-0.0, -1e-300, 7.25, 7.3, NAN, kInfinity}, 1));
  CHECK(counts.front() == 1);
  CHECK(counts[1] == 1);
  CHECK(counts[3] == 1);
  CHECK(counts[4] == 1);                  // −1e−300 is below 0
  CHECK(counts[5] == 1);                  // −0 is 0
  CHECK(counts[counts.size() - 2] == 1);  // 7.25
  CHECK(counts.back() == 1);              // 7.3
}

TEST_CASE("equal edges are one: a value that is most of a column makes few bins") {
  std::vector<double> values(700, 0.0);
  for (int i = 1; i <= 300; ++i) values.push_back(i);
  const ReferenceBins bins = bins_of(reals(values));
  // Ranks 0 … 600 are 0, then 1, 101, 201, and 300.
  CHECK(of(bins.counts()) == Counts{0, 0, 0, 0, 0, 700, 100, 100, 100, 0});
}

TEST_CASE("up to 20 distinct values have a bin each, and one for what lies between") {
  const ReferenceBins bins = bins_of(integers({5, 3, 3, 9}, Type::int32));
  CHECK(bins.kind() == ReferenceBins::Kind::values);
  CHECK(of(bins.counts()) == Counts{0, 0, 0, 0, 0, 2, 1, 1, 0, 0});
  CHECK(bins.label(5) == "3");
  CHECK(bins.label(8) == "above 9");
  CHECK(bins.label(9) == "another");
  CHECK(counted(bins, integers({2, 3, 4, 5, 9, 10}, Type::int32)) ==
        Counts{0, 0, 0, 0, 1, 1, 1, 1, 1, 1});
  CHECK(of(bins.ordered(bins.counts())) == Counts{0, 2, 1, 1, 0});
  CHECK(bins_of(integers(numbers_to(20))).kind() == ReferenceBins::Kind::values);
  CHECK(bins_of(integers(numbers_to(21))).kind() == ReferenceBins::Kind::quantiles);
}

TEST_CASE("booleans, dates and decimals are told by their own texts") {
  ColumnBuilder builder(Type::boolean);
  for (const bool b : {true, false, true}) builder.append_boolean(b);
  builder.append_null();
  const Column flags = builder.finish();
  const ReferenceBins bins = bins_of(flags);
  CHECK(of(bins.counts()) == Counts{1, 0, 0, 0, 0, 1, 2, 0, 0});
  CHECK(counted(bins, flags) == of(bins.counts()));
  CHECK(bins.label(5) == "false");
  CHECK(bins_of(integers({0, 1}, Type::date)).label(6) == "1970-01-02");
  CHECK(bins_of(integers({125, 250}, data::decimal_type(6, 2))).label(5) == "1.25");
}

TEST_CASE("a reference of nulls alone finds any value another") {
  const ReferenceBins bins = bins_of(reals({}, 3));
  CHECK(of(bins.counts()) == Counts{3, 0, 0, 0, 0, 0, 0});
  CHECK(counted(bins, reals({1, -1}, 1)) == Counts{1, 0, 0, 0, 0, 0, 2});
  CHECK(bins.label(6) == "any value");
}

TEST_CASE("texts: the thirty most frequent, the others that were there, the unseen") {
  std::vector<std::string> values;
  for (int i = 0; i < 40; ++i)
    for (int times = 0; times < 50 - i; ++times) values.push_back("t" + std::to_string(100 + i));
  values.push_back("null");
  const ReferenceBins bins = bins_of(texts(values));
  REQUIRE(bins.size() == 4 + 30 + 2);
  CHECK(bins.counts()[0] == 1);
  CHECK(bins.counts()[4] == 50);
  CHECK(bins.counts()[33] == 21);
  CHECK(bins.counts()[34] == 155);  // 20 + 19 + … + 11
  CHECK(bins.counts()[35] == 0);
  CHECK(bins.label(4) == "'t100'");
  CHECK(bins.label(34) == "other");
  CHECK(bins.label(35) == "unseen");
  CHECK(bins.ordered(bins.counts()).empty());
  CHECK(bins.texts().size() == 40);
  const std::vector<std::string> current{"t100", "t139", "new", "null", "t100", ""};
  Counts expected(36, 0);
  expected[0] = 1;
  expected[4] = 2;
  expected[34] = 1;
  expected[35] = 2;
  CHECK(counted(bins, texts(current)) == expected);
  // Coded columns are counted as plain ones.
  const Column coded =
      Column::coded({0, 2, 1, 0, 0}, std::make_shared<Column>(texts({"t100", "new", "t139"})), {});
  Counts of_coded(36, 0);
  of_coded[4] = 3;
  of_coded[34] = of_coded[35] = 1;
  CHECK(counted(bins, coded) == of_coded);
}

TEST_CASE("what has too many texts, and lists, has no bins") {
  std::vector<std::string> values;
  for (int i = 0; i < 4097; ++i) values.push_back(std::to_string(i));
  CHECK(ReferenceBins::of(texts(values)).error().code == Code::unsupported);
  values.pop_back();
  CHECK(ReferenceBins::of(texts(values)).has_value());
  ColumnBuilder lists(data::list_of(Type::int32));
  CHECK(ReferenceBins::of(lists.finish()).error().code == Code::unsupported);
}

TEST_CASE("every value lands where a plain search puts it, nulls or not, in any shards") {
  std::mt19937_64 random(20261128);
  for (int round = 0; round < 60; ++round) {
    const bool real = round % 2 == 0;
    const int kind = round / 2 % 3;  // few values, many, or the whole range of integers
    const auto value = [&]() -> std::int64_t {
      if (kind == 0) return static_cast<std::int64_t>(random() % 15);
      if (kind == 1) return static_cast<std::int64_t>(random() % 5000) - 2500;
      return static_cast<std::int64_t>(random());
    };
    const Type type = real ? Type::float64 : Type::int64;
    const auto column = [&](std::size_t rows) {
      ColumnBuilder builder(type);
      for (std::size_t i = 0; i < rows; ++i) {
        if (random() % 10 == 0)
          builder.append_null();
        else if (real)
          builder.append_real(static_cast<double>(value()) / 8);
        else
          builder.append_integer(value());
      }
      return builder.finish();
    };
    const ReferenceBins bins = bins_of(column(3000));
    CHECK(bins.rows() == 3000);
    const Column now = column(2500);
    // By the text form alone: edges or values, and a search for each row.
    const data::Json json = bins.to_json();
    const bool quantiles = *json.find("kind")->string() == "quantiles";
    std::vector<long double> at;
    for (const data::Json& edge : *json.find(quantiles ? "edges" : "values")->array())
      at.push_back(real ? static_cast<long double>(*edge.real())
                        : static_cast<long double>(*edge.integer()));
    Counts expected(bins.size(), 0);
    for (std::int64_t row = 0; row < now.size(); ++row) {
      if (now.is_null(row)) {
        ++expected[0];
        continue;
      }
      const long double x = real ? static_cast<long double>(now.real(row))
                                 : static_cast<long double>(now.integer(row));
      std::size_t bin = 0;
      if (x < at.front()) {
        bin = 4;
      } else if (x > at.back()) {
        bin = 4 + at.size() + (quantiles ? 0 : 1);
      } else if (quantiles) {
        bin = 4;
        while (bin - 4 < at.size() - 1 && x >= at[bin - 4]) ++bin;
      } else {
        const auto found = std::find(at.begin(), at.end(), x);
        bin =
            found == at.end() ? bins.size() - 1 : 5 + static_cast<std::size_t>(found - at.begin());
      }
      ++expected[bin];
    }
    CHECK(counted(bins, now) == expected);
    Counts shards(bins.size(), 0);
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < now.size(); ++row) {
      rows.push_back(row);
      if (rows.size() < 1 + random() % 700 && row + 1 < now.size()) continue;
      bins.count(data::take(now, rows), shards);
      rows.clear();
    }
    CHECK(shards == expected);
  }
}

TEST_CASE("bins read back from their text form are the same") {
  const std::vector<Column> columns{reals({1.5, -2.25, 1e300, 5e-324, NAN}, 2),
                                    integers(numbers_to(500)),
                                    integers({kLeast, kMost, 0}),
                                    texts({"a", "b", "a", "\"é\n", "null"}),
                                    reals({0.1, 0.2}, 0, Type::float32),
                                    integers({1, 2}, Type::timestamp),
                                    reals({}, 1)};
  for (const Column& column : columns) {
    const ReferenceBins bins = bins_of(column);
    const auto json = data::parse_json(bins.to_json().dump());
    REQUIRE(json.has_value());
    const auto read = ReferenceBins::from_json(*json);
    REQUIRE(read.has_value());
    CHECK(read->to_json().dump() == bins.to_json().dump());
    CHECK(read->kind() == bins.kind());
    CHECK(read->type() == bins.type());
    CHECK(counted(*read, column) == of(bins.counts()));
  }
}

TEST_CASE("what is no text form of bins is refused") {
  const char* bad[] = {
      "null",
      "[]",
      "{}",
      R"({"kind":"edges","type":"float64","edges":[1.0],"counts":[]})",
      R"({"kind":"quantiles","type":"float64","edges":[],"counts":[0,0,0,0,0]})",
      R"({"kind":"quantiles","type":"float64","edges":[2.0,1.0],"counts":[0,0,0,0,0,0,0]})",
      R"({"kind":"quantiles","type":"float64","edges":[1.0,2.0],"counts":[0,0,0,0,0,0]})",
      R"({"kind":"quantiles","type":"float64","edges":[1.0,2.0],"counts":[0,0,0,0,0,-1,0]})",
      R"({"kind":"quantiles","type":"int64","edges":[1.5,2.5],"counts":[0,0,0,0,0,0,0]})",
      R"({"kind":"values","type":"string","values":[],"counts":[0,0,0,0,0,0,0]})",
      R"({"kind":"texts","type":"int64","texts":[],"nulls":0})",
      R"({"kind":"texts","type":"string","texts":[["a"]],"nulls":0})",
      R"({"kind":"texts","type":"string","texts":[["a",-1]],"nulls":0})",
      R"({"kind":"texts","type":"string","texts":[]})",
      R"({"kind":"quantiles","type":"list<float32>","edges":[1.0,2.0],"counts":[0,0,0,0,0,0,0]})"};
  for (const char* text : bad) {
    CAPTURE(text);
    const auto json = data::parse_json(text);
    REQUIRE(json.has_value());
    CHECK_FALSE(ReferenceBins::from_json(*json).has_value());
  }
}

}  // namespace coeval::stats
