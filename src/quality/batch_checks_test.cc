#include "quality/batch_checks.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "quality/batch_for_tests.h"

namespace coeval::quality {
namespace {

using namespace for_tests;

const Value kNull;
Value whole(std::int64_t v) { return v; }
Value text(std::string v) { return v; }

Check within(Check check, std::optional<double> min, std::optional<double> max) {
  check.min = min;
  check.max = max;
  return check;
}
Check spanning(Check check, std::int64_t us) {
  check.span_us = us;
  return check;
}

TEST_CASE("unique: equal values fail and name both places") {
  const auto found = found_by(check_of(CheckKind::unique, {kId}),
                              rows_of(kId, {whole(7), whole(8), whole(7), whole(7)}));
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.rule == "checks.it");
  CHECK(found.kind == "unique");
  CHECK(found.rows_count == 2);
  CHECK(found.rows == std::vector<std::int64_t>{2, 3});
  CHECK(found.number == 2.0);
  CHECK(found.observed == "2 rows repeat an earlier one");
  CHECK(found.expected == "no two rows with equal id");
  CHECK(found.examples ==
        std::vector<std::string>{"row 2 repeats row 0: id 7", "row 3 repeats row 0: id 7"});
}

TEST_CASE("unique: nulls equal nothing, as in SQL") {
  const auto found = found_by(check_of(CheckKind::unique, {kId}),
                              rows_of(kId, {kNull, whole(1), kNull, whole(2)}));
  CHECK(found.outcome == Outcome::passed);
  CHECK(found.examples.empty());
  std::vector<Row> rows = rows_of(kName, {text("a"), text("a")});
  CHECK(found_by(check_of(CheckKind::unique, {kId, kName}), rows).outcome == Outcome::passed);
}

TEST_CASE("unique: of several columns all must be equal") {
  std::vector<Row> rows{{0, 0, 4, {{kId, whole(1)}, {kName, text("a")}}},
                        {0, 0, 5, {{kId, whole(1)}, {kName, text("b")}}},
                        {0, 0, 6, {{kId, whole(2)}, {kName, text("a")}}}};
  CHECK(found_by(check_of(CheckKind::unique, {kId, kName}), rows).outcome == Outcome::passed);
  rows.push_back({0, 0, 9, {{kId, whole(1)}, {kName, text("b")}}});
  const auto found = found_by(check_of(CheckKind::unique, {kId, kName}), rows);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.examples == std::vector<std::string>{"row 9 repeats row 5: id 1, name 'b'"});
}

TEST_CASE("unique: texts do not run into each other") {
  define::Source of = source();
  std::vector<Row> rows{{0, 0, 0, {{kName, text("ab")}, {kId, whole(0)}}},
                        {0, 0, 1, {{kName, text("a")}, {kId, whole(98)}}}};
  CHECK(found_by(check_of(CheckKind::unique, {kName, kId}), rows).outcome == Outcome::passed);
}

TEST_CASE("unique: floats, booleans, decimals and times; −0 is 0") {
  CHECK(found_by(check_of(CheckKind::unique, {kX}), rows_of(kX, {0.0, 1.5})).outcome ==
        Outcome::passed);
  const auto zeros = found_by(check_of(CheckKind::unique, {kX}), rows_of(kX, {0.0, 1.5, -0.0}));
  CHECK(zeros.examples == std::vector<std::string>{"row 2 repeats row 0: x 0"});
  const auto truths =
      found_by(check_of(CheckKind::unique, {kTruth}), rows_of(kTruth, {true, false, true}));
  CHECK(truths.examples == std::vector<std::string>{"row 2 repeats row 0: truth true"});
  const auto amounts = found_by(check_of(CheckKind::unique, {kAmount}),
                                rows_of(kAmount, {whole(1230), whole(1231), whole(1230)}));
  CHECK(amounts.examples == std::vector<std::string>{"row 2 repeats row 0: amount 12.30"});
  const auto times = found_by(check_of(CheckKind::unique, {kAt}), rows_at({5, kDayUs, 5}));
  CHECK(times.examples ==
        std::vector<std::string>{"row 2 repeats row 0: at 1970-01-01T00:00:00.000005Z"});
}

