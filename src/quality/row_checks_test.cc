#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <string>

#include "data/row_codec.h"
#include "data/text_tables.h"
#include "quality/checks.h"
#include "quality/key_times.h"
#include "quality/last_values.h"

namespace coeval::quality {
namespace {

using data::Type;
using Names = std::vector<std::string>;

constexpr std::int64_t kHourUs = 3'600'000'000;

define::Source flown(const std::string& columns, const std::string& checks = "") {
  const std::string text =
      "[project]\nname = \"p\"\n[source.other]\ntime = \"ts\"\nknown = \"event time\"\n"
      "[source.other.columns]\nts = \"timestamp\"\ntail = \"string\"\n"
      "[source.flown]\ntime = \"ts\"\nknown = \"ts + 1h\"\n[source.flown.columns]\n"
      "ts = { type = \"timestamp\", max_ahead = \"2h\" }\n" +
      columns + "[source.flown.checks]\n" + checks;
  auto checked = define::check_text(text, "coeval.toml");
  for (const auto& error : checked.errors) FAIL_CHECK(define::render(error, text, false));
  REQUIRE(checked.project);
  return checked.project->sources[0];
}

data::Batch rows_of(const define::Source& source, const std::string& jsonl) {
  auto table = data::read_jsonl(jsonl, source.schema);
  REQUIRE(table);
  REQUIRE(table->bad.empty());
  return std::move(table->rows);
}

std::unique_ptr<RowChecks> compiled(const define::Source& source) {
  auto checks = RowChecks::compile(source);
  REQUIRE(checks);
  return std::move(*checks);
}

std::map<std::int64_t, Names> named(const RowChecks& checks,
                                    const std::vector<RowVerdict>& verdicts) {
  std::map<std::int64_t, Names> out;
  for (const RowVerdict& verdict : verdicts)
    for (const int rule : verdict.rules)
      out[verdict.row].push_back(checks.rules()[static_cast<std::size_t>(rule)].name);
  return out;
}

TEST_CASE("what warns is told apart, counted, and keeps no row out") {
  const auto source = flown(
      "a = { type = \"int32\", min = 0, max = 9, severity = { max = \"warn\" } }\n"
      "b = { type = \"string\", max_length = 2, severity = \"warn\" }\n",
      "sum = { row = \"a < 20 or b = 'x'\", severity = \"warn\" }\n");
  const auto checks = compiled(source);
  const auto rows = rows_of(source, R"({"ts":"2001-01-01T00:00:00Z","a":5,"b":"ok"}
{"ts":"2001-01-01T00:00:00Z","a":10,"b":"äöü"}
{"ts":"2001-01-01T00:00:00Z","a":-1,"b":"abc"}
{"ts":"2001-01-01T00:00:00Z","a":20,"b":"y"}
)");
  const auto found = checks->find(rows, {});
  REQUIRE(found);
  CHECK(named(*checks, found->bad) == std::map<std::int64_t, Names>{{2, {"a.min"}}});
  CHECK(named(*checks, found->warned) ==
        std::map<std::int64_t, Names>{
            {1, {"a.max", "b.max_length"}}, {2, {"b.max_length"}}, {3, {"a.max", "checks.sum"}}});
  std::map<std::string, std::int64_t> counts;
  for (std::size_t r = 0; r < found->counts.size(); ++r)
    if (found->counts[r] > 0) counts[checks->rules()[r].name] = found->counts[r];
  CHECK(counts == std::map<std::string, std::int64_t>{
                      {"a.min", 1}, {"a.max", 2}, {"b.max_length", 2}, {"checks.sum", 1}});

  const Screened screened = screen(*checks, source, rows, "f", 0);
  CHECK(screened.accepted_rows == std::vector<std::int64_t>{0, 1, 3});
  REQUIRE(screened.quarantined.size() == 1);
  CHECK(screened.quarantined[0].rules == Names{"a.min", "b.max_length"});
  CHECK(screened.warned == found->warned);
}

TEST_CASE("a condition over columns is explained by what it reads") {
  const auto source = flown("a = { type = \"int32\", nullable = true }\nb = \"string\"\n",
                            "pair = { row = \"a > 3 and b <> 'x'\" }\n");
  const auto checks = compiled(source);
  const auto rows = rows_of(source, R"({"ts":"2001-01-01T00:00:00Z","a":5,"b":"x"}
{"ts":"2001-01-01T00:00:00Z","a":null,"b":"y"}
{"ts":"2001-01-01T00:00:00Z","a":null,"b":"x"}
)");
  const auto bad = checks->check(rows);  // null and true is null, which passes
  REQUIRE(bad.size() == 2);
  CHECK(bad[0].row == 0);
  CHECK(bad[1].row == 2);
  const int rule = bad[0].rules.at(0);
  CHECK(checks->explain(rows, 0, rule) == "must hold: a > 3 and b <> 'x', found a = 5, b = \"x\"");
  CHECK(checks->explain(rows, 2, rule) ==
        "must hold: a > 3 and b <> 'x', found a = null, b = \"x\"");
  CHECK(checks->found(rows, 0, rule).dump() == R"({"a":5,"b":"x"})");
  CHECK(checks->rules()[static_cast<std::size_t>(rule)].check == 0);

  // Where a column is not there, it is not asked.
  const std::vector<int> some = {source.schema.index_of("b")};
  const auto without = RowChecks::compile(source, some);
  REQUIRE(without);
  for (const Rule& each : (*without)->rules()) CHECK(each.name != "checks.pair");
}

TEST_CASE("a time may be so far ahead of its row's, or of its arrival") {
  const auto source =
      flown("eta = { type = \"timestamp\", nullable = true, max_ahead = \"30min\" }\n");
  const auto checks = compiled(source);
  const auto rows = rows_of(source, R"({"ts":"2001-01-01T00:00:00Z","eta":"2001-01-01T01:30:00Z"}
{"ts":"2001-01-01T00:00:00Z","eta":"2001-01-01T01:30:00.000001Z"}
{"ts":"2001-01-01T00:00:00Z","eta":null}
)");
  CHECK(named(*checks, checks->check(rows)) ==
        std::map<std::int64_t, Names>{{1, {"eta.max_ahead"}}});
  const std::int64_t midnight = rows.columns[0].integer(0);
  const std::vector<std::int64_t> arrivals = {midnight, midnight + 2 * kHourUs,
                                              midnight - 2 * kHourUs - 1};
  const auto found = checks->find(rows, {arrivals, nullptr, nullptr});
  REQUIRE(found);
  CHECK(named(*checks, found->bad) ==
        std::map<std::int64_t, Names>{{0, {"eta.max_ahead"}}, {2, {"ts.max_ahead"}}});
}

TEST_CASE("where the known time cannot be told the clock says what is ahead") {
  const auto source = flown("eta = { type = \"timestamp\", max_ahead = \"30min\" }\n");
  const auto checks = compiled(source);
  data::ColumnBuilder times(Type::timestamp), etas(Type::timestamp);
  for (const std::int64_t eta : {29 * kMinuteUs, 31 * kMinuteUs}) {
    times.append_null();
    etas.append_integer(eta);
  }
  const data::Batch rows{source.schema, {times.finish(), etas.finish()}, 2};
  const std::vector<UnreadableValue> unreadable = {{0, 0, "ts.type", "ts: no time"},
                                                   {1, 0, "ts.type", "ts: no time"}};
  const auto rules_at = [&](std::optional<std::int64_t> now_us) {
    const auto screened = screen(*checks, source, rows, "f", 0,
                                 {.arrivals = {}, .now_us = now_us, .unreadable = unreadable});
    REQUIRE(screened);
    REQUIRE(screened->quarantined.size() == 2);
    CHECK(screened->quarantined[0].rules == Names{"ts.type"});
    return screened->quarantined[1].rules;
  };
  CHECK(rules_at(0) == Names{"ts.type", "eta.max_ahead"});
  CHECK(rules_at(std::nullopt) == Names{"ts.type"});
}

TEST_CASE("a null known time is told with all other rules, unless an unreadable value says why") {
  const auto source = flown("n = { type = \"int64\", max = 9 }\n");
  std::vector<UnreadableValue> unreadable = {{2, 0, "ts.type", "ts: no time"},
                                             {3, 1, "n.type", "n: no number"}};
  const std::vector<std::int64_t> unknown = {1, 2, 3};
  add_unknown(source, unknown, unreadable);
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const UnreadableValue& value : unreadable) found.emplace_back(value.row, value.rule);
  CHECK(found == std::vector<std::pair<std::int64_t, std::string>>{
                     {1, "known"}, {2, "ts.type"}, {3, "n.type"}, {3, "known"}});
}

TEST_CASE("what breaks a rule is kept in the quarantine up to a bound") {
  const auto source = flown("b = { type = \"string\", max_length = 3 }\n");
  const auto checks = compiled(source);
  data::ColumnBuilder times(Type::timestamp), texts(Type::string);
  times.append_integer(0);
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "\u00E4";
  texts.append_string(text);
  const data::Batch rows{source.schema, {times.finish(), texts.finish()}, 1};
  const Screened screened = screen(*checks, source, rows, "f", 0);
  REQUIRE(screened.quarantined.size() == 1);
  const data::Json* observed = screened.quarantined[0].observed.find("b.max_length");
  REQUIRE(observed != nullptr);
  CHECK(*observed->string() == text.substr(0, 1000) + "\u2026");
  CHECK(screened.quarantined[0].raw.size() > text.size());  // the row itself is whole
}

TEST_CASE("differences of times beyond 64 bits are told right") {
  const auto source = flown("");
  const auto checks = compiled(source);
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  data::ColumnBuilder builder(Type::timestamp);
  builder.append_integer(kMost);
  builder.append_integer(kLeast);
  const data::Batch rows{source.schema, {builder.finish()}, 2};
  const std::vector<std::int64_t> arrivals = {kLeast, kMost};
  const auto found = checks->find(rows, {arrivals, nullptr, nullptr});
  REQUIRE(found);
  CHECK(named(*checks, found->bad) == std::map<std::int64_t, Names>{{0, {"ts.max_ahead"}}});
}

TEST_CASE("bytes that are no UTF-8 break that rule alone, and are told in text") {
  const auto source = flown("b = { type = \"string\", pattern = \".{1,2}\", min_length = 9 }\n");
  const auto checks = compiled(source);
  data::ColumnBuilder times(Type::timestamp), texts(Type::string);
  for (const char* text : {"\xFF\xFE", "a\xC3", "\xED\xA0\x80", "äö"}) {
    times.append_integer(0);
    texts.append_string(text);
  }
  data::Batch rows{source.schema, {}, 4};
  rows.columns.push_back(times.finish());
  rows.columns.push_back(texts.finish());
  CHECK(named(*checks, checks->check(rows)) ==
        std::map<std::int64_t, Names>{
            {0, {"b.utf8"}}, {1, {"b.utf8"}}, {2, {"b.utf8"}}, {3, {"b.min_length"}}});
  const Screened screened = screen(*checks, source, rows, "f", 0);
  REQUIRE(screened.quarantined.size() == 4);
  CHECK(screened.quarantined[0].reason.starts_with("b must be UTF-8, found "));
}

TEST_CASE(
    "of a column whose bytes are UTF-8 a text that begins or ends within a character breaks that "
    "rule") {
  const auto source = flown("b = { type = \"string\", nullable = true, pattern = \".{1,4}\" }\n");
  const auto checks = compiled(source);
  // Behind each other the texts are UTF-8, and one by one when the second row is null.
  for (const bool cut : {true, false}) {
    const std::vector<std::string> parts = {"ok", cut ? "a\xC3" : "", cut ? "\xA4z" : "äz", "äö"};
    std::string bytes;
    std::vector<std::int32_t> offsets = {0};
    for (const std::string& part : parts) {
      bytes += part;
      offsets.push_back(static_cast<std::int32_t>(bytes.size()));
    }
    data::ColumnBuilder times(Type::timestamp);
    for (int row = 0; row < 4; ++row) times.append_integer(0);
    data::Batch rows{source.schema, {}, 4};
    rows.columns.push_back(times.finish());
    rows.columns.push_back(
        data::Column::strings(offsets, bytes, {static_cast<std::uint8_t>(cut ? 0b1111 : 0b1101)}));
    const auto broken = named(*checks, checks->check(rows));
    if (cut)
      CHECK(broken == std::map<std::int64_t, Names>{{1, {"b.utf8"}}, {2, {"b.utf8"}}});
    else
      CHECK(broken.empty());
  }
}

TEST_CASE("a column that allows NaN and infinities keeps their order to bounds") {
  const auto source = flown("x = { type = \"float64\", finite = false, min = 0, max = 9 }\n");
  const auto checks = compiled(source);
  data::ColumnBuilder times(Type::timestamp), values(Type::float64);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double x : {std::numeric_limits<double>::quiet_NaN(), kInfinity, -kInfinity, 5.0}) {
    times.append_integer(0);
    values.append_real(x);
  }
  data::Batch rows{source.schema, {}, 4};
  rows.columns.push_back(times.finish());
  rows.columns.push_back(values.finish());
  CHECK(named(*checks, checks->check(rows)) ==
        std::map<std::int64_t, Names>{{1, {"x.max"}}, {2, {"x.min"}}});
}

