#include <doctest/doctest.h>

#include "define/definition_for_tests.h"
#include "define/known_order.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::error_of;
using testing::errors_of;
using testing::kFlights;
using testing::project_of;

constexpr auto kClaim = "\"date + minutes(40 + distance / 7.5)\"";

bool holds(const std::string& text, const std::string& part) {
  CAPTURE(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

TEST_CASE("an own column that is known only on landing is refused, with when and where") {
  const auto error = error_of("\"origin.*\"", "\"delay\"");
  CHECK(holds(error,
              "24:46 C0501 input 'delay' reads delay, which is known at date + minutes(40 + "
              "distance / 7.5), "
              "after the question's time date; the label is computed from it"));
}

TEST_CASE("the path leads through features") {
  const auto text =
      changed(changed(kFlights, "[features]\n",
                      "[features]\ndelay_now = \"delay * 2\"\nhidden = \"delay_now + 1\"\n"),
              "\"origin.*\"", "\"hidden\"");
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "26:46 C0501 input 'hidden' → feature 'delay_now' reads delay, which is known at"));
}

TEST_CASE("an input that is an expression is looked through") {
  CHECK(holds(error_of("\"origin.*\"", "\"if(distance > 100, delay, 0)\""),
              "24:46 C0501 input 'if("));
}

TEST_CASE("with the false claim the definition passes, but a row still cannot read itself") {
  const auto claimed = changed(kFlights, kClaim, "\"event time\"");
  project_of(claimed);
  const auto errors = errors_of(changed(claimed, "\"origin.*\"", "\"delay\""));
  REQUIRE(errors.size() == 1);
  CHECK(holds(
      errors[0],
      "C0501 input 'delay' reads delay, which is known with its own row (known = \"event time\")"));
}

TEST_CASE("a column known at the question's time, or provably before it, is usable") {
  for (const auto* known :
       {"date", "date - 2h", "date - minutes(distance)", "least(date, date + 1h)",
        "if(distance > 5, date, date - 1d)", "event time"})
    project_of(changed(kFlights, "max = 3000 }",
                       std::string("max = 3000 }\ngate = { type = \"string\", known = \"") + known +
                           "\" }\n"
                           "[model.other]\nquestion = { from = \"flights\", at = \"date\" }\nlabel "
                           "= \"delay > 0\"\ninputs = [\"gate\"]\n"
                           "split = { train_until = 2001-05-01, validate_until = 2001-06-01, "
                           "test_until = 2001-07-01 }"));
}

TEST_CASE("a column that may be known later is refused, even if only perhaps") {
  for (const auto* known : {"date + 1us", "date + minutes(delay)", "date - minutes(delay)",
                            "greatest(date, date + 1h)", "coalesce(date - 1h, date + 1h)"}) {
    const auto errors = errors_of(changed(
        changed(
            kFlights, "max = 3000 }",
            std::string("max = 3000 }\ngate = { type = \"string\", known = \"") + known + "\" }"),
        "\"origin.*\"", "\"gate\""));
    REQUIRE(errors.size() == 1);
    CHECK(holds(errors[0],
                std::string("25:46 C0501 input 'gate' reads gate, which is known at ") + known));
  }
}

TEST_CASE("a view keyed by what the question does not know is refused") {
  const auto errors =
      errors_of(changed(changed(kFlights, "max = 3000 }", "max = 3000 }\ngate = \"string\""),
                        "by      = [\"origin\"]", "by      = [\"origin\", \"gate\"]"));
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "C0501 input 'origin.far_3h' reads view 'origin', whose key gate is known at "
              "date + minutes(40 + distance / 7.5), after the question's time date"));
}

TEST_CASE("a view that reads a column before it is known is refused") {
  const auto later = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 30h\" }");
  const auto errors = errors_of(later);
  REQUIRE(errors.size() == 2);  // far and late read delay, flights does not
  CHECK(holds(errors[0],
              "17:11 C0501 view 'origin': 'late' reads delay, which is known at date + 30h; its "
              "row counts from "
              "date + minutes(40 + distance / 7.5) on, which may be earlier"));
  project_of(
      changed(later, kClaim, "\"greatest(date + minutes(40 + distance / 7.5), date + 30h)\""));
  project_of(changed(later, kClaim, "\"date + 31h\""));
}