TEST_CASE("unique: personal values are not told") {
  define::Source of = source();
  of.columns[kName].pii = true;
  of.checks.push_back(check_of(CheckKind::unique, {kId, kName}));
  const BatchChecks checks(of, define::Environment::train, no_reference);
  auto accumulator = checks.start();
  const std::vector<std::pair<int, Value>> ann{{kId, whole(1)}, {kName, text("ann@example.org")}};
  add(accumulator, of, {{0, 0, 0, ann}, {0, 0, 1, ann}});
  CHECK(accumulator.finish({})[0].examples ==
        std::vector<std::string>{"row 1 repeats row 0: id 1, name hidden"});
}

TEST_CASE("rows: the number of rows within its bounds, which belong to them") {
  const auto rows = rows_of(kId, {whole(1), kNull, whole(3)});
  const Check check = check_of(CheckKind::rows);
  CHECK(found_by(within(check, 3, 3), rows).outcome == Outcome::passed);
  CHECK(found_by(within(check, 4, {}), rows).outcome == Outcome::failed);
  CHECK(found_by(within(check, {}, 2), rows).outcome == Outcome::failed);
  const auto found = found_by(within(check, 1, 2), rows);
  CHECK(found.observed == "3 rows");
  CHECK(found.expected == "a number of rows of 1 to 2");
  CHECK(found_by(within(check, 1, {}), {}).outcome == Outcome::failed);
  CHECK(found_by(within(check, 0, {}), {}).outcome == Outcome::passed);
}

TEST_CASE("null_share: nulls of all rows") {
  const auto rows = rows_of(kX, {1.0, kNull, 2.0, std::nan("")});
  const Check check = check_of(CheckKind::null_share, {kX});
  CHECK(found_by(within(check, {}, 0.25), rows).outcome == Outcome::passed);
  const auto found = found_by(within(check, {}, 0.2), rows);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.observed == "0.25 (1 of 4 rows)");
  CHECK(found.number == 0.25);
  CHECK(found_by(within(check, {}, 0), rows_of(kX, {1.0})).outcome == Outcome::passed);
  CHECK(found_by(within(check, {}, 1), {}).outcome == Outcome::not_evaluated);
}

TEST_CASE("distinct: exact up to 4,096 values, an estimate that says so beyond") {
  const Check ids = check_of(CheckKind::distinct, {kId});
  const auto few = rows_of(kId, {whole(1), kNull, whole(2), whole(1)});
  CHECK(found_by(within(ids, 2, 2), few).outcome == Outcome::passed);
  CHECK(found_by(within(ids, 3, {}), few).outcome == Outcome::failed);
  CHECK(found_by(within(ids, {}, 1), few).observed == "2 distinct values");
  const auto texts = rows_of(kName, {text("a"), text(""), kNull, text("a")});
  CHECK(found_by(within(check_of(CheckKind::distinct, {kName}), 2, 2), texts).outcome ==
        Outcome::passed);
  const auto reals = rows_of(kX, {0.0, -0.0, std::nan(""), -std::nan("1"), 1.0});
  CHECK(found_by(within(check_of(CheckKind::distinct, {kX}), 3, 3), reals).outcome ==
        Outcome::passed);
  std::vector<Value> values;
  for (std::int64_t i = 0; i < 4096; ++i) values.push_back(whole(i * 1'000'003));
  CHECK(found_by(within(ids, 4096, 4096), rows_of(kId, values)).outcome == Outcome::passed);
  for (std::int64_t i = 4096; i < 50'000; ++i) values.push_back(whole(i * 1'000'003));
  const auto many = found_by(within(ids, 48'000, 52'000), rows_of(kId, values));
  CHECK(many.outcome == Outcome::passed);
  CHECK(many.observed.starts_with("about "));
}

TEST_CASE("mean: exact, rounded once, nulls apart") {
  const Check x = check_of(CheckKind::mean, {kX});
  const auto rows = rows_of(kX, {1e16, 1.0, kNull, -1e16});
  const auto found = found_by(within(x, 0.34, {}), rows);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.number == 1.0 / 3.0);
  CHECK(found_by(within(x, 0.33, 0.34), rows).outcome == Outcome::passed);
  CHECK(found_by(within(x, {}, 0.33), rows).outcome == Outcome::failed);
  const auto amounts = rows_of(kAmount, {whole(10), whole(20), whole(30)});
  CHECK(found_by(within(check_of(CheckKind::mean, {kAmount}), 0.2, 0.2), amounts).outcome ==
        Outcome::passed);
  CHECK(found_by(within(x, -1e300, 1e300), rows_of(kX, {1.0, std::nan("")})).outcome ==
        Outcome::failed);
  const auto none = found_by(within(x, 0, 1), rows_of(kX, {kNull}));
  CHECK(none.outcome == Outcome::not_evaluated);
  CHECK(none.observed == "there are no values");
}

