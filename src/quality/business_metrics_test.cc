#include "quality/business_metrics.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>

#include "define/project.h"

namespace coeval::quality {
namespace {

define::Metric metric_of(const std::string& table) {
  const auto checked = define::check_text(R"toml([project]
name = "payments"
[source.payments]
time  = "ts"
known = "event time"
[source.payments.columns]
ts     = { type = "timestamp" }
amount = { type = "float64", nullable = true }
items  = { type = "int64", known = "ts" }
fraud  = { type = "bool", nullable = true, known = "ts + days(30)" }
label  = { type = "int32" }
[metric.worth]
)toml" + table + R"toml(
[model.fraud]
question = { from = "payments", at = "ts" }
label    = "fraud"
inputs   = ["items"]
metrics  = ["worth"]
split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
)toml",
                                          "coeval.toml");
  for (const auto& error : checked.errors) MESSAGE(one_line(error));
  REQUIRE(checked.project);
  REQUIRE(checked.project->models.at(0).metrics.size() == 1);
  return checked.project->models[0].metrics[0];
}

// Five rows: decided at 0.35, which 0.35f is below.
struct Payments {
  std::vector<float> scores = {0.9f, 0.5f, 0.35f, 0.1f, 0.7f};
  std::vector<std::uint8_t> labels = {1, 0, 1, 0, 1};
  data::Batch columns;

  Payments() {
    data::ColumnBuilder amount(data::Type::float64), items(data::Type::int64);
    for (const double value : {0.1, 0.2, 0.3, 1e17}) amount.append_real(value);
    amount.append_null();
    for (const std::int64_t value : {1, 2, 3, 4, 5}) items.append_integer(value);
    columns.rows = 5;
    columns.schema.fields = {{"amount", data::Type::float64, true},
                             {"items", data::Type::int64, false}};
    columns.columns = {amount.finish(), items.finish()};
  }

  double value_of(const std::string& table) const {
    const define::Metric metric = metric_of(table);
    return metric_value(
        metric,
        metric_terms(metric,
                     {.scores = scores, .threshold = 0.35, .labels = labels, .columns = &columns}));
  }
};

}  // namespace

TEST_CASE("metrics of the project are sums, means, proportions and ratios of what rows are worth") {
  const Payments payments;
  CHECK(payments.value_of("kind = \"sum\"\nvalue = \"if(decision, if(label, 100, -5), 0)\"") ==
        195);
  CHECK(payments.value_of("kind = \"mean\"\nvalue = \"if(decision, if(label, 100, -5), 0)\"") ==
        39);
  CHECK(payments.value_of("kind = \"proportion\"\nvalue = \"decision and label\"") == 0.4);
  CHECK(payments.value_of(
            "kind = \"ratio\"\nvalue = \"if(decision, items, 0)\"\ndivisor = \"items\"") ==
        8.0 / 15);
  CHECK(payments.value_of("kind = \"mean\"\nvalue = \"decision = label\"") == 0.6);
}

TEST_CASE("null values are skipped, and sums are exact") {
  const Payments payments;
  // One double after another, 0.1 + 0.2 + 0.3 is 0.6000000000000001.
  CHECK(payments.value_of("kind = \"sum\"\nvalue = \"if(amount < 1, amount, 0)\"") == 0.6);
  CHECK(payments.value_of("kind = \"mean\"\nvalue = \"if(amount < 1, amount, 0)\"") == 0.6 / 5);
  CHECK(payments.value_of("kind = \"proportion\"\nvalue = \"amount > 0.15\"") == 0.75);
}

TEST_CASE("what is undefined is NaN, and a sum of nothing is 0") {
  const Payments payments;
  CHECK(std::isnan(payments.value_of("kind = \"mean\"\nvalue = \"if(score > 2, 1, null)\"")));
  CHECK(payments.value_of("kind = \"sum\"\nvalue = \"if(score > 2, 1, null)\"") == 0);
  CHECK(std::isnan(
      payments.value_of("kind = \"ratio\"\nvalue = \"items\"\ndivisor = \"if(score > 2, 1, 0)\"")));
  CHECK(std::isnan(
      payments.value_of("kind = \"mean\"\nvalue = \"1.0 / if(score > 0.4, 0.0, 1.0)\"")));
}

TEST_CASE("some rows have the metric that they would have alone") {
  const Payments payments;
  const define::Metric metric = metric_of("kind = \"mean\"\nvalue = \"if(label, items, null)\"");
  const MetricTerms all = metric_terms(metric, {.scores = payments.scores,
                                                .threshold = 0.35,
                                                .labels = payments.labels,
                                                .columns = &payments.columns});
  CHECK(metric_value(metric, all) == 3);
  const std::array<std::size_t, 2> rows = {4, 0};
  CHECK(metric_value(metric, take(all, rows)) == 3);
  const std::array<std::size_t, 1> one = {4};
  CHECK(metric_value(metric, take(all, one)) == 5);
}

}  // namespace coeval::quality