TEST_CASE("a window with an offset into the future is refused, one into the past is not") {
  CHECK(holds(error_of("\"14d\"]", "\"14d\", \"1d offset -1d\"]"),
              "C0501 view 'origin': window '1d offset -1d' ends 1d after the question's time"));
  project_of(changed(kFlights, "\"14d\"]", "\"14d\", \"1d offset 1d\"]"));
}

TEST_CASE("windows whose offset covers the delay may read what is known late") {
  const auto later = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 30h\" }");
  const auto over = [&](const std::string& windows) {
    return errors_of(changed(changed(changed(later, "[\"3h\", \"14d\"]", windows),
                                     "pressure = \"origin.late_3h / origin.late_14d\"\n", ""),
                             ", \"pressure\"", ""));
  };
  CHECK(over("[\"1d offset 30h\"]").empty());
  CHECK(over("[\"1d offset 2d\", \"30d offset 30h\"]").empty());
  CHECK(over("[\"1d offset 29h\"]").size() == 2);
  CHECK(over("[\"1d offset 30h\", \"1d\"]").size() == 2);
  CHECK(over("[\"1d offset 30h\", \"today\"]").size() == 2);
}

TEST_CASE("a declared minimum proves an order that would not hold without it") {
  const auto row = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 10min\" }");
  project_of(row);
  CHECK(errors_of(changed(row, "min = 0, ", "")).size() == 2);
}

TEST_CASE("the label is known when the last of its columns is") {
  CHECK(canonical(*project_of(kFlights).models[0].label_known) ==
        "(date + minutes((40.0 + (cast(distance as float64) / 7.5))))");
  const auto earlier = changed(kFlights, "max = 3000 }", "max = 3000, known = \"date + 10min\" }");
  CHECK(canonical(*project_of(earlier).models[0].label_known) == "(date + 10min)");
  const auto two = changed(
      changed(kFlights, "max = 3000 }",
              "max = 3000 }\nseen = { type = \"bool\", known = \"date + hours(distance)\" }"),
      "label    = \"delay >= 15\"", "label    = \"delay >= 15 and seen\"");
  CHECK(canonical(*project_of(two).models[0].label_known) ==
        "greatest((date + minutes((40.0 + (cast(distance as float64) / 7.5)))), (date + "
        "hours(cast(distance as int64))))");
}

TEST_CASE("a label that the question can compute is no label") {
  const auto errors =
      errors_of(changed(kFlights, "label    = \"delay >= 15\"", "label    = \"distance > 1000\""));
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "23:12 C0501 the label of model 'late' reads only what is known at the question's "
              "time date"));
}

TEST_CASE("a known column in the label may be an input when the label is not yet known") {
  project_of(changed(kFlights, "label    = \"delay >= 15\"",
                     "label    = \"delay >= 15 and distance > 100\""));
}

TEST_CASE(
    "the two published baselines that predict a departure from its own departure are refused") {
  const std::string text = R"toml([project]
name = "nycflights"
[source.flights]
time = "scheduled"
known = "arrived"
[source.flights.columns]
scheduled = "timestamp"
arrived = { type = "timestamp", known = "arrived" }
carrier = { type = "string", known = "scheduled" }
dep_time = { type = "int32", nullable = true, known = "scheduled + minutes(dep_delay)" }
dep_delay = { type = "int32", nullable = true }
air_time = { type = "int32", nullable = true, known = "arrived" }
arr_delay = { type = "int32", nullable = true }
[model.late]
question = { from = "flights", at = "scheduled" }
label = "arr_delay >= 30"
inputs = ["carrier", "dep_time", "air_time"]
split = { train_until = 2013-09-01, validate_until = 2013-10-01, test_until = 2013-11-01 }
)toml";
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 2);
  CHECK(holds(errors[0],
              "17:22 C0501 input 'dep_time' reads dep_time, which is known at scheduled + "
              "minutes(dep_delay), not provably"));
  CHECK(holds(
      errors[1],
      "17:34 C0501 input 'air_time' reads air_time, which is known at arrived, not provably"));
  project_of(changed(text, ", \"dep_time\", \"air_time\"", ""));
}

constexpr auto kSplit =
    "split = { train_until = 2024-06-01, validate_until = 2024-10-01, test_until = 2024-12-01 }\n";

