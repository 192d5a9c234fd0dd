// What a profile tells, against numpy, pandas, math.fsum and exact fractions.

#include "quality/profile.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "data/packed_list.h"
#include "stats/distances.h"

namespace coeval::quality {
namespace {

using data::Column;
using data::ColumnBuilder;
using data::Type;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min(),
                       kMost = std::numeric_limits<std::int64_t>::max();

/// 24-bit numbers below 1, the same as in make_expected_profile.py.
class Draws {
 public:
  explicit Draws(std::uint64_t seed) : state_(seed) {}
  double next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state_ >> 40) / (1 << 24);
  }

 private:
  std::uint64_t state_;
};

using Cells = std::vector<std::optional<double>>;

Cells sample(int rows, std::uint64_t seed, int levels, double scale, double offset) {
  Draws draws(seed);
  Cells cells;
  for (int row = 0; row < rows; ++row) {
    const double a = draws.next(), b = draws.next(), c = draws.next();
    double x = a * b;
    if (levels > 0) x = std::floor(x * levels) / levels;
    cells.push_back(c < 1.0 / 16 ? std::nullopt : std::optional(x * scale + offset));
  }
  return cells;
}

Column reals(const Cells& cells, Type type = Type::float64) {
  ColumnBuilder builder(type);
  for (const auto& cell : cells) cell ? builder.append_real(*cell) : builder.append_null();
  return builder.finish();
}
Column integers(const std::vector<std::int64_t>& values, Type type = Type::int64) {
  ColumnBuilder builder(type);
  for (const std::int64_t value : values) builder.append_integer(value);
  return builder.finish();
}
Column texts(const std::vector<std::string>& values) {
  ColumnBuilder builder(Type::string);
  for (const std::string& value : values) builder.append_string(value);
  return builder.finish();
}

ColumnSummary summary_of(const Column& column) {
  ColumnProfile profile(column.type());
  profile.add(column);
  return profile.summary();
}

bool is_near(double ours, double expected, double tolerance) {
  return ours == expected || std::abs(ours - expected) <= tolerance * std::abs(expected);
}

struct Expected {
  int rows;
  std::uint64_t seed;
  int levels;
  double scale, offset;
  std::int64_t facts[4];  // nulls, zeros, negatives, distinct
  double numbers[5];      // min, max, sum, mean, deviation
  double quantiles[9];
  double top_value;
  std::int64_t top_count;
};

// Printed by src/quality/make_expected_profile.py with numpy 2.4.6 and pandas 3.1.1.
constexpr Expected kExpected[] = {
    {1000,
     1,
     0,
     100.0,
     0.0,
     {59, 0, 0, 941},
     {0.003756596051118777, 94.9063961477215, 24623.973626005598, 26.167878454841233,
      22.684710573413618},
     {0.12637242231761547, 0.7252900290154685, 2.401471956882517, 7.41998465218785,
      20.39290528233373, 39.04555736963964, 61.464222427762394, 72.74783505895535,
      87.55467925465526},
     0.003756596051118777,
     1},
    {3000,
     2,
     40,
     1000.0,
     -125.0,
     {195, 142, 1040, 39},
     {-125.0, 825.0, 314800.0, 112.22816399286988, 216.01518938562708},
     {-125.0, -125.0, -125.0, -75.0, 50.0, 250.0, 439.9999999999977, 550.0, 725.0},
     -125.0,
     314},
    {9000,
     3,
     0,
     1000000.0,
     -100000.0,
     {591, 0, 2873, 8409},
     {-99983.67746876227, 882698.2629615344, 1209694775.8287847, 143857.1501758574,
      218079.23392850222},
     {-98550.31793948995, -91811.75399457685, -80477.39941430336, -33366.47546945173,
      77131.73248363391, 276607.9915547067, 470593.3527256633, 593371.2003318474,
      759374.1717332378},
     -99983.67746876227,
     1},
    {20000,
     4,
     0,
     0.001,
     1013.25,
     {1292, 0, 0, 18708},
     {1013.2500000162191, 1013.2509873519492, 18955885.69159796, 1013.2502507803058,
      0.00022097020677133215},
     {1013.2500014116555, 1013.2500083984559, 1013.2500197084145, 1013.2500678538905,
      1013.2501871598872, 1013.2503861434782, 1013.2505901748799, 1013.2506988485532,
      1013.2508610418499},
     1013.2500000162191,
     1},
    {20000,
     5,
     0,
     1000000000000000.0,
     0.0,
     {1307, 0, 0, 18693},
     {581873038.6408788, 991635013673349.1, 4.692040002418879e+18, 251005189237622.6,
      220233953297369.2},
     {1205714756573.1443, 9163117999592.174, 20469590081005.86, 68985057111444.09,
      188360798920484.75, 383101258586080.44, 589951855546220.8, 697203364121015.0,
      860509009612429.9},
     581873038.6408788,
     1},
    {15000,
     6,
     6000,
     1e-300,
     0.0,
     {909, 25, 0, 4206},
     {0.0, 9.965000000000001e-301, 3.5087245e-297, 2.4900464835710737e-301,
      2.1917756162776547e-301},
     {1.1666666666666667e-303, 8.833333333333334e-303, 2.0833333333333334e-302,
      6.983333333333333e-302, 1.8583333333333333e-301, 3.795e-301, 5.818333333333333e-301,
      7.006666666666667e-301, 8.613333333333334e-301},
     8.333333333333335e-304,
     26},
    {12000,
     7,
     0,
     1e+308,
     -5e+307,
     {744, 0, 9463, 11256},
     {-4.999950239576236e+307, 4.913790163959959e+307, -kInfinity, -2.479321195705034e+307,
      2.213312512497077e+307},
     {-4.98712898853937e+307, -4.908458995348894e+307, -4.791076823960018e+307,
      -4.316590890722614e+307, -3.103884534514307e+307, -1.1214916177798261e+307,
      9.494676750238361e+306, 2.0109071905487494e+307, 3.5576039332935095e+307},
     -4.999950239576236e+307,
     1},
};

