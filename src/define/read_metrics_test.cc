#include <doctest/doctest.h>

#include <algorithm>

#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::errors_of;
using testing::kFlights;

const std::string kMetric = R"toml([metric.saved]
kind  = "mean"
value = "if(decision and label, distance * 0.5, if(decision, -5, 0))"
)toml";

// The flights with these metrics, and these lines in the model.
std::string with(const std::string& metrics, const std::string& lines = {},
                 const std::string& gate = "gate     = { auc = \">= 0.77\" }") {
  return changed(changed(kFlights, "[model.late]\n", metrics + "[model.late]\n" + lines),
                 "gate     = { auc = \">= 0.77\" }", gate);
}

Model model_of(const std::string& text) {
  const Checked checked = check_text(text, "coeval.toml");
  for (const Error& error : checked.errors) MESSAGE(one_line(error));
  REQUIRE(checked.project);
  return checked.project->models.at(0);
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void refused(const std::string& text, const std::string& part) {
  const auto errors = errors_of(text);
  REQUIRE(errors.size() == 1);
  CHECK_MESSAGE(says(errors[0], part), errors[0]);
}

}  // namespace

TEST_CASE("a metric is typed over the answer and the question's row, and keeps what it reads") {
  const Model model = model_of(with(kMetric, "metrics = [\"saved\"]\n"));
  REQUIRE(model.metrics.size() == 1);
  const Metric& metric = model.metrics[0];
  CHECK(metric.name == "saved");
  CHECK(metric.kind == Metric::Kind::mean);
  CHECK(metric.higher_is_better);
  std::vector<std::string> names;
  for (const auto& field : metric.schema.fields) names.push_back(field.name);
  CHECK(names == std::vector<std::string>{"score", "decision", "label", "distance"});
  CHECK(columns_of(model.metrics).size() == 1);
}

TEST_CASE("a model has the metrics that it or its gates name, and they are a part of its hash") {
  const std::string plain = model_of(kFlights).ir_hash;
  CHECK(model_of(with(kMetric)).ir_hash == plain);
  const Model named = model_of(with(kMetric, "metrics = [\"saved\"]\n"));
  CHECK(named.ir_hash != plain);
  CHECK(says(named.ir, "  metric saved mean of "));
  CHECK(model_of(with(changed(kMetric, "-5", "-6"), "metrics = [\"saved\"]\n")).ir_hash !=
        named.ir_hash);
  CHECK(model_of(with(changed(kMetric, "[metric.saved]", "[metric.saved]\nbetter = \"lower\""),
                      "metrics = [\"saved\"]\n"))
            .ir_hash != named.ir_hash);
  const Model gated = model_of(with(kMetric, "slices = [\"origin\"]\n",
                                    "gate = { saved = \">= 0\", better_than = \"champion\", on = "
                                    "\"saved\", worst_slice = { saved = \">= -1\" } }"));
  CHECK(gated.metrics.size() == 1);
  REQUIRE(gated.gates.size() == 3);
  CHECK(std::ranges::all_of(gated.gates, &Gate::of_project));
  CHECK(gated.gates[1].worst_slice);
  CHECK(gated.gates[2].metric == "saved");
}

TEST_CASE("gates on slices against the champion need slices") {
  const std::string gate = "gate = { no_slice_worse_than = \"champion\", slice_margin = 0.02 }";
  const Model model = model_of(with("", "slices = [\"origin\"]\n", gate));
  REQUIRE(model.gates.size() == 1);
  CHECK(model.gates[0].kind == Gate::Kind::no_slice_worse_by);
  CHECK(model.gates[0].bound == 0.02);
  CHECK(
      model_of(with("", "slices = [\"origin\"]\n", "gate = { no_slice_worse_than = \"champion\" }"))
          .gates[0]
          .kind == Gate::Kind::no_slice_worse);
  refused(with("", "", gate), "has no slices");
  refused(with("", "slices = [\"origin\"]\n", "gate = { auc = \">= 0.5\", slice_margin = 0.1 }"),
          "`slice_margin` belongs to a gate on the slices");
}

TEST_CASE("metrics that make no sense are refused where they stand") {
  const auto metric = [](const std::string& lines) { return "[metric.saved]\n" + lines + "\n"; };
  const std::string use = "metrics = [\"saved\"]\n";
  refused(with(metric("kind = \"mean\"\nvalue = \"if(decision, distanc, 0)\""), use),
          "23:23 C0412 unknown column 'distanc' | did you mean 'distance'?");
  refused(with(metric("kind = \"mean\"\nvalue = \"origin\""), use), "must be a number");
  refused(with(metric("kind = \"proportion\"\nvalue = \"score\""), use), "must be bool");
  refused(with(metric("kind = \"median\"\nvalue = \"score\"")), "unknown kind 'median'");
  refused(with(metric("kind = \"retention\"\nvalue = \"score\"")), "is not in this version");
  refused(with(metric("kind = \"ratio\"\nvalue = \"score\"")), "has no divisor");
  refused(with(metric("kind = \"mean\"\nvalue = \"score\"\ndivisor = \"score\"")),
          "only a ratio has a divisor");
  refused(with(metric("kind = \"mean\"\nvalue = \"score\"\nbetter = \"more\"")),
          "cannot be 'more'");
  refused(with(metric("kind = \"mean\"")), "value");
  refused(with("[metric.auc]\nkind = \"mean\"\nvalue = \"score\"\n"), "has the name of something");
  refused(with(kMetric, "metrics = [\"save\"]\n"), "did you mean 'saved'?");
  refused(with("", "metrics = [\"auc\"]\n"), "that one is always measured");
  // No model names it, and still it must make sense.
  refused(with(metric("kind = \"mean\"\nvalue = \"nothing\"")), "unknown column 'nothing'");
}

TEST_CASE("a column of the name of an answer is hidden by the answer") {
  const std::string text = changed(
      with("[metric.share]\nkind = \"mean\"\nvalue = \"label\"\n", "metrics = [\"share\"]\n"),
      "[view.origin]", "label    = { type = \"string\" }\n[view.origin]");
  CHECK(model_of(text).metrics[0].value->type == data::Type::boolean);
}

}  // namespace coeval::define