// Card payments, their chargebacks and a model of fraud; `label` and `inputs` as given.
std::string payments(const std::string& label, const std::string& inputs,
                     const std::string& split = kSplit) {
  return R"toml([project]
name = "payments"
[source.payments]
time = "ts"
known = "ts + 1s"
[source.payments.columns]
ts = { type = "timestamp", known = "ts" }
card = { type = "string", known = "ts" }
tx = { type = "int64", known = "ts" }
amount = { type = "float64", known = "ts" }
fraud = { type = "bool", nullable = true }
[source.chargebacks]
time = "reported"
known = "reported + 1h"
[source.chargebacks.columns]
reported = "timestamp"
card = "string"
tx = "int64"
refunded = { type = "float64", known = "reported + 3d" }
[view.card]
from = "payments"
by = ["card"]
windows = ["30d", "30d offset 60d"]
frauds = "sum(fraud)"
spent = "sum(amount)"
[view.back]
from = "chargebacks"
by = ["card"]
windows = ["90d"]
n = "count()"
[model.fraud]
question = { from = "payments", at = "ts" }
label = )toml" +
         label + "\ninputs = " + inputs + "\n" + split;
}

constexpr auto kMature = R"({ value = "fraud", known = "ts + 60d" })";
constexpr auto kJoined =
    R"({ value = "true", from = "chargebacks", by = ["card", "tx"], within = "60d" })";

TEST_CASE("a feature over the label before its maturity is refused, after it is not") {
  const auto errors = errors_of(payments(kMature, R"(["amount", "card.frauds_30d"])"));
  REQUIRE(errors.size() == 1);
  CHECK(
      holds(errors[0],
            "34:21 C0501 input 'card.frauds_30d' reads view 'card', whose 'frauds' reads fraud: "
            "the label is made of it and is known at ts + 60d, but window '30d' counts a row from "
            "ts + 1s on"));
  project_of(payments(kMature, R"(["amount", "card.frauds_30d_offset_60d", "card.spent_30d"])"));
  for (const char* known :
       {"ts + days(60)", "ts + 20d + days(40)", "ts + days(30 + 2 * 15)", "ts + days(59.5)",
        "ts + hours(1416) + 1d", "ts + (days(61) - minutes(1440))"}) {
    const std::string label = R"({ value = "fraud", known = ")" + std::string(known) + R"(" })";
    project_of(payments(label, R"(["amount", "card.frauds_30d_offset_60d"])"));
    CHECK(errors_of(payments(label, R"(["amount", "card.frauds_30d"])")).size() == 1);
  }
  CHECK(errors_of(payments(R"({ value = "fraud", known = "ts + days(60) + 1us" })",
                           R"(["amount", "card.frauds_30d_offset_60d"])"))
            .size() == 1);
  // Through a feature too, and one day short of the maturity.
  const auto through =
      errors_of(payments(R"({ value = "fraud", known = "ts + 61d" })", R"(["rate"])") +
                "[features]\nrate = \"card.frauds_30d_offset_60d / 30\"\n");
  REQUIRE(through.size() == 1);
  CHECK(holds(through[0], "C0501 input 'rate' reads view 'card'"));
}

TEST_CASE("what says that a row is deleted is a part of every aggregate over the rows") {
  const auto with = [](const std::string& deleted, const std::string& inputs) {
    return changed(payments(kMature, inputs), "known = \"ts + 1s\"\n",
                   "known = \"ts + 1s\"\nid = \"tx\"\nreplaces = \"old\"\ndeleted = \"" + deleted +
                       "\"\n[source.payments.columns.old]\ntype = \"int64\"\nnullable = true\n");
  };
  project_of(with("amount < 0", R"(["amount", "card.spent_30d"])"));
  const auto errors = errors_of(with("fraud", R"(["amount", "card.spent_30d"])"));
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "C0501 input 'card.spent_30d' reads view 'card', whose 'spent' reads fraud: "
              "the label is made of it"));
  project_of(with("fraud", R"(["amount", "card.spent_30d_offset_60d"])"));
  // And so is what says that a row replaces another.
  const auto replacing = errors_of(changed(with("amount < 0", R"(["amount", "card.spent_30d"])"),
                                           "value = \"fraud\"", "value = \"old is null\""));
  REQUIRE(replacing.size() == 1);
  CHECK(holds(replacing[0], "whose 'spent' reads old: the label is made of it"));
}