TEST_CASE("a column may be null where it may be absent") {
  const auto source = flown("y = { type = \"bool\", environments = [\"train\"] }\n");
  const auto rows = rows_of(source, "{\"ts\":\"2001-01-01T00:00:00Z\"}\n");
  const auto train = compiled(source);
  CHECK(named(*train, train->check(rows)) == std::map<std::int64_t, Names>{{0, {"y.null"}}});
  const auto serve = RowChecks::compile(source, define::Environment::serve);
  REQUIRE(serve);
  CHECK((*serve)->check(rows).empty());
}

TEST_CASE("rows of one key go up, across batches; bad rows are followed by none") {
  const auto source = flown("k = \"string\"\nn = { type = \"int32\", max = 90 }\n",
                            "up = { increasing = \"n\", by = [\"k\"], strictly = true }\n");
  const auto checks = compiled(source);
  const auto row = [](const char* key, int n) {
    return "{\"ts\":\"2001-01-01T00:00:00Z\",\"k\":\"" + std::string(key) +
           "\",\"n\":" + std::to_string(n) + "}\n";
  };
  LastValues last;
  const RowContext context{{}, &last, nullptr};
  const auto first = checks->find(
      rows_of(source, row("a", 1) + row("b", 5) + row("a", 2) + row("a", 99) + row("b", 5)),
      context);
  REQUIRE(first);
  CHECK(named(*checks, first->bad) ==
        std::map<std::int64_t, Names>{{3, {"n.max"}}, {4, {"checks.up"}}});
  // 99 did not stay, so 3 follows 2.
  const auto second =
      checks->find(rows_of(source, row("a", 3) + row("b", 4) + row("c", 0)), context);
  REQUIRE(second);
  CHECK(named(*checks, second->bad) == std::map<std::int64_t, Names>{{1, {"checks.up"}}});
  CHECK(last.size() == 3);
  CHECK(checks->check(rows_of(source, row("a", 1) + row("a", 1))).empty());  // no state, not asked
}

