#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <random>

#include "data/packed_list.h"
#include "kernel/evaluate.h"
#include "kernel/exact_for_tests.h"

namespace coeval::kernel {
namespace {

using data::list_of;
using data::Type;
using data::Value;
using testing::Exact;

constexpr std::size_t kLength = 5;

Value packed(Type element, const std::vector<Value>& values) {
  std::string bytes;
  for (const Value& value : values) data::append_element(bytes, element, value);
  return bytes;
}

// Rows of vectors a and b of float32, lists l and r of any length of float64, texts t and an index.
struct Lists {
  data::Batch batch;
  std::vector<std::vector<double>> l, r;
};

double drawn(std::mt19937_64& random) {
  const double x = static_cast<double>(random() % 4001) / 16 - 125;
  return random() % 4 == 0 ? std::ldexp(x, static_cast<int>(random() % 400) - 200) : x;
}

Lists random_lists(std::int64_t rows) {
  std::mt19937_64 random(5);
  Lists out;
  out.batch.schema.fields = {
      {"a", list_of(Type::float32, kLength), true}, {"b", list_of(Type::float32, kLength), true},
      {"l", list_of(Type::float64), true},          {"r", list_of(Type::float64), true},
      {"t", list_of(Type::string), true},           {"i", Type::int64, true}};
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : out.batch.schema.fields) builders.emplace_back(field.type);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < 2; ++c) {
      std::vector<Value> values;
      for (std::size_t i = 0; i < kLength; ++i) values.emplace_back(drawn(random));
      builders[c].append(random() % 9 == 0 ? Value{} : packed(Type::float32, values));
    }
    for (std::size_t c = 2; c < 4; ++c) {
      std::vector<double> reals(1 + random() % 3);
      for (double& real : reals) real = drawn(random);
      builders[c].append(packed(Type::float64, {reals.begin(), reals.end()}));
      (c == 2 ? out.l : out.r).push_back(reals);
    }
    std::vector<Value> texts;
    for (std::size_t i = random() % 4; i-- > 0;) texts.emplace_back(std::string(random() % 4, 'x'));
    builders[4].append(packed(Type::string, texts));
    builders[5].append(random() % 9 == 0 ? Value{}
                                         : Value{static_cast<std::int64_t>(random() % 6) - 1});
  }
  out.batch.rows = rows;
  for (auto& builder : builders) out.batch.columns.push_back(builder.finish());
  return out;
}

data::Column evaluated(const std::string& text, const data::Batch& batch) {
  const auto expr = define::compile_expression(text, batch.schema, false, "test");
  REQUIRE_MESSAGE(expr, text);
  EvaluationCounts counts;
  data::Column column = evaluate(**expr, batch, {}, counts);
  CHECK(counts == EvaluationCounts{});
  return column;
}

// Bits for bits, NaN as itself.
bool same(const data::Column& a, std::int64_t row_a, const data::Column& b, std::int64_t row_b) {
  if (a.is_null(row_a) || b.is_null(row_b)) return a.is_null(row_a) == b.is_null(row_b);
  if (data::is_float(a.type()))
    return std::bit_cast<std::uint64_t>(a.real(row_a)) ==
           std::bit_cast<std::uint64_t>(b.real(row_b));
  return a.value(row_a) == b.value(row_b);
}

TEST_CASE("thousands of rows have the bits that each has alone, coded or plain") {
  const Lists lists = random_lists(2500);
  data::Batch coded = lists.batch;
  std::vector<std::int32_t> codes;
  for (std::int32_t row = 0; row < 2500; ++row) codes.push_back(row);
  coded.columns[2] =
      data::Column::coded(codes, std::make_shared<const data::Column>(lists.batch.columns[2]), {});
  for (const std::string text :
       {"dot(a, b)", "l2(a, b)", "cosine(a, b)", "dot(l, r)", "l2(l, r)", "cosine(l, r)",
        "dot(l, a)", "element(a, i)", "element(l, i)", "element(t, i)", "length(t)", "length(a)",
        "length(l)", "if(i > 1, a, b)", "coalesce(a, b)",
        "dot(if(i > 1, a, b), [1.5, 2, -3, 0.1, 1e30])", "element([1, 2, 3], i)", "a is null"}) {
    CAPTURE(text);
    const data::Column all = evaluated(text, lists.batch), other = evaluated(text, coded);
    for (std::int64_t row = 0; row < 2500; ++row) {
      CHECK(same(all, row, other, row));
      if (row % 17 != 0) continue;
      const std::int64_t rows[] = {row};
      CHECK(same(all, row, evaluated(text, data::take(lists.batch, rows)), 0));
    }
  }
}