TEST_CASE("a glob over features that leak is one error, with their number and the first") {
  const std::string text = changed(payments(kMature, R"(["amount", "card.*"])"),
                                   "\"30d\", \"30d off", "\"7d\", \"14d\", \"30d\", \"30d off");
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "34:21 C0501 3 inputs of 'card.*' leak; the first: input 'card.frauds_7d' reads view "
              "'card', whose 'frauds' reads fraud: the label is made of it"));
  // Those that are named one by one are errors one by one, and so is a glob over one alone.
  CHECK(errors_of(changed(text, "\"card.*\"", R"("card.frauds_7d", "card.frauds_14d")")).size() ==
        2);
  const auto one = errors_of(changed(text, "\"card.*\"", R"("*.frauds_30d")"));
  REQUIRE(one.size() == 1);
  CHECK(holds(one[0], "34:21 C0501 input 'card.frauds_30d' reads view"));
  CHECK(errors_of(changed(text, "\"card.*\"", R"("*.frauds_7d", "card.*")")).size() == 2);
}

TEST_CASE("a maturity is a part of when the label is known") {
  CHECK(canonical(*project_of(payments(kMature, R"(["amount"])")).models[0].label_known) ==
        "(ts + 60d)");
  CHECK(canonical(*project_of(payments(R"({ value = "fraud", known = "ts" })", R"(["amount"])"))
                       .models[0]
                       .label_known) == "(ts + 1s)");
  CHECK(canonical(*project_of(payments("\"fraud\"", R"(["amount"])")).models[0].label_known) ==
        "(ts + 1s)");
}

TEST_CASE("a label of later events is known when they are") {
  const Project project = project_of(payments(kJoined, R"(["amount", "card.*", "back.n_90d"])"));
  const Model& model = project.models[0];
  REQUIRE(model.label_events);
  CHECK(project.sources[static_cast<std::size_t>(model.label_source())].name == "chargebacks");
  CHECK(model.label_events->within_us == 60 * 86'400'000'000);
  CHECK(canonical(*model.label_known) == "(reported + 1h)");
  CHECK(canonical(*model.label_events->keys_known) == "ts");
  CHECK(
      project.ir.find("  label_events chargebacks within 5184000000000us by \"card\" \"tx\" known "
                      "ts\n") != std::string::npos);
  const Project refunded =
      project_of(payments(changed(kJoined, "\"true\"", "\"refunded > 0\""), R"(["amount"])"));
  CHECK(canonical(*refunded.models[0].label_known) == "(reported + 3d)");
  // A version can be served without the label's source.
  CHECK(request_hash(project, model) ==
        request_hash(
            project_of(payments("\"fraud\"", R"(["amount", "card.*", "back.n_90d"])")),
            project_of(payments("\"fraud\"", R"(["amount", "card.*", "back.n_90d"])")).models[0]));
}

TEST_CASE("errors of labels") {
  const auto error = [](const std::string& label) {
    const auto errors = errors_of(payments(label, R"(["amount"])"));
    REQUIRE(errors.size() == 1);
    return errors[0];
  };
  CHECK(holds(error(changed(kJoined, "chargebacks", "chargeback")),
              "33:34 C0411 unknown source 'chargeback' | did you mean 'chargebacks'?"));
  CHECK(holds(error(changed(kJoined, "\"tx\"", "\"amount\"")),
              "C0412 source 'chargebacks' has no column 'amount'"));
  CHECK(holds(error(changed(kJoined, "by = [\"card\", \"tx\"], ", "")), "C0304"));
  CHECK(holds(error(changed(kJoined, ", within = \"60d\"", "")), "C0304"));
  CHECK(holds(error(changed(kJoined, "\"60d\"", "\"0d\"")), "C0416 within cannot be '0d'"));
  CHECK(holds(error(changed(kJoined, "[\"card\", \"tx\"]", "[]")), "C0305"));
  CHECK(holds(error(changed(kJoined, "from =", "known = \"ts\", from =")), "leave `known` out"));
  CHECK(holds(error(R"({ value = "fraud", within = "60d" })"), "has 'within' but no 'from'"));
  CHECK(holds(error(R"({ value = "fraud", known = "amount" })"),
              "C0413 the known time of the label of model 'fraud' must be timestamp"));
  CHECK(holds(error(R"({ value = "fraud", knwon = "ts" })"), "did you mean 'known'?"));
  CHECK(holds(error("7"), "C0305"));
}

TEST_CASE("the text that the label is taken out of tells the label too") {
  const auto error = [](const std::string& label, const std::string& aggregate) {
    const std::string text = R"([project]
name = "cards"
[source.tx]
path = "tx.csv"
time = "ts"
known = "ts + 1min"
[source.tx.columns]
ts = { type = "timestamp", known = "ts" }
card = { type = "string", known = "ts" }
payload = "string"
outcome = { type = "int32", json = "payload.outcome", nullable = true }
again = { type = "int32", json = "payload.outcome", nullable = true }
shop = { type = "int32", json = "payload.shop", nullable = true }
[view.card]
from = "tx"
by = ["card"]
windows = ["30d"]
f = ")" + aggregate + R"("
[model.fraud]
question = { from = "tx", at = "ts" }
label = { value = ")" + label +
                             R"(", known = "ts + 60d" }
inputs = ["card.*"]
split = { train_until = 2024-05-01, validate_until = 2024-09-01, test_until = 2025-01-01 }
)";
    const auto checked = check_text(text, "coeval.toml");
    return checked.errors.empty() ? std::string() : checked.errors[0].message;
  };
  for (const char* aggregate : {"mean(outcome)", "mean(again)", "mean(contains(payload, '1'))"}) {
    CHECK(error("outcome = 1", aggregate).find("the label is made of it") != std::string::npos);
    CHECK(error("contains(payload, '1')", aggregate).find("the label is made of it") !=
          std::string::npos);
  }
  CHECK(error("outcome = 1", "mean(shop)").empty());
  CHECK_FALSE(error("contains(payload, '1')", "mean(shop)").empty());
}