TEST_CASE(
    "of a row with a value that could not be read every rule that does not need it is asked") {
  const auto source = flown(
      "k = { type = \"string\", pattern = \"[a-z]\" }\nn = { type = \"int32\", max = 90 }\n"
      "m = { type = \"int32\", nullable = true, max = 5 }\nw = { type = \"int32\", max = 1, "
      "severity = \"warn\" }\n",
      "both = { row = \"n > 0 and w = 1\" }\nno_m = { row = \"m is null\" }\n"
      "up = { increasing = \"w\", by = [\"k\"] }\n");
  const auto checks = compiled(source);
  const auto line = [](const char* k, const char* n, const char* m, const char* w) {
    return std::string(R"({"ts":"2001-01-01T00:00:00Z","k":")") + k + R"(","n":)" + n + R"(,"m":)" +
           m + R"(,"w":)" + w + "}\n";
  };
  const std::string jsonl = line("a", "1", "null", "1") + line("A", "1", "7", "3") +
                            line("a", "91", "null", "3") + line("a", "1", "null", "1");
  data::Batch rows = rows_of(source, jsonl);
  const auto unreadable_in = [&](const char* column, std::int64_t row) {
    return UnreadableValue{row, source.schema.index_of(column), std::string(column) + ".type",
                           std::string(column) + " is odd", "odd"};
  };
  // Rows 1 and 2 lack n; the third's w would hold back the fourth's if it stayed.
  const std::vector<UnreadableValue> unreadable = {unreadable_in("n", 1), unreadable_in("n", 2)};
  LastValues last;
  const RowContext context{.arrivals = {}, .last_values = &last, .unreadable = unreadable};
  const auto found = checks->find(rows, context);
  REQUIRE(found);
  CHECK(named(*checks, found->bad) ==
        std::map<std::int64_t, Names>{{1, {"k.pattern", "m.max", "checks.no_m"}}});
  REQUIRE(found->bad.size() == 2);
  CHECK(found->bad[1] == RowVerdict{2, {}});  // leaves for its n alone
  CHECK(named(*checks, found->warned) ==
        std::map<std::int64_t, Names>{{1, {"w.max"}}, {2, {"w.max"}}});
  const RowFaults faults = faults_of(*checks, rows, *found, found->bad[0], context);
  CHECK(faults.rules == Names{"n.type", "k.pattern", "m.max", "checks.no_m", "w.max"});
  CHECK(faults.reason.starts_with("n is odd; k "));
  CHECK(faults.observed.find("n.type")->dump() == "\"odd\"");
  CHECK(faults.observed.find("w.max")->dump() == "3");
  // With their n the condition over it and the bound are broken too.
  const auto whole = checks->find(rows, {});
  REQUIRE(whole);
  CHECK(named(*checks, whole->bad)[2] == Names{"n.max", "checks.both"});
}

TEST_CASE("a row that goes down and stays is what the next one follows") {
  const auto source = flown("n = \"int32\"\nm = \"int32\"\n",
                            "low = { increasing = \"n\", severity = \"warn\" }\n"
                            "out = { increasing = \"m\" }\n");
  const auto checks = compiled(source);
  const auto row = [](int n, int m) {
    return "{\"ts\":\"2001-01-01T00:00:00Z\",\"n\":" + std::to_string(n) +
           ",\"m\":" + std::to_string(m) + "}\n";
  };
  LastValues last;
  const RowContext context{{}, &last, nullptr};
  // 3 after 5 is told and stays, so 4 may follow; the row of 9 goes for its m, so 6 may follow.
  const auto found = checks->find(
      rows_of(source, row(5, 1) + row(3, 2) + row(4, 3) + row(9, 1) + row(6, 3)), context);
  REQUIRE(found);
  CHECK(named(*checks, found->warned) == std::map<std::int64_t, Names>{{1, {"checks.low"}}});
  CHECK(named(*checks, found->bad) == std::map<std::int64_t, Names>{{3, {"checks.out"}}});
}

TEST_CASE("last values keep the keys seen last, and count when others are forgotten") {
  LastValues last(100);
  const auto key = [](std::uint64_t k) { return data::Hash128{k, k}; };
  for (std::uint64_t k = 0; k < 1000; ++k) {
    CHECK(last.may_follow(key(k), 7, false));
    last.set(key(k), 7);
    CHECK(last.size() <= 200);
    CHECK(last.may_follow(key(0), 8, false));  // seen all the time
    last.set(key(0), 8);
  }
  CHECK(last.forgotten_count() > 0);
  CHECK_FALSE(last.may_follow(key(0), 7, false));
  CHECK_FALSE(last.may_follow(key(999), 6, false));
  CHECK(last.may_follow(key(1), 0, false));  // forgotten
}

TEST_CASE("a key must have been known before its row was") {
  const auto source = flown("tail = { type = \"string\", nullable = true }\n",
                            "plane = { refers = \"tail\", to = \"other.tail\" }\n");
  const auto checks = compiled(source);
  KeyTimes times(2);
  data::ColumnBuilder keys(Type::string);
  keys.append_string("N1");
  keys.append_null();
  keys.append_string("N2");
  keys.append_string("N1");
  const auto rows = rows_of(source, R"({"ts":"2001-01-01T00:00:00Z","tail":"N1"}
{"ts":"2001-01-01T00:00:00Z","tail":"N2"}
{"ts":"2001-01-01T00:00:00Z","tail":"N3"}
{"ts":"2001-01-01T00:00:00Z","tail":null}
)");
  const std::int64_t known = rows.columns[0].integer(0) + kHourUs;  // of the rows
  const std::vector<std::int64_t> since = {known + 5, 0, known, known - 1};
  REQUIRE(times.add(keys.finish(), since));
  const KnownKeys ask = [&](const define::Check& check, const data::Column& column,
                            std::span<const std::int64_t> before,
                            std::span<std::uint8_t> answers) -> Status {
    CHECK(check.text == "other.tail");
    times.answer(column, before, answers);
    return {};
  };
  const auto found = checks->find(rows, {{}, nullptr, &ask});
  REQUIRE(found);
  CHECK(named(*checks, found->bad) ==
        std::map<std::int64_t, Names>{{1, {"checks.plane"}}, {2, {"checks.plane"}}});
  CHECK(checks->explain(rows, 2, found->bad[1].rules[0]) ==
        "tail must be a value of other.tail that was known before its row, found tail = \"N3\"");

  data::ColumnBuilder more(Type::string);
  more.append_string("N4");
  const std::vector<std::int64_t> one = {0};
  const auto full = times.add(more.finish(), one);
  REQUIRE_FALSE(full);
  CHECK(full.error().code == Code::unsupported);

  const KnownKeys broken = [](const define::Check&, const data::Column&,
                              std::span<const std::int64_t>, std::span<std::uint8_t>) -> Status {
    return fail(Code::io, "no disk");
  };
  CHECK_FALSE(checks->find(rows, {{}, nullptr, &broken}));
}

}  // namespace
}  // namespace coeval::quality