std::string pair_text(const ProfilePattern& pattern) {
  return pattern.shape + " " + std::to_string(pattern.count);
}

}  // namespace

TEST_CASE("counts, range, exact moments and quantiles are numpy's, pandas' and the fractions'") {
  for (const Expected& expected : kExpected) {
    CAPTURE(expected.seed);
    const Cells cells =
        sample(expected.rows, expected.seed, expected.levels, expected.scale, expected.offset);
    const ColumnSummary summary = summary_of(reals(cells));
    CHECK(summary.rows == expected.rows);
    CHECK(summary.nulls == expected.facts[0]);
    CHECK(summary.zeros == expected.facts[1]);
    CHECK(summary.negatives == expected.facts[2]);
    CHECK(std::get<double>(summary.min) == expected.numbers[0]);
    CHECK(std::get<double>(summary.max) == expected.numbers[1]);
    CHECK(*summary.sum == expected.numbers[2]);
    CHECK(*summary.mean == expected.numbers[3]);
    CHECK(*summary.deviation == expected.numbers[4]);
    const bool exact = expected.facts[3] <= 4096;
    CHECK(summary.distinct_exact == exact);
    CHECK(summary.quantiles_exact == exact);
    REQUIRE(summary.quantiles.size() == 9);
    std::int64_t barred = 0;
    for (const ProfileBin& bin : summary.histogram) barred += bin.count;
    CHECK(barred == expected.rows - expected.facts[0]);
    CHECK(summary.histogram.size() <= 32);
    if (exact) {
      CHECK(summary.distinct == expected.facts[3]);
      CHECK(std::get<double>(summary.top_values.at(0).value) == expected.top_value);
      CHECK(summary.top_values[0].count == expected.top_count);
      for (std::size_t i = 0; i < 9; ++i) {
        CHECK(is_near(summary.quantiles[i].value, expected.quantiles[i], 1e-14));
        CHECK(summary.quantiles[i].error == 0);
      }
      continue;
    }
    CHECK(is_near(static_cast<double>(summary.distinct), static_cast<double>(expected.facts[3]),
                  0.04));
    CHECK(summary.top_values.empty());
    const double range = expected.numbers[1] / 2048 - expected.numbers[0] / 2048;
    for (std::size_t i = 0; i < 9; ++i) {
      const ProfileQuantile& told = summary.quantiles[i];
      const double off = std::abs(told.value - expected.quantiles[i]);
      CHECK(off <= told.error + 1e-15 * std::abs(told.value));
      // The narrower of both: half of 1/128 of the value, or of the range's part.
      CHECK(told.error <= std::min(std::abs(told.value) / 250, range));
    }
  }
}