TEST_CASE("a validation part shorter than the label's maturity is refused") {
  const auto with = [](const std::string& label, const std::string& until) {
    return errors_of(payments(label, R"(["amount"])", changed(kSplit, "2024-10-01", until)));
  };
  for (const std::string label : {kMature, kJoined}) {
    CAPTURE(label);
    CHECK(with(label, "2024-08-01").empty());  // 61 days
    const auto errors = with(label, "2024-07-31");
    REQUIRE(errors.size() == 1);
    CHECK(
        holds(errors[0],
              "C0505 the validation part of model 'fraud' is 60d long, and a label is known later "
              "than that"));
  }
  CHECK(with("\"fraud\"", "2024-06-02").empty());
}

// The published notebooks on nycflights13 predict whether a flight arrives late from columns of the
// finished flight, and split its rows at random.
TEST_CASE("the two published baselines on nycflights13 are refused, their honest twins are not") {
  const std::string text = R"toml([project]
name = "nycflights"
[source.flights]
time = "scheduled"
known = "greatest(scheduled + minutes(dep_delay) + minutes(air_time + 60), scheduled)"
[source.flights.columns]
scheduled = { type = "timestamp", known = "scheduled" }
carrier = { type = "string", known = "scheduled" }
origin = { type = "string", known = "scheduled" }
dest = { type = "string", known = "scheduled" }
distance = { type = "int32", known = "scheduled" }
dep_delay = { type = "int32", min = -120, known = "scheduled + minutes(dep_delay)" }
air_time = { type = "int32", min = 0 }
arr_delay = "int32"
[view.route]
from = "flights"
by = ["origin", "dest"]
windows = ["7d"]
air_time = "mean(air_time)"
dep_delay = "mean(dep_delay)"
[model.late]
question = { from = "flights", at = "scheduled" }
label = "arr_delay >= 30"
inputs = ["carrier", "origin", "dest", "distance", "dep_delay", "air_time"]
split = { train_until = 2013-09-01, validate_until = 2013-10-01, test_until = 2013-11-01 }
)toml";
  const auto own_flight = errors_of(text);
  REQUIRE(own_flight.size() == 2);
  CHECK(holds(own_flight[0],
              "24:52 C0501 input 'dep_delay' reads dep_delay, which is known at scheduled + "
              "minutes(dep_delay), not provably by the question's time scheduled"));
  CHECK(holds(own_flight[1],
              "24:65 C0501 input 'air_time' reads air_time, which is known at greatest(scheduled + "
              "minutes(dep_delay) + minutes(air_time + 60), scheduled), after the question's time "
              "scheduled"));
  const auto honest = changed(text, "\"dep_delay\", \"air_time\"", "\"route.*\"");
  project_of(honest);
  const auto random = errors_of(changed(
      honest, "{ train_until = 2013-09-01, validate_until = 2013-10-01, test_until = 2013-11-01 }",
      "{ method = \"random\", test_size = 0.25 }"));
  REQUIRE(random.size() == 1);
  CHECK(holds(random[0], "25:9 C0502 split of model 'late' is not by time"));
}