TEST_CASE("quantile: numpy's default, exact") {
  Check check = check_of(CheckKind::quantile, {kX});
  check.p = 0.75;
  const auto rows = rows_of(kX, {4.0, kNull, 1.0, -3.0, 10.0});  // -3 1 4 10: 4 + 0.25·6
  const auto found = found_by(within(check, 5.5, 5.5), rows);
  CHECK(found.outcome == Outcome::passed);
  CHECK(found.number == 5.5);
  CHECK(found_by(within(check, {}, 5.4), rows).outcome == Outcome::failed);
  CHECK(found_by(within(check, 5.6, {}), rows).outcome == Outcome::failed);
  CHECK(found_by(within(check, {}, 9), rows_of(kX, {1.0, std::nan("")})).outcome ==
        Outcome::failed);
  CHECK(found_by(within(check, {}, 9), rows_of(kX, {kNull})).outcome == Outcome::not_evaluated);
  check.columns = {kAmount};
  check.p = 1;
  CHECK(found_by(within(check, 0.3, 0.3), rows_of(kAmount, {whole(30), whole(-500)})).outcome ==
        Outcome::passed);
}

TEST_CASE("sum: equal to another source's, exactly, up to the tolerance") {
  Check check = check_of(CheckKind::sum, {kAmount});
  check.text = "ledger.amount";
  check.other_source = 3;
  check.other_column = 2;
  const auto rows = rows_of(kAmount, {whole(10), whole(20), kNull});  // 0.30
  BatchContext context;
  double other = 0.3;
  context.other_sum = [&](int of, int column) -> Result<ColumnSum> {
    CHECK(of == 3);
    CHECK(column == 2);
    ColumnSum sum(data::Type::float64);
    data::ColumnBuilder builder(data::Type::float64);
    builder.append_real(other);
    sum.add(builder.finish());
    return sum;
  };
  // 0.3 as a float64 is below three tenths, by less than any tolerance.
  CHECK(found_by(check, rows, context).outcome == Outcome::failed);
  check.tolerance = 1e-16;
  CHECK(found_by(check, rows, context).outcome == Outcome::passed);
  other = 0.31;
  const auto off = found_by(check, rows, context);
  CHECK(off.outcome == Outcome::failed);
  CHECK(off.observed == "0.30, ledger.amount 0.31");
  CHECK(found_by(check, rows).outcome == Outcome::not_evaluated);
  context.other_sum = [](int, int) -> Result<ColumnSum> {
    return fail(Code::no_such_file, "no file 'ledger.csv'");
  };
  const auto unread = found_by(check, rows, context);
  CHECK(unread.outcome == Outcome::not_evaluated);
  CHECK(unread.observed == "no file 'ledger.csv'");
}