TEST_CASE("the bars of a histogram hold what lies between their ends") {
  const Cells cells = sample(20000, 9, 0, 777, -50);
  const ColumnSummary summary = summary_of(reals(cells));
  CHECK(summary.histogram.size() > 16);
  double end = summary.histogram.front().from;
  for (const ProfileBin& bin : summary.histogram) {
    CHECK(bin.from == end);
    end = bin.to;
    CHECK(std::log2(bin.to - bin.from) == std::floor(std::log2(bin.to - bin.from)));
    CHECK(bin.count == std::count_if(cells.begin(), cells.end(), [&](const auto& cell) {
            return cell && *cell >= bin.from && *cell < bin.to;
          }));
  }
}

TEST_CASE("NaN and infinities are counted apart and in nothing else") {
  const ColumnSummary summary =
      summary_of(reals({1.0, NAN, kInfinity, -0.0, std::nullopt, -kInfinity, -kInfinity, 0.0}));
  CHECK(summary.rows == 8);
  CHECK(summary.nulls == 1);
  CHECK(summary.nans == 1);
  CHECK(summary.plus_infinities == 1);
  CHECK(summary.minus_infinities == 2);
  CHECK(summary.zeros == 2);
  CHECK(summary.negatives == 0);
  CHECK(summary.distinct == 2);
  CHECK(*summary.mean == 1.0 / 3.0);
  CHECK(std::get<double>(summary.max) == 1);
}

TEST_CASE("a column without values tells none") {
  for (const Type type : {Type::float64, Type::int32, Type::string, Type::boolean, Type::date}) {
    ColumnBuilder builder(type);
    for (int i = 0; i < 3; ++i) builder.append_null();
    const ColumnSummary summary = summary_of(builder.finish());
    CHECK(summary.rows == 3);
    CHECK(summary.nulls == 3);
    CHECK(data::is_null(summary.min));
    CHECK_FALSE(summary.mean.has_value());
    CHECK(summary.quantiles.empty());
    CHECK(summary.histogram.empty());
    CHECK(summary.distinct == 0);
  }
}

TEST_CASE("integers of the whole range: exact sums where float64 would lose them") {
  const ColumnSummary summary = summary_of(integers({kMost, kMost, kLeast, 5, 5, -1, 0}));
  CHECK(std::get<std::int64_t>(summary.min) == kLeast);
  CHECK(std::get<std::int64_t>(summary.max) == kMost);
  CHECK(*summary.sum == 9223372036854775815.0);  // 2·(2⁶³ − 1) − 2⁶³ + 9 = 2⁶³ + 7
  CHECK(summary.zeros == 1);
  CHECK(summary.negatives == 2);
  CHECK(summary.distinct == 5);
  CHECK(std::get<std::int64_t>(summary.top_values[0].value) == 5);
  CHECK(std::get<std::int64_t>(summary.top_values[1].value) == kMost);
  CHECK(summary.top_values[0].count == 2);
}