TEST_CASE("products and distances are exact and rounded once, null where lengths differ") {
  const Lists lists = random_lists(600);
  const data::Column dots = evaluated("dot(l, r)", lists.batch),
                     distances = evaluated("l2(l, r)", lists.batch);
  int nulls = 0;
  for (std::size_t row = 0; row < 600; ++row) {
    const auto at = static_cast<std::int64_t>(row);
    const auto &l = lists.l[row], &r = lists.r[row];
    CHECK(dots.is_null(at) == (l.size() != r.size()));
    CHECK(distances.is_null(at) == (l.size() != r.size()));
    if (dots.is_null(at) && ++nulls > 0) continue;
    Exact products, squares;
    for (std::size_t i = 0; i < l.size(); ++i) {
      products += Exact(l[i]) * Exact(r[i]);
      const Exact difference = Exact(l[i]) - Exact(r[i]);
      squares += difference * difference;
    }
    CHECK(dots.real(at) == products.nearest());
    CHECK(distances.real(at) == squares.root().nearest());
  }
  CHECK(nulls > 100);
}

TEST_CASE("an element is found from the front, and outside there is null") {
  data::Batch batch;
  batch.schema.fields = {{"t", list_of(Type::string), true},
                         {"d", list_of(Type::date), true},
                         {"f", list_of(Type::boolean), true}};
  data::ColumnBuilder t(list_of(Type::string)), d(list_of(Type::date)), f(list_of(Type::boolean));
  t.append(packed(Type::string, {std::string("a"), std::string(), std::string("größer")}));
  d.append(packed(Type::date, {std::int64_t{-1}, std::int64_t{20000}}));
  f.append(packed(Type::boolean, {false, true}));
  batch.columns = {t.finish(), d.finish(), f.finish()};
  batch.rows = 1;
  CHECK(evaluated("element(t, 2)", batch).string(0) == "größer");
  CHECK(evaluated("element(t, 1)", batch).string(0).empty());
  CHECK(evaluated("element(t, 3)", batch).is_null(0));
  CHECK(evaluated("element(t, -1)", batch).is_null(0));
  CHECK(evaluated("element(d, 0)", batch).type() == Type::date);
  CHECK(evaluated("element(d, 0)", batch).integer(0) == -1);
  CHECK(evaluated("element(f, 1)", batch).bit(0));
  CHECK_FALSE(evaluated("element(f, 0)", batch).bit(0));
  CHECK(evaluated("length(t)", batch).integer(0) == 3);
}

TEST_CASE("a list that an expression chooses is a list, of decimals too") {
  data::Batch batch;
  const Type type = list_of(data::decimal_type(9, 2));
  batch.schema.fields = {{"d", type, true}, {"b", Type::boolean, true}};
  data::ColumnBuilder d(type), b(Type::boolean);
  d.append(packed(data::element_of(type), {std::int64_t{1250}, std::int64_t{-3}}));
  b.append_boolean(true);
  batch.columns = {d.finish(), b.finish()};
  batch.rows = 1;
  const data::Column chosen = evaluated("if(b, d, d)", batch);
  CHECK(chosen.type() == type);
  CHECK(data::to_text(chosen.value(0), type) == "[12.50, -0.03]");
  CHECK(evaluated("element(if(b, d, d), 1) = decimal '-0.03'", batch).bit(0));
  CHECK(evaluated("element(d, 0) + 1 = 13.5", batch).bit(0));
}

TEST_CASE("a list that an expression chooses is null, and counted, beyond what a result may have") {
  data::Batch batch;
  batch.schema.fields = {{"t", list_of(Type::string), true}, {"b", Type::boolean, true}};
  data::ColumnBuilder t(list_of(Type::string)), b(Type::boolean);
  t.append(packed(Type::string, {std::string(kMaxResultBytes, 'x')}));
  b.append_boolean(true);
  batch.columns = {t.finish(), b.finish()};
  batch.rows = 1;
  const auto expr = define::compile_expression("if(b, t, t)", batch.schema, false, "test");
  REQUIRE(expr);
  EvaluationCounts counts;
  CHECK(evaluate(**expr, batch, {}, counts).is_null(0));
  CHECK(counts.long_texts == 1);
}

}  // namespace
}  // namespace coeval::kernel
