#include "quality/checks.h"

#include <doctest/doctest.h>
#include <regex.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "data/packed_list.h"

namespace coeval::quality {
namespace {

using data::Batch;
using data::Column;
using data::ColumnBuilder;
using data::Type;
using data::Value;

define::SourceColumn column(std::string name, Type type, bool nullable) {
  define::SourceColumn out;
  out.name = std::move(name);
  out.type = type;
  out.nullable = nullable;
  return out;
}

define::Source source_of(std::vector<define::SourceColumn> columns) {
  define::Source source;
  source.name = "flights";
  for (const auto& each : columns)
    source.schema.fields.push_back({each.name, each.type, each.nullable});
  source.columns = std::move(columns);
  return source;
}

define::SourceColumn delay_column() {
  auto out = column("delay", Type::int32, false);
  out.min = Value(std::int64_t{-120});
  out.max = Value(std::int64_t{3000});
  return out;
}

define::SourceColumn origin_column() {
  auto out = column("origin", Type::string, true);
  out.pattern = "[A-Z0-9]{3}";
  return out;
}

std::unique_ptr<RowChecks> compiled(const define::Source& source) {
  auto checks = RowChecks::compile(source);
  REQUIRE(checks);
  return std::move(*checks);
}

Batch batch_of(const define::Source& source, const std::vector<std::vector<Value>>& rows) {
  Batch batch{source.schema, {}, static_cast<std::int64_t>(rows.size())};
  for (std::size_t i = 0; i < source.columns.size(); ++i) {
    ColumnBuilder builder(source.columns[i].type);
    for (const auto& row : rows) builder.append(row[i]);
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

// The names of the broken rules by row.
std::map<std::int64_t, std::vector<std::string>> broken(const RowChecks& checks,
                                                        const Batch& batch) {
  std::map<std::int64_t, std::vector<std::string>> out;
  for (const RowVerdict& verdict : checks.check(batch))
    for (const int rule : verdict.rules)
      out[verdict.row].push_back(checks.rules()[static_cast<std::size_t>(rule)].name);
  return out;
}

Value whole(std::int64_t v) { return v; }
Value text(const char* v) { return std::string(v); }
using Names = std::vector<std::string>;

TEST_CASE("each row names all rules that it breaks, and nulls break only the rule against nulls") {
  const auto source = source_of({delay_column(), origin_column()});
  const auto checks = compiled(source);
  const Batch batch = batch_of(source, {{whole(5), text("ORD")},
                                        {whole(-185), text("ord")},
                                        {Value{}, Value{}},
                                        {whole(3000), text("ORDX")},
                                        {whole(-120), text("")},
                                        {whole(3001), text("1Z9")}});
  const auto found = broken(*checks, batch);
  CHECK(found.size() == 5);
  CHECK(found.at(1) == Names{"delay.min", "origin.pattern"});
  CHECK(found.at(2) == Names{"delay.null"});
  CHECK(found.at(3) == Names{"origin.pattern"});
  CHECK(found.at(4) == Names{"origin.pattern"});
  CHECK(found.at(5) == Names{"delay.max"});
}

TEST_CASE("a verdict is explained with the bound and the value") {
  const auto source = source_of({delay_column(), origin_column()});
  const auto checks = compiled(source);
  const Batch batch = batch_of(source, {{whole(-185), text("o\nd")}, {Value{}, text("ORD")}});
  const auto verdicts = checks->check(batch);
  REQUIRE(verdicts.size() == 2);
  CHECK(checks->explain(batch, 0, verdicts[0].rules[0]) ==
        "delay must be at least -120, found -185");
  CHECK(checks->explain(batch, 0, verdicts[0].rules[1]) ==
        "origin must match [A-Z0-9]{3}, found \"o\\nd\"");
  CHECK(checks->explain(batch, 1, verdicts[1].rules[0]) == "delay must not be null");
}

TEST_CASE("NaN and infinities break the rule for finite numbers, in both widths") {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const Type type : {Type::float32, Type::float64}) {
    auto amount = column("amount", type, true);
    amount.max = Value(10.0);
    const auto source = source_of({amount});
    const auto checks = compiled(source);
    const auto found = broken(*checks, batch_of(source, {{Value(1.0)},
                                                         {Value(std::nan(""))},
                                                         {Value(infinity)},
                                                         {Value(-infinity)},
                                                         {Value{}},
                                                         {Value(10.5)},
                                                         {Value(10.0)},
                                                         {Value(-1e30)}}));
    CHECK(found.size() == 4);
    CHECK(found.at(1) == Names{"amount.finite"});
    CHECK(found.at(2) == Names{"amount.finite", "amount.max"});
    CHECK(found.at(3) == Names{"amount.finite"});
    CHECK(found.at(5) == Names{"amount.max"});
  }
}

TEST_CASE("an enum names what it allows") {
  auto kind = column("kind", Type::string, false);
  kind.allowed = {"a", "b", "c", "d", "e", "f"};
  const auto source = source_of({kind});
  const auto checks = compiled(source);
  const Batch batch = batch_of(source, {{text("f")}, {text("g")}, {text("A")}});
  const auto verdicts = checks->check(batch);
  REQUIRE(verdicts.size() == 2);
  CHECK(checks->explain(batch, 1, verdicts[0].rules[0]) ==
        R"(kind must be one of "a", "b", "c", "d", "e", ... of 6, found "g")");
}

TEST_CASE("a time is bounded and shown as a time") {
  auto at = column("at", Type::timestamp, false);
  at.min = whole(991353600000000);
  const auto source = source_of({at});
  const auto checks = compiled(source);
  const Batch batch = batch_of(source, {{whole(991353600000000)}, {whole(991353599999999)}});
  const auto verdicts = checks->check(batch);
  REQUIRE(verdicts.size() == 1);
  CHECK(checks->explain(batch, 1, verdicts[0].rules[0]) ==
        "at must be at least 2001-06-01T00:00:00Z, found 2001-05-31T23:59:59.999999Z");
}

TEST_CASE("bounds outside an int32 exclude every row or none") {
  for (const bool above : {false, true}) {
    auto x = column("x", Type::int32, false);
    x.min = whole(above ? 1ll << 40 : -(1ll << 40));
    const auto source = source_of({x});
    const auto found = broken(
        *compiled(source), batch_of(source, {{whole(INT32_MAX)}, {whole(0)}, {whole(INT32_MIN)}}));
    CHECK(found.size() == (above ? 3 : 0));
  }
}

TEST_CASE("rules that cannot be are refused with column and source") {
  const auto code = [](const define::SourceColumn& bad) {
    const auto checks = RowChecks::compile(source_of({bad}));
    REQUIRE_FALSE(checks);
    CHECK(checks.error().message.find("'x'") != std::string::npos);
    CHECK(checks.error().message.find("'flights'") != std::string::npos);
    return checks.error().code;
  };
  auto pattern = column("x", Type::string, false);
  pattern.pattern = "[A-Z";
  CHECK(code(pattern) == Code::bad_toml_value);
  auto number = column("x", Type::int64, false);
  number.pattern = ".*";
  CHECK(code(number) == Code::bad_toml_value);
  auto string = column("x", Type::string, false);
  string.min = text("a");
  CHECK(code(string) == Code::bad_toml_value);
  auto fraction = column("x", Type::int64, false);
  fraction.min = Value(1.5);
  CHECK(code(fraction) == Code::bad_toml_value);
}

// --- against a plain row-by-row evaluation, with POSIX regex in place of RE2 ---

define::Source every_kind() {
  auto i = column("i", Type::int32, false), l = column("l", Type::int64, true);
  auto d = column("d", Type::float64, true), s = column("s", Type::string, true);
  auto b = column("b", Type::boolean, false);
  i.min = whole(-50);
  l.max = whole(1000);
  d.min = Value(-1.0);
  d.max = Value(1.0);
  s.pattern = "[ab]+c?";
  s.allowed = {"a", "ab", "abc", "x"};
  return source_of({i, l, d, s, b});
}

TEST_CASE("a list must have its length, and finite elements that are not null") {
  const Type type = data::list_of(Type::float32, 2);
  const auto source = source_of({column("v", type, true)});
  const auto checks = compiled(source);
  const auto floats = [](std::vector<float> values) {
    return Value{std::string(reinterpret_cast<const char*>(values.data()), 4 * values.size())};
  };
  const float null_element = std::bit_cast<float>(data::kNullElement);
  const Batch rows = batch_of(source, {{floats({1, 2})},
                                       {floats({1})},
                                       {Value{}},
                                       {floats({1, INFINITY})},
                                       {floats({NAN, 2, 3})},
                                       {floats({null_element, 2})}});
  const auto verdicts = checks->check(rows);
  std::vector<std::string> found;
  for (const auto& verdict : verdicts)
    for (const int rule : verdict.rules)
      found.push_back(std::to_string(verdict.row) + " " + checks->explain(rows, verdict.row, rule));
  CHECK(found == std::vector<std::string>{
                     "1 v must have 2 elements, found [1]",
                     "3 v must have finite numbers as elements, and no nulls, found [1, inf]",
                     "4 v must have 2 elements, found [nan, 2, 3]",
                     "4 v must have finite numbers as elements, and no nulls, found [nan, 2, 3]",
                     "5 v must have finite numbers as elements, and no nulls, found [null, 2]"});
}

Value random_value(Type type, std::mt19937& random, int odds) {
  const auto rare = random() % static_cast<unsigned>(odds) == 0;
  if (rare && random() % 2 == 0) return {};
  switch (type) {
    case Type::boolean:
      return random() % 2 == 0;
    case Type::string:
      return text(rare ? std::array{"", "x", "abab", "c", "zz"}[random() % 5]
                       : std::array{"a", "ab", "abc"}[random() % 3]);
    case Type::float64:
      return rare ? std::array{NAN, INFINITY, -1.5F, 1.0F}[random() % 4]
                  : static_cast<double>(random() % 100) / 100;
    default:
      return whole(rare ? static_cast<std::int64_t>(random() % 4000) - 2000 : 7);
  }
}

// An extended regular expression of POSIX that must match the whole text.
class PosixPattern {
 public:
  explicit PosixPattern(const std::string& pattern) {
    REQUIRE(regcomp(&compiled_, ("^(" + pattern + ")$").c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  }
  PosixPattern(const PosixPattern&) = delete;
  PosixPattern& operator=(const PosixPattern&) = delete;
  ~PosixPattern() { regfree(&compiled_); }
  bool matches(const std::string& text) const {
    return regexec(&compiled_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_{};
};

Names expected(const std::vector<Value>& row, const PosixPattern& pattern) {
  Names names;
  const auto when = [&names](bool bad, const char* name) {
    if (bad) names.emplace_back(name);
  };
  const auto* i = std::get_if<std::int64_t>(&row[0]);
  const auto* l = std::get_if<std::int64_t>(&row[1]);
  const auto* d = std::get_if<double>(&row[2]);
  const auto* s = std::get_if<std::string>(&row[3]);
  when(i == nullptr, "i.null");
  when(i != nullptr && *i < -50, "i.min");
  when(l != nullptr && *l > 1000, "l.max");
  when(d != nullptr && !std::isfinite(*d), "d.finite");
  when(d != nullptr && *d < -1, "d.min");
  when(d != nullptr && *d > 1, "d.max");
  when(s != nullptr && !pattern.matches(*s), "s.pattern");
  when(s != nullptr && *s != "a" && *s != "ab" && *s != "abc" && *s != "x", "s.enum");
  when(data::is_null(row[4]), "b.null");
  return names;
}

// The same strings as codes into a dictionary.
Column coded(const Column& plain) {
  std::map<std::string, std::int32_t> codes;
  ColumnBuilder dictionary(Type::string);
  std::vector<std::int32_t> out;
  std::vector<std::uint8_t> validity(static_cast<std::size_t>(plain.size() + 7) / 8);
  for (std::int64_t row = 0; row < plain.size(); ++row) {
    out.push_back(99);  // a null row may hold any code
    if (plain.is_null(row)) continue;
    const std::string value(plain.string(row));
    const auto [at, fresh] = codes.try_emplace(value, static_cast<std::int32_t>(codes.size()));
    if (fresh) dictionary.append_string(value);
    out.back() = at->second;
    auto& byte = validity[static_cast<std::size_t>(row >> 3)];
    byte = static_cast<std::uint8_t>(byte | 1u << (row & 7));
  }
  return Column::coded(std::move(out), std::make_shared<Column>(dictionary.finish()),
                       std::move(validity));
}

TEST_CASE("checks over columns equal a plain evaluation of each row, coded strings or not") {
  const auto source = every_kind();
  const auto checks = compiled(source);
  const PosixPattern pattern("[ab]+c?");
  std::mt19937 random(23);
  for (const int odds : {2, 50, 3000})
    for (const int count : {0, 1, 1023, 1024, 5000}) {
      std::vector<std::vector<Value>> rows;
      for (int row = 0; row < count; ++row) {
        rows.emplace_back();
        for (const auto& each : source.columns)
          rows.back().push_back(random_value(each.type, random, odds));
      }
      std::map<std::int64_t, Names> wanted;
      for (std::size_t row = 0; row < rows.size(); ++row)
        if (auto names = expected(rows[row], pattern); !names.empty())
          wanted[static_cast<std::int64_t>(row)] = names;
      Batch batch = batch_of(source, rows);
      REQUIRE(broken(*checks, batch) == wanted);
      batch.columns[3] = coded(batch.columns[3]);
      REQUIRE(broken(*checks, batch) == wanted);
    }
}

TEST_CASE("the rules of some columns are checked against rows of those columns, in their order") {
  const auto source = source_of({delay_column(), origin_column()});
  const std::array<int, 1> origin = {1};
  const auto some = RowChecks::compile(source, origin);
  REQUIRE(some);
  const auto alone = source_of({origin_column()});
  const Batch rows = batch_of(alone, {{text("ATL")}, {text("atl")}, {Value()}});
  CHECK(broken(**some, rows) == std::map<std::int64_t, Names>{{1, {"origin.pattern"}}});
  CHECK((*some)->explain(rows, 1, 1) == "origin must match [A-Z0-9]{3}, found \"atl\"");

  const std::array<int, 2> turned = {1, 0};
  const auto both = RowChecks::compile(source, turned);
  REQUIRE(both);
  const auto other = source_of({origin_column(), delay_column()});
  CHECK(broken(**both, batch_of(other, {{text("x"), whole(-185)}, {text("ATL"), whole(1)}})) ==
        std::map<std::int64_t, Names>{{0, {"origin.pattern", "delay.min"}}});
}

}  // namespace
}  // namespace coeval::quality