TEST_CASE("many integers of the whole range keep their order statistics within the stated error") {
  std::mt19937_64 random(5);
  for (const int shift : {0, 5, 20, 45}) {
    std::vector<std::int64_t> values{shift == 0 ? kLeast : -7, shift == 0 ? kMost : 9};
    for (int i = 0; i < 20'000; ++i) values.push_back(static_cast<std::int64_t>(random()) >> shift);
    const ColumnSummary summary = summary_of(integers(values));
    CHECK_FALSE(summary.quantiles_exact);
    __int128 total = 0;
    for (const std::int64_t value : values) total += value;
    CHECK(*summary.sum == static_cast<double>(total));
    std::sort(values.begin(), values.end());
    for (const ProfileQuantile& told : summary.quantiles) {
      const double at = told.p * static_cast<double>(values.size() - 1);
      const auto low = static_cast<double>(values[static_cast<std::size_t>(at)]);
      const auto high = static_cast<double>(
          values[std::min(values.size() - 1, static_cast<std::size_t>(at) + 1)]);
      CHECK(told.value >= low - told.error - 1e-15 * std::abs(low));
      CHECK(told.value <= high + told.error + 1e-15 * std::abs(high));
      CHECK(told.error <= std::max(1.0, std::abs(told.value) / 250));
    }
    std::int64_t barred = 0;
    for (const ProfileBin& bin : summary.histogram) barred += bin.count;
    CHECK(barred == static_cast<std::int64_t>(values.size()));
    CHECK(summary.histogram.size() <= 32);
  }
}

TEST_CASE("booleans, dates, timestamps and decimals are told in their own type") {
  ColumnBuilder flags(Type::boolean);
  for (const bool b : {true, false, true, true}) flags.append_boolean(b);
  const ColumnSummary boolean = summary_of(flags.finish());
  CHECK(std::get<bool>(boolean.max));
  CHECK(*boolean.mean == 0.75);
  CHECK(std::get<bool>(boolean.top_values[0].value));
  CHECK(boolean.top_values[0].count == 3);

  const Type money = data::decimal_type(8, 2);
  const ColumnSummary decimal = summary_of(integers({1010, 1011, -500, 1010}, money));
  CHECK(std::get<std::int64_t>(decimal.max) == 1011);
  CHECK(*decimal.sum == 25.31);
  CHECK(*decimal.mean == 6.3275);
  CHECK(decimal.quantiles[4].value == 10.10);
  CHECK(decimal.negatives == 1);

  const ColumnSummary date = summary_of(integers({0, 10, 20}, Type::date));
  CHECK(*date.mean == 10);
  CHECK(number_text(*date.mean, Type::date) == "1970-01-11");
  CHECK(number_text(12.5, Type::float64) == "12.5");
  // Microseconds of a day of this century: what bins by power of two alone would blur to weeks.
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 10'000; ++i) times.push_back(1'700'000'000'000'000 + i * 8'640'000);
  const ColumnSummary timestamp = summary_of(integers(times, Type::timestamp));
  CHECK(std::abs(timestamp.quantiles[4].value - (1'700'000'000'000'000 + 4999.5 * 8'640'000)) <
        60e6);
  CHECK(timestamp.quantiles[4].error < 60e6);  // a minute of a day
}

TEST_CASE("lists are told by their lengths, and their elements together") {
  const Type type = data::list_of(Type::float32);
  ColumnBuilder builder(type);
  for (const std::vector<double>& list : {std::vector{1.0, 2.0, 4.0}, {}, {1.0}}) {
    std::string bytes;
    for (const double element : list) data::append_element(bytes, Type::float32, element);
    builder.append_string(bytes);
  }
  builder.append_null();
  const ColumnSummary summary = summary_of(builder.finish());
  CHECK(summary.rows == 4);
  CHECK(summary.nulls == 1);
  CHECK(std::get<std::int64_t>(summary.min) == 0);
  CHECK(std::get<std::int64_t>(summary.max) == 3);
  CHECK(summary.zeros == 1);
  REQUIRE(summary.elements.size() == 1);
  CHECK(summary.elements[0].type == Type::float32);
  CHECK(summary.elements[0].rows == 4);
  CHECK(*summary.elements[0].sum == 8);
  CHECK(summary.elements[0].distinct == 3);
}

TEST_CASE("texts: lengths in code points, shapes, the most frequent") {
  const std::vector<std::string> values{"AB-12", "CD-34", "AB-12", "", "Ünï 7", "x\ty", "AB-12"};
  const ColumnSummary summary = summary_of(texts(values));
  CHECK(summary.distinct == 5);
  CHECK(std::get<std::string>(summary.top_values[0].value) == "AB-12");
  CHECK(summary.top_values[0].count == 3);
  REQUIRE(summary.text.has_value());
  CHECK(summary.text->empty == 1);
  CHECK(summary.text->min_length == 0);
  CHECK(summary.text->max_length == 5);
  CHECK(summary.text->mean_length == 28.0 / 7.0);
  CHECK(summary.text->level == ShapeLevel::characters);
  CHECK(summary.text->patterns_distinct == 4);
  CHECK(pair_text(summary.text->patterns[0]) == "AA-99 4");
  CHECK(pair_text(summary.text->patterns[1]) == " 1");
  CHECK(pair_text(summary.text->patterns[2]) == "a␀a 1");
  CHECK(pair_text(summary.text->patterns[3]) == "éaé 9 1");
  // The 33rd character is told by its being there.
  const ColumnSummary longer = summary_of(texts({std::string(32, 'x'), std::string(40, 'x')}));
  CHECK(longer.text->patterns[0].shape == std::string(32, 'a'));
  CHECK(longer.text->patterns[1].shape == std::string(32, 'a') + "…");
}

TEST_CASE("too many shapes become runs, and too many runs classes") {
  std::vector<std::string> values;
  for (int letters = 1; letters <= 20; ++letters)
    for (int digits = 1; digits <= 20; ++digits)
      values.push_back(std::string(static_cast<std::size_t>(letters), 'k') +
                       std::string(static_cast<std::size_t>(digits), '7'));
  const ColumnSummary runs = summary_of(texts(values));
  CHECK(runs.text->level == ShapeLevel::runs);
  REQUIRE(runs.text->patterns_distinct == 5);
  CHECK(pair_text(runs.text->patterns[0]) == "a⁺9⁺ 325");  // 19 · 19 less 36 of over 32
  CHECK(pair_text(runs.text->patterns[1]) == "a⁺9⁺… 36");
  CHECK(pair_text(runs.text->patterns[2]) == "a9⁺ 19");
  CHECK(pair_text(runs.text->patterns[3]) == "a⁺9 19");
  CHECK(pair_text(runs.text->patterns[4]) == "a9 1");
  values.clear();
  const std::string signs = "Aa9 .,-_";
  for (int i = 0; i < 4096; ++i) {
    std::string value;
    for (int rest = i, at = 0; at < 4; ++at, rest /= 8)
      value += signs[static_cast<std::size_t>(rest % 8)];
    values.push_back(value);
  }
  const ColumnSummary classes = summary_of(texts(values));
  CHECK(classes.text->level == ShapeLevel::classes);
  // Sets of A, a, 9, space and others: not the empty one, nor all five in four characters.
  CHECK(classes.text->patterns_distinct == 30);
  std::int64_t all = 0;
  for (const ProfilePattern& pattern : classes.text->patterns) all += pattern.count;
  CHECK(all > 3900);  // of 4,096, the 20 most frequent
}

TEST_CASE("more texts than are held: lengths and shapes stay exact") {
  std::vector<std::string> values;
  for (int i = 0; i < 30'000; ++i) values.push_back("id" + std::to_string(100'000 + i * 7));
  const ColumnSummary summary = summary_of(texts(values));
  CHECK_FALSE(summary.distinct_exact);
  CHECK(is_near(static_cast<double>(summary.distinct), 30'000, 0.04));
  CHECK(summary.top_values.empty());
  CHECK(summary.text->min_length == 8);
  CHECK(summary.text->patterns_distinct == 1);
  CHECK(pair_text(summary.text->patterns[0]) == "aa999999 30000");
}

TEST_CASE("coded texts are plain ones") {
  const std::vector<std::string> values{"b", "a", "b", "c", "b"};
  const Column coded = Column::coded(
      {0, 1, 0, 2, 0}, std::make_shared<Column>(texts({"b", "a", "c", "unused"})), {0b10111});
  ColumnProfile of_coded(Type::string), plain(Type::string);
  of_coded.add(coded);
  ColumnBuilder builder(Type::string);
  for (const char* value : {"b", "a", "b"}) builder.append_string(value);
  builder.append_null();
  builder.append_string("b");
  plain.add(builder.finish());
  std::string a, b;
  of_coded.append_bytes(a);
  plain.append_bytes(b);
  CHECK(a == b);
}

TEST_CASE("a profile's reference bins are those of the rows while it holds all values") {
  const Column few = reals(sample(2000, 11, 15, 8, -1)), many = reals(sample(3000, 12, 0, 8, -1));
  for (const Column& column : {few, many}) {
    ColumnProfile profile(Type::float64);
    profile.add(column);
    CHECK(profile.reference()->to_json().dump() ==
          stats::ReferenceBins::of(column)->to_json().dump());
  }
  const Column words = texts({"a", "b", "a", "c"});
  ColumnProfile profile(Type::string);
  profile.add(words);
  CHECK(profile.reference()->to_json().dump() == stats::ReferenceBins::of(words)->to_json().dump());
}

TEST_CASE("beyond, its counts are still those of the rows, and each bin is nearly a tenth") {
  for (const double offset : {0.0, -300.0, 1e6}) {
    CAPTURE(offset);
    const Column column = reals(sample(50'000, 13, 0, 700, offset));
    ColumnProfile profile(Type::float64);
    profile.add(column);
    const auto bins = profile.reference();
    REQUIRE(bins.has_value());
    REQUIRE(bins->kind() == stats::ReferenceBins::Kind::quantiles);
    REQUIRE(bins->size() == 16);
    std::vector<std::int64_t> counts(bins->size(), 0);
    bins->count(column, counts);
    CHECK(counts == std::vector(bins->counts().begin(), bins->counts().end()));
    CHECK(stats::stability(bins->counts(), counts).raw == 0);
    const auto present = static_cast<double>(50'000 - counts[0]);
    for (std::size_t bin = 5; bin < 15; ++bin) {
      CHECK(static_cast<double>(counts[bin]) > 0.097 * present);
      CHECK(static_cast<double>(counts[bin]) < 0.103 * present);
    }
  }
  std::mt19937_64 random(17);
  for (const int shift : {0, 3, 40}) {
    CAPTURE(shift);
    std::vector<std::int64_t> values;
    for (int i = 0; i < 30'000; ++i) values.push_back(static_cast<std::int64_t>(random()) >> shift);
    const Column column = integers(values);
    ColumnProfile profile(Type::int64);
    profile.add(column);
    const auto bins = profile.reference();
    REQUIRE(bins.has_value());
    std::vector<std::int64_t> counts(bins->size(), 0);
    bins->count(column, counts);
    CHECK(counts == std::vector(bins->counts().begin(), bins->counts().end()));
    for (std::size_t bin = 5; bin < 15; ++bin) CHECK(std::abs(counts[bin] - 3000) < 90);
  }
}

TEST_CASE("a profile of lists or of too many texts is no reference, and says so") {
  ColumnProfile lists(data::list_of(Type::int32));
  CHECK(lists.reference().error().code == Code::unsupported);
  std::vector<std::string> values;
  for (int i = 0; i < 5000; ++i) values.push_back(std::to_string(i));
  ColumnProfile words(Type::string);
  words.add(texts(values));
  CHECK(words.reference().error().code == Code::unsupported);
  CHECK_FALSE(words.values().has_value());
}

TEST_CASE("rows of other columns are refused") {
  Profile profile(data::Schema{{{"a", Type::int32, false}}});
  data::Batch batch{{{{"b", Type::int32, false}}}, {integers({1}, Type::int32)}, 1};
  CHECK(profile.add(batch).error().code == Code::type_mismatch);
  batch.schema.fields[0] = {"a", Type::int64, false};
  CHECK(profile.add(batch).error().code == Code::type_mismatch);
  CHECK(profile.merge(Profile()).error().code == Code::type_mismatch);
  CHECK(profile.rows() == 0);
}

TEST_CASE("a summary as JSON and as text") {
  Profile profile(data::Schema{{{"x", Type::float64, true}, {"name", Type::string, false}}});
  const data::Batch batch{
      profile.schema(), {reals({1.5, 2.5, std::nullopt}), texts({"a", "b1", "a"})}, 3};
  REQUIRE(profile.add(batch).has_value());
  const data::Json json = to_json(profile.summary());
  CHECK(*json.find("rows")->integer() == 3);
  const data::Json& x = json.find("columns")->array()->at(0);
  CHECK(*x.find("nulls")->integer() == 1);
  CHECK(*x.find("mean")->real() == 2.0);
  CHECK(*x.find("std")->real() == std::sqrt(0.5));
  CHECK(x.find("quantiles")->array()->size() == 9);
  const data::Json& name = json.find("columns")->array()->at(1);
  CHECK(*name.find("top_values")->array()->at(0).find("value")->string() == "a");
  CHECK(*name.find("text")->find("max_length")->integer() == 2);
  CHECK(data::parse_json(json.dump()).has_value());
  const std::string text = to_text(profile.summary());
  CHECK(text.find("x (float64): 3 rows, 1 null (33.3333 %), 2 distinct") != std::string::npos);
  CHECK(text.find("range 1.5 to 2.5, mean 2, std 0.707107") != std::string::npos);
  CHECK(text.find("most frequent  a 2  b1 1") != std::string::npos);
}

}  // namespace coeval::quality