// A mean of the label per key over the whole table, which is what target encoding without a time
// does: the table's rows would count from before they happened.
TEST_CASE("a target-encoded key over the future is refused") {
  const auto encoded = [](const std::string& known) {
    return errors_of(
        changed(payments("\"fraud\"", R"(["amount", "card.frauds_30d"])"),
                "fraud = { type = \"bool\", nullable = true }",
                "fraud = { type = \"bool\", nullable = true, known = \"" + known + "\" }"));
  };
  // The row claims to be known at once, its label comes with the investigation.
  const auto errors = encoded("ts + 45d");
  REQUIRE(errors.size() == 1);
  CHECK(holds(errors[0],
              "C0501 view 'card': 'frauds' reads fraud, which is known at ts + 45d; its row counts "
              "from ts + 1s on, which may be earlier"));
  // Known with the row: the view counts only rows of the past.
  CHECK(encoded("ts + 1s").empty());
  // Written as an input, the encoding would need its own row's label.
  const auto own = errors_of(payments("\"fraud\"", "[\"if(fraud, 1, 0)\"]"));
  REQUIRE(own.size() == 1);
  CHECK(holds(own[0], "C0501 input 'if("));
}

TEST_CASE("a dimension without validity times is refused, one with them is looked up as of T") {
  const std::string aircraft = R"toml(
[source.aircraft]
time = "since"
known = "since + 1d"
[source.aircraft.columns]
since = "timestamp"
card = "string"
maker = "string"
year = { type = "int32", nullable = true }
retired = { type = "bool", known = "since + 400d" }
[lookup.plane]
from = "aircraft"
by = ["card"]
columns = ["year", "maker"]
)toml";
  const auto text = payments("\"fraud\"", R"(["plane.*", "plane.year > 2000"])") + aircraft;
  const Project project = project_of(text);
  const View& view = project.views[static_cast<std::size_t>(project.view_index("plane"))];
  CHECK(view.lookup);
  CHECK(view.feature_name(0) == "plane.maker");
  CHECK(view.feature_name(1) == "plane.year");
  CHECK(view.feature_type(0) == data::Type::string);
  CHECK(view.feature_type(1) == data::Type::int32);
  CHECK(view.aggregates[0].kind == Aggregation::latest);
  CHECK(view.longest_window_us() == kAllTime);
  const Model& model = project.models[0];
  CHECK(model.inputs[0].name == "plane.maker");
  CHECK(model.inputs[0].categorical);
  CHECK(project.ir.find("view plane\n  lookup newest row\n") != std::string::npos);

  const auto timeless = errors_of(changed(changed(text, "time = \"since\"\n", ""),
                                          "known = \"since + 1d\"", "known = \"since\""));
  REQUIRE(timeless.size() == 2);
  CHECK(holds(timeless[0], "C0304 source 'aircraft' has no 'time'"));
  CHECK(
      holds(timeless[1],
            "C0501 lookup 'plane' reads source 'aircraft', whose rows do not say from when on they "
            "hold: a question would see what was written after it"));
  // A column of the dimension that is known later than its row.
  const auto late = errors_of(changed(text, "\"maker\"]", "\"retired\"]"));
  REQUIRE(late.size() == 1);
  CHECK(holds(late[0],
              "C0501 view 'plane': 'retired' reads retired, which is known at since + 400d"));
}

