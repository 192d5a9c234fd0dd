#include <doctest/doctest.h>

#include <cmath>

#include "quality/batch_for_tests.h"
#include "quality/profile.h"
#include "stores/temporary_folder.h"

namespace coeval::quality {
namespace {

using namespace for_tests;

// Values with how often each stands.
std::vector<Value> repeated(const std::vector<std::pair<Value, int>>& values) {
  std::vector<Value> all;
  for (const auto& [value, times] : values)
    all.insert(all.end(), static_cast<std::size_t>(times), value);
  return all;
}

// A reader that has one column of these values, by way of a profile.
ReferenceReader reference(const std::vector<Value>& values) {
  return [values](const std::string&, const data::Field& column) -> Result<ColumnReference> {
    ColumnProfile profile(column.type);
    data::ColumnBuilder builder(column.type);
    for (const Value& value : values) builder.append(value);
    profile.add(builder.finish());
    COEVAL_ASSIGN(auto bins, profile.reference());
    ColumnReference made{std::move(bins), std::nullopt};
    if (const auto known = profile.values()) {
      made.values.emplace();
      for (const auto& each : *known) made.values->push_back(each.value);
    }
    return made;
  };
}

Check at_most(CheckKind kind, int column, double max) {
  Check check = check_of(kind, {column});
  check.max = max;
  check.reference = "reference/flights.profile";
  return check;
}

const Value kA = std::string("a"), kB = std::string("b"), kC = std::string("c");

TEST_CASE("distances: equal shares are at 0, and the bound decides beyond it") {
  const auto before = reference(repeated({{kA, 500}, {kB, 500}}));
  const auto same = rows_of(kName, repeated({{kB, 300}, {kA, 300}}));
  const auto moved = rows_of(kName, repeated({{kA, 450}, {kB, 150}}));
  for (const CheckKind kind : {CheckKind::psi, CheckKind::linf, CheckKind::js, CheckKind::chi2}) {
    const auto equal = found_by(at_most(kind, kName, 1e-9), same, {}, before);
    CAPTURE(equal.observed);
    CHECK(equal.outcome == Outcome::passed);
    CHECK(found_by(at_most(kind, kName, 1e-3), moved, {}, before).outcome == Outcome::failed);
    CHECK(found_by(at_most(kind, kName, 1e9), moved, {}, before).outcome == Outcome::passed);
  }
  const auto linf = found_by(at_most(CheckKind::linf, kName, 0.25), moved, {}, before);
  CHECK(linf.number == 0.25);
  CHECK(linf.outcome == Outcome::passed);
  // (450 − 0.5·…)²: the table [[500, 500], [450, 150]] by hand: expected 593.75 and 406.25 of
  // 1,000, 356.25 and 243.75 of 600; each differs by 93.75.
  const double by_hand = 93.75 * 93.75 * (1 / 593.75 + 1 / 406.25 + 1 / 356.25 + 1 / 243.75);
  const auto chi2 = found_by(at_most(CheckKind::chi2, kName, 50), moved, {}, before);
  CHECK(*chi2.number == doctest::Approx(by_hand).epsilon(1e-12));
  CHECK(chi2.outcome == Outcome::failed);
}

TEST_CASE("psi: the corrected index is held against the bound, and the bins that moved are told") {
  const auto before = reference(repeated({{kA, 500}, {kB, 500}}));
  const auto moved = rows_of(kName, repeated({{kA, 450}, {kB, 150}}));
  const auto found = found_by(at_most(CheckKind::psi, kName, 0.1), moved, {}, before);
  CHECK(found.outcome == Outcome::failed);
  // Two bins that either has: raw less (2 − 1)(1/1000 + 1/600); the raw one is near
  // 2·¼·ln 3 / 2 = 0.2747 whatever the halves add to empty bins.
  CHECK(*found.number == doctest::Approx(0.2747 - 0.0027).epsilon(0.02));
  CHECK(found.observed.find("raw") != std::string::npos);
  REQUIRE(found.examples.size() >= 2);
  CHECK(found.examples[0].find("0.5 of the reference, 0.25 of the batch") != std::string::npos);
}

TEST_CASE("ks: of numbers, on the reference's bins") {
  std::vector<Value> low, high;
  for (int i = 0; i < 1000; ++i) {
    low.push_back(static_cast<double>(i));
    high.push_back(static_cast<double>(i + 500));
  }
  const auto before = reference(low);
  CHECK(found_by(at_most(CheckKind::ks, kX, 0.01), rows_of(kX, low), {}, before).outcome ==
        Outcome::passed);
  const auto found = found_by(at_most(CheckKind::ks, kX, 0.4), rows_of(kX, high), {}, before);
  CHECK(found.outcome == Outcome::failed);
  CHECK(*found.number == doctest::Approx(0.5).epsilon(0.01));
}

TEST_CASE("fewer than 200 rows on either side are not enough data, and never green") {
  const auto many = repeated({{kA, 100}, {kB, 100}}), few = repeated({{kA, 100}, {kB, 99}});
  for (const CheckKind kind : {CheckKind::psi, CheckKind::linf, CheckKind::js, CheckKind::chi2}) {
    CHECK(found_by(at_most(kind, kName, 9), rows_of(kName, many), {}, reference(many)).outcome ==
          Outcome::passed);
    const auto batch = found_by(at_most(kind, kName, 9), rows_of(kName, few), {}, reference(many));
    CHECK(batch.outcome == Outcome::not_evaluated);
    CHECK(batch.observed == "not enough data: the batch has 199 rows, 200 are needed");
    CHECK(found_by(at_most(kind, kName, 9), rows_of(kName, many), {}, reference(few)).outcome ==
          Outcome::not_evaluated);
  }
}

TEST_CASE("new_values: values that the reference has not; nulls are none") {
  const auto before = reference({kA, kB, Value{}});
  const auto known = found_by(at_most(CheckKind::new_values, kName, 0),
                              rows_of(kName, {kB, kB, Value{}}), {}, before);
  CHECK(known.outcome == Outcome::passed);
  const auto rows = rows_of(kName, {kA, kC, kC, std::string("Ä"), kB});
  const auto found = found_by(at_most(CheckKind::new_values, kName, 1), rows, {}, before);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.number == 2.0);
  CHECK(found.rows == std::vector<std::int64_t>{1, 2, 3});
  CHECK(found.examples == std::vector<std::string>{"'c'", "'Ä'"});
  CHECK(found_by(at_most(CheckKind::new_values, kName, 2), rows, {}, before).outcome ==
        Outcome::passed);
  const auto numbers = reference({std::int64_t{1}, std::int64_t{2}});
  const auto ids = rows_of(kId, {std::int64_t{2}, std::int64_t{-7}});
  CHECK(found_by(at_most(CheckKind::new_values, kId, 0), ids, {}, numbers).examples ==
        std::vector<std::string>{"-7"});
}

TEST_CASE("new_values: entries of a dictionary that no row has do not count") {
  define::Source of = source();
  of.checks.push_back(at_most(CheckKind::new_values, kName, 0));
  const BatchChecks checks(of, define::Environment::train, reference({kA}));
  data::Batch batch = batch_of(of, rows_of(kName, {kA, kA}));
  data::ColumnBuilder dictionary(data::Type::string);
  for (const char* each : {"z", "a"}) dictionary.append_string(each);
  batch.columns[kName] =
      data::Column::coded({1, 1}, std::make_shared<const data::Column>(dictionary.finish()), {});
  const std::vector<std::int64_t> known{0, 0}, numbers{0, 1};
  auto accumulator = checks.start();
  accumulator.add({batch, known, numbers});
  CHECK(accumulator.finish({})[0].outcome == Outcome::passed);
  batch.columns[kName] = data::Column::coded({0, 1}, batch.columns[kName].dictionary_ptr(), {});
  auto other = checks.start();
  other.add({batch, known, numbers});
  CHECK(other.finish({})[0].rows == std::vector<std::int64_t>{0});
}

TEST_CASE("vanished_values: values that only the reference has") {
  const auto before = reference({kA, kB, kC});
  const auto all = rows_of(kName, repeated({{kA, 100}, {kB, 100}, {kC, 1}}));
  CHECK(found_by(at_most(CheckKind::vanished_values, kName, 0), all, {}, before).outcome ==
        Outcome::passed);
  const auto some = rows_of(kName, repeated({{kA, 200}, {Value{}, 5}}));
  const auto found = found_by(at_most(CheckKind::vanished_values, kName, 1), some, {}, before);
  CHECK(found.outcome == Outcome::failed);
  CHECK(found.observed == "2 of 3 values of the reference do not occur");
  CHECK(found.examples == std::vector<std::string>{"'b'", "'c'"});
  CHECK(found_by(at_most(CheckKind::vanished_values, kName, 2), some, {}, before).outcome ==
        Outcome::passed);
  CHECK(found_by(at_most(CheckKind::vanished_values, kName, 2), rows_of(kName, {kA}), {}, before)
            .outcome == Outcome::not_evaluated);
}

TEST_CASE("a long text is known by its beginning, as references hold it") {
  const Value long_text = std::string(300, 'x');
  const auto found = found_by(at_most(CheckKind::new_values, kName, 0), rows_of(kName, {long_text}),
                              {}, reference({long_text}));
  CHECK(found.outcome == Outcome::passed);
}

TEST_CASE("a reference that cannot be read, or is of another type, is never green") {
  const auto rows = rows_of(kName, repeated({{kA, 300}}));
  for (const CheckKind kind : {CheckKind::psi, CheckKind::new_values, CheckKind::vanished_values}) {
    const auto found = found_by(at_most(kind, kName, 9), rows);
    CHECK(found.outcome == Outcome::not_evaluated);
    CHECK(found.observed == "there is no reference");
  }
  stores::TemporaryFolder folder;
  define::Source of = source();
  Profile profile(
      data::Schema{{{"name", data::Type::string, true}, {"x", data::Type::int64, true}}});
  REQUIRE(profile.add([&] {
    data::Batch batch{profile.schema(), {}, 300};
    data::ColumnBuilder names(data::Type::string), numbers(data::Type::int64);
    for (std::int64_t i = 0; i < 300; ++i) {
      names.append_string("a");
      numbers.append_integer(i);
    }
    batch.columns = {names.finish(), numbers.finish()};
    return batch;
  }()));
  REQUIRE(write_profile(folder / "flights.profile", profile));
  Check check = at_most(CheckKind::psi, kName, 9);
  check.reference = "flights.profile";
  CHECK(found_by(check, rows, {}, references_in(folder.path())).outcome == Outcome::passed);
  check.columns = {kX};
  const auto typed = found_by(check, rows, {}, references_in(folder.path()));
  CHECK(typed.outcome == Outcome::not_evaluated);
  CHECK(typed.observed.find("float64") != std::string::npos);
  check.columns = {kId};
  CHECK(found_by(check, rows, {}, references_in(folder.path())).observed.find("no column 'id'") !=
        std::string::npos);
  check.reference = "nothing.profile";
  CHECK(found_by(check, rows, {}, references_in(folder.path())).outcome == Outcome::not_evaluated);
}

TEST_CASE("values of a personal column are in no example") {
  define::Source of = source();
  of.columns[kName].pii = true;
  for (const CheckKind kind : {CheckKind::psi, CheckKind::new_values, CheckKind::vanished_values})
    of.checks.push_back(at_most(kind, kName, 0));
  const BatchChecks checks(of, define::Environment::train,
                           reference(repeated({{std::string("ann@example.org"), 300}})));
  auto accumulator = checks.start();
  add(accumulator, of, rows_of(kName, repeated({{std::string("bob@example.org"), 300}})));
  for (const BatchFinding& finding : accumulator.finish({})) {
    CHECK(finding.outcome == Outcome::failed);
    for (const std::string& example : finding.examples)
      CHECK(example.find("example.org") == std::string::npos);
  }
}

}  // namespace
}  // namespace coeval::quality