TEST_CASE("freshness: by event time, by arrival, by both") {
  Check check = spanning(check_of(CheckKind::freshness), kHourUs);
  std::vector<Row> rows{{kDayUs, kDayUs + 2 * kHourUs, 0, {}}, {5, 6, 1, {}}};
  BatchContext context;
  context.now_us = kDayUs + kHourUs;
  CHECK(found_by(check, rows, context).outcome == Outcome::passed);
  context.now_us += 1;
  const auto old = found_by(check, rows, context);
  CHECK(old.outcome == Outcome::failed);
  CHECK(old.observed == "newest event time 1970-01-02T00:00:00Z, 1h old");
  check.freshness_of = define::FreshnessOf::arrival;
  CHECK(found_by(check, rows, context).outcome == Outcome::passed);
  check.freshness_of = define::FreshnessOf::both;
  CHECK(found_by(check, rows, context).outcome == Outcome::failed);
  context.now_us = kDayUs + kHourUs;
  CHECK(found_by(check, rows, context).outcome == Outcome::passed);
  context.now_us = kDayUs + 3 * kHourUs + 1;
  check.freshness_of = define::FreshnessOf::arrival;
  CHECK(found_by(check, rows, context).outcome == Outcome::failed);
  CHECK(found_by(check, {}, context).outcome == Outcome::not_evaluated);
}

TEST_CASE("late_share: rows known more than the span after they happened") {
  const Check check = spanning(check_of(CheckKind::late_share), 10);
  const std::vector<Row> rows{{0, 10, 0, {}}, {0, 11, 1, {}}, {5, 5, 2, {}}, {100, 90, 3, {}}};
  CHECK(found_by(within(check, {}, 0.25), rows).outcome == Outcome::passed);
  const auto found = found_by(within(check, {}, 0.24), rows);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.rows == std::vector<std::int64_t>{1});
  CHECK(found.observed == "0.25 (1 of 4 rows)");
}

TEST_CASE("out_of_order_share: rows below one before them, by the batch's order") {
  const Check check = check_of(CheckKind::out_of_order_share);
  // 20 and 20 are no disorder; 15 and 19 lie below 20, 21 does not.
  const auto rows = rows_at({10, 20, 20, 15, 19, 21});
  CHECK(found_by(within(check, {}, 0.34), rows).outcome == Outcome::passed);
  const auto found = found_by(within(check, {}, 0.33), rows);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.rows == std::vector<std::int64_t>{3, 4});
  CHECK(found_by(within(check, {}, 0), rows_at({1, 1, 2})).outcome == Outcome::passed);
}

TEST_CASE("gap: longer than the span between neighbours of one key, in order of event time") {
  Check check = within(spanning(check_of(CheckKind::gap), 10), {}, 0);
  CHECK(found_by(check, rows_at({20, 0, 10, 30})).outcome == Outcome::passed);
  const auto found = found_by(check, rows_at({20, 0, 9, 31}));
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.rows == std::vector<std::int64_t>{0, 3});  // 9 → 20 and 20 → 31
  CHECK(found.observed == "2 gaps, the longest 11us");
  CHECK(found_by(within(check, {}, 2), rows_at({20, 0, 9, 31})).outcome == Outcome::passed);
  check.keys = {kName};
  std::vector<Row> rows{{0, 0, 0, {{kName, text("a")}}},
                        {5, 5, 1, {{kName, text("b")}}},
                        {10, 10, 2, {{kName, text("a")}}},
                        {15, 15, 3, {{kName, text("b")}}},
                        {500, 500, 4, {}}};  // of no key
  CHECK(found_by(check, rows).outcome == Outcome::passed);
  rows.push_back({40, 40, 5, {{kName, text("b")}}});
  const auto keyed = found_by(check, rows);
  CHECK(keyed.rows == std::vector<std::int64_t>{5});
  CHECK(keyed.examples == std::vector<std::string>{"the longest lies before row 5 at "
                                                   "1970-01-01T00:00:00.000040Z, name 'b'"});
}

// Rows in the hours of a list: hour and number.
std::vector<Row> rows_in(const std::vector<std::pair<std::int64_t, int>>& hours) {
  std::vector<std::int64_t> times;
  for (const auto& [hour, count] : hours)
    for (int i = 0; i < count; ++i) times.push_back(hour * kHourUs + i);
  return rows_at(times);
}