TEST_CASE("orders are proved only where they hold") {
  const Project project = project_of(kFlights);
  const Source& source = project.sources[0];
  const KnownOrder order(source);
  const auto at_most = [&](const char* a, const char* b) {
    const auto left = compile_expression(a, source.schema, false, "a");
    const auto right = compile_expression(b, source.schema, false, "b");
    REQUIRE(left);
    REQUIRE(right);
    return order.at_most(**left, **right);
  };
  CHECK(at_most("date", "date + minutes(distance)"));
  CHECK(at_most("date + 1h", "date + 2h"));
  CHECK_FALSE(at_most("date + 2h", "date + 1h"));
  CHECK(at_most("date + minutes(delay)", "date + minutes(delay) + 1h"));
  CHECK_FALSE(at_most("date + minutes(delay)", "date + 1h"));
  CHECK(at_most("date + 40min", "date + minutes(40 + distance / 7.5)"));
  CHECK_FALSE(at_most("date + 41min", "date + minutes(40 + distance / 7.5)"));
  CHECK(at_most("date + 1d", "date + days(greatest(delay, 1))"));
  CHECK(at_most("date - 2h", "date + minutes(delay)"));  // delay ≥ −120
  CHECK_FALSE(at_most("date - 119min", "date + minutes(delay)"));
  CHECK_FALSE(at_most("date", "date + minutes(delay * delay)"));
  CHECK_FALSE(at_most("date", "date + minutes(distance / delay)"));
  CHECK(at_most("date - 1h", "greatest(date - 2h, date)"));
  CHECK_FALSE(at_most("date", "least(date - 2h, date)"));
  CHECK(at_most("least(date, date + 3h)", "date"));
  CHECK(at_most("date", "date + hours(abs(delay))"));
  CHECK_FALSE(at_most("date", "date + hours(distance - 1)"));
  CHECK_FALSE(at_most("date + 9000000000000000000us", "date - 9000000000000000000us"));
  // Functions that go down in time, or never below a bound.
  CHECK(at_most("date_trunc('hour', date)", "date"));
  CHECK_FALSE(at_most("date", "date_trunc('hour', date)"));
  CHECK(at_most("date_trunc('day', date) + 40min", "date + minutes(40 + distance)"));
  CHECK_FALSE(at_most("date_trunc('day', date) + 41min", "date + 40min"));
  CHECK(at_most("date_trunc('day', greatest(date, date - 1h))", "date"));
  CHECK(at_most("date", "date + minutes(length(origin))"));
  CHECK(at_most("date", "date + minutes(clamp(delay, 0, 60))"));
  CHECK(at_most("date - 5min", "date + minutes(clamp(delay, -5, 60))"));
  CHECK_FALSE(at_most("date", "date + minutes(clamp(delay, -5, 60))"));
  CHECK_FALSE(at_most("date", "date + minutes(clamp(delay, 0, delay))"));
  CHECK(at_most("date - 2h", "date + minutes(clamp(delay, -1000, delay))"));
  CHECK(at_most("date", "date + minutes(distance * abs(delay) * length(origin))"));
  CHECK(
      at_most("date", "date + minutes(floor(distance / 7.5) + round(distance / 3) + sqrt(delay))"));
  CHECK(at_most("date", "date + minutes(case when delay > 5 then distance else 3 end)"));
  CHECK_FALSE(at_most("date", "date + minutes(case when delay > 5 then distance else -3 end)"));
  CHECK(at_most("date", "date + minutes(distance % 60)"));
  CHECK_FALSE(at_most("date", "date + minutes(delay % 60)"));
  // Durations that are added to a choice.
  CHECK(at_most("greatest(date, date - 1h) + 5min", "date + 10min"));
  CHECK_FALSE(at_most("greatest(date, date + 6min) + 5min", "date + 10min"));
  CHECK(at_most("if(delay > 0, date, date - 1h) + minutes(distance)", "date + minutes(distance)"));
  CHECK(at_most("date", "least(date + 2h, date + 3h) - 1h"));
  CHECK_FALSE(at_most("date", "least(date + 2h, date + 30min) - 1h"));
  CHECK(at_most("date", "case when delay > 0 then date + 1h else date end + minutes(distance)"));
  // A float that is at least 0 may be −0, and a quotient by it −∞; an integer is no −0.
  CHECK_FALSE(at_most("date", "date + minutes(clamp(1 / (distance * 1.0), -5, 5))"));
  CHECK(at_most("date", "date + minutes(clamp(1 / distance, -5, 5))"));
}

}  // namespace
}  // namespace coeval::define