TEST_CASE("volume: an hour against the median of the same hours of the weeks before it") {
  Check check = spanning(check_of(CheckKind::volume), 4 * 7 * kDayUs);
  check.max = 3;
  constexpr std::int64_t kWeek = 168, kNow = 5 * kWeek;
  HourlyRows history;
  for (std::int64_t week = 0; week < 5; ++week)
    for (std::int64_t hour = 0; hour < 4; ++hour) history.rows[week * kWeek + hour] = 99;
  history.rows[4 * kWeek] = 100'000;  // one odd week does not move a median
  BatchContext context;
  context.history = &history;
  const std::vector<std::pair<std::int64_t, int>> usual{{kNow, 99}, {kNow + 1, 99}, {kNow + 2, 99}};
  const auto found = found_by(check, rows_in(usual), context);
  CHECK(found.outcome == Outcome::passed);
  CHECK(found.number == 1.0);
  SUBCASE("too full") {
    CHECK(found_by(check, rows_in({{kNow, 299}}), context).outcome == Outcome::passed);
    const auto full = found_by(check, rows_in({{kNow, 300}}), context);
    CHECK(full.outcome == Outcome::failed);
    CHECK(full.number == 3.01);
    CHECK(full.examples ==
          std::vector<std::string>{"the hour of 1970-02-05T00:00:00Z has 300 rows, usual are 99"});
  }
  SUBCASE("too empty, but for the ends of the batch") {
    CHECK(found_by(check, rows_in({{kNow, 99}, {kNow + 1, 32}, {kNow + 2, 99}}), context).outcome ==
          Outcome::failed);
    CHECK(found_by(check, rows_in({{kNow, 99}, {kNow + 1, 33}, {kNow + 2, 99}}), context).outcome ==
          Outcome::passed);
    CHECK(found_by(check, rows_in({{kNow, 99}, {kNow + 2, 99}}), context).outcome ==
          Outcome::failed);
    CHECK(found_by(check, rows_in({{kNow, 1}, {kNow + 1, 99}, {kNow + 2, 1}}), context).outcome ==
          Outcome::passed);
  }
  SUBCASE("rows that history has of the hour already count") {
    history.rows[kNow] = 250;
    CHECK(found_by(check, rows_in({{kNow, 60}}), context).outcome == Outcome::failed);
  }
  SUBCASE("under three weeks are no history") {
    history.rows.erase(history.rows.begin(), history.rows.lower_bound(3 * kWeek));
    const auto none = found_by(check, rows_in(usual), context);
    CHECK(none.outcome == Outcome::not_evaluated);
    CHECK(none.observed.starts_with("not enough history"));
  }
  SUBCASE("weeks beyond the span do not count") {
    check.span_us = 2 * 7 * kDayUs;
    CHECK(found_by(check, rows_in(usual), context).outcome == Outcome::not_evaluated);
  }
  SUBCASE("without history, without rows, over too many hours") {
    CHECK(found_by(check, rows_in(usual)).outcome == Outcome::not_evaluated);
    CHECK(found_by(check, {}, context).outcome == Outcome::not_evaluated);
    const auto wide = found_by(check, rows_at({0, 300'000 * kHourUs}), context);
    CHECK(wide.outcome == Outcome::not_evaluated);
    CHECK(wide.observed.starts_with("event times spread"));
  }
}

TEST_CASE("hours before 1970 begin on the hour too") {
  HourlyRows rows;
  rows.add(std::vector<std::int64_t>{-1, -kHourUs, -kHourUs - 1, 0, kHourUs - 1});
  CHECK(rows.rows == std::map<std::int64_t, std::int64_t>{{-2, 1}, {-1, 2}, {0, 2}});
}

TEST_CASE("a column that is absent in the environment skips its checks, and says so") {
  define::Source of = source();
  of.columns[kX].in_serve = false;
  of.checks.push_back(within(check_of(CheckKind::mean, {kX}), 100, 200));
  Check gaps = within(spanning(check_of(CheckKind::gap), 1), {}, 0);
  gaps.keys = {kX};
  of.checks.push_back(gaps);
  of.checks.push_back(within(check_of(CheckKind::rows), 5, {}));
  for (const auto environment : {define::Environment::train, define::Environment::serve}) {
    const BatchChecks checks(of, environment, no_reference);
    auto accumulator = checks.start();
    add(accumulator, of, rows_of(kX, {1.0}));
    const auto findings = accumulator.finish({});
    REQUIRE(findings.size() == 3);
    const bool skips = environment == define::Environment::serve;
    CHECK(findings[0].outcome == (skips ? Outcome::skipped : Outcome::failed));
    CHECK(findings[1].outcome == (skips ? Outcome::skipped : Outcome::passed));
    CHECK(findings[2].outcome == Outcome::failed);
    if (skips) CHECK(findings[0].observed == "column x is not in the environment serve");
    CHECK(findings[0].holds_batch() == !skips);
  }
}

TEST_CASE("only what is not green and no warning holds a batch") {
  BatchFinding finding;
  for (const auto severity : {define::Severity::warn, define::Severity::error}) {
    finding.severity = severity;
    const bool is_error = severity == define::Severity::error;
    finding.outcome = Outcome::passed;
    CHECK_FALSE(finding.holds_batch());
    finding.outcome = Outcome::skipped;
    CHECK_FALSE(finding.holds_batch());
    finding.outcome = Outcome::failed;
    CHECK(finding.holds_batch() == is_error);
    finding.outcome = Outcome::not_evaluated;
    CHECK(finding.holds_batch() == is_error);
    CHECK_FALSE(finding.is_green());
  }
}

TEST_CASE("a spill folder that is not there makes a check not evaluated, and the others go on") {
  define::Source of = source();
  of.checks.push_back(check_of(CheckKind::unique, {kId}));
  of.checks.push_back(within(check_of(CheckKind::rows), 1, {}));
  BatchCheckOptions options;
  options.memory_bytes = 0;
  options.spill_folder = "/there/is/no/such/folder";
  const BatchChecks checks(of, define::Environment::train, no_reference, options);
  auto accumulator = checks.start();
  std::vector<Value> ids;
  for (std::int64_t i = 0; i < 200'000; ++i) ids.push_back(whole(i));
  add(accumulator, of, rows_of(kId, ids));
  const auto findings = accumulator.finish({});
  CHECK(findings[0].outcome == Outcome::not_evaluated);
  CHECK(findings[0].holds_batch());
  CHECK(findings[1].outcome == Outcome::passed);
}

TEST_CASE("budgets are judged by counts alone") {
  define::Source of = source();
  of.max_bad_rows = 10;
  of.max_bad_ratio = 0.1;
  Check route = check_of(CheckKind::row);
  route.name = "route";
  route.severity = define::Severity::warn;
  route.warn_if = 3;
  route.error_if = 7;
  of.checks.push_back(route);
  of.checks.push_back(check_of(CheckKind::refers, {kId}));  // without bounds: nothing is found
  BadRows counts{100, 10, {{"checks.route", 2}}};
  auto findings = judge_bad_rows(of, counts);
  REQUIRE(findings.size() == 4);
  for (const auto& finding : findings) CHECK(finding.outcome == Outcome::passed);
  counts = {100, 11, {{"checks.route", 3}}};
  findings = judge_bad_rows(of, counts);
  CHECK(findings[0].rule == "max_bad_rows");
  CHECK(findings[0].outcome == Outcome::failed);
  CHECK(findings[0].holds_batch());
  CHECK(findings[0].observed == "11 bad rows");
  CHECK(findings[1].rule == "max_bad_ratio");
  CHECK(findings[1].outcome == Outcome::failed);
  CHECK(findings[1].observed == "0.11 (11 of 100 rows)");
  CHECK(findings[2].outcome == Outcome::passed);  // error_if
  CHECK(findings[3].outcome == Outcome::failed);  // warn_if
  CHECK_FALSE(findings[3].holds_batch());
  counts.by_rule["checks.route"] = 7;
  findings = judge_bad_rows(of, counts);
  CHECK(findings[2].outcome == Outcome::failed);
  CHECK(findings[2].holds_batch());
  CHECK(findings.size() == 3);  // that it would warn too goes without saying
  CHECK(judge_bad_rows(of, {0, 0, {}})[1].outcome == Outcome::passed);
  CHECK(judge_bad_rows(source(), counts).empty());
}

}  // namespace
}  // namespace coeval::quality
