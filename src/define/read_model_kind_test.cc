#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "define/definition_for_tests.h"
#include "define/expr.h"
#include "define/model_metrics.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::errors_of;
using testing::kFlights;
using testing::project_of;

const std::string kLabel = "label    = \"delay >= 15\"";
const std::string kGate = "gate     = { auc = \">= 0.77\" }";

// The flights' model as a regression of the delay, with lines of its own and a gate.
std::string delay(const std::string& lines = "",
                  const std::string& gate = "gate = { mae = \"<= 20\" }",
                  const std::string& label = "label = \"delay\"") {
  return changed(changed(kFlights, kLabel, label + "\nkind = \"regression\"\n" + lines), kGate,
                 gate);
}

const std::string kClassLabel = "label = \"if(delay < 15, 'on time', 'late')\"";

// The flights' model of classes, with lines of its own.
std::string classes(const std::string& list = "[\"on time\", \"late\"]",
                    const std::string& lines = "") {
  return changed(changed(kFlights, kLabel,
                         kClassLabel + "\nkind = \"multiclass\"\nclasses = " + list + "\n" + lines),
                 kGate, "gate = { macro_f1 = \">= 0.2\" }");
}

// The flights' model as a ranking of the delay, with lines of its own.
std::string ranking(const std::string& lines) {
  return changed(changed(kFlights, kLabel, "label = \"delay\"\nkind = \"ranking\"\n" + lines),
                 kGate, "gate = { ndcg = \">= 0.2\" }");
}

void refused(const std::string& toml, const std::string& message, const std::string& advice) {
  const auto errors = errors_of(toml);
  CAPTURE(message);
  REQUIRE(errors.size() == 1);
  CAPTURE(errors[0]);
  CHECK(errors[0].find(message) != std::string::npos);
  CHECK(errors[0].find(advice) != std::string::npos);
}

bool has_param(const Model& model, const std::string& param) {
  return std::ranges::any_of(model.params, [&](const auto& each) { return each.first == param; });
}

}  // namespace

TEST_CASE("without a kind a model is binary, and its text says nothing of kinds") {
  const Model model = project_of(kFlights).models.at(0);
  CHECK(model.kind == ModelKind::binary);
  CHECK(model.ir.find("kind") == std::string::npos);
  CHECK(model.ir.find("loss") == std::string::npos);
  CHECK(primary_metric(model) == "auc");
  const Model said =
      project_of(changed(kFlights, kLabel, kLabel + "\nkind = \"binary\"")).models.at(0);
  CHECK(said.ir_hash == model.ir_hash);
}

TEST_CASE("a regression's label is its number as float64, and kind and loss are in its hash") {
  const Model model = project_of(delay()).models.at(0);
  CHECK(model.kind == ModelKind::regression);
  CHECK(model.label->type == data::Type::float64);
  CHECK(model.ir.find("  kind regression\n  loss squared\n") != std::string::npos);
  CHECK(model.ir.find("threshold") == std::string::npos);
  CHECK(model.training.search.metric == "rmse");
  CHECK_FALSE(has_param(model, "scale_pos_weight"));
  CHECK(has_param(project_of(kFlights).models.at(0), "scale_pos_weight"));
  for (const char* label : {"label = \"delay / 60\"", "label = \"cast(delay as decimal(10,2))\"",
                            "label = \"(date + 1min - date) / 1min + delay\""})
    CHECK(project_of(delay("", "gate = { mae = \"<= 20\" }", label)).models.at(0).label->type ==
          data::Type::float64);
}

TEST_CASE("each loss has its metric, which gates, search and comparison then mean") {
  const auto model = [](const std::string& loss, const std::string& gate) {
    return project_of(delay("loss = " + loss, gate)).models.at(0);
  };
  const Model absolute = model("\"absolute\"", "gate = { better_than = \"champion\" }");
  CHECK(absolute.training.search.metric == "mae");
  CHECK(absolute.gates.at(0).metric == "mae");
  const Model quantile = model("{ quantile = 0.9 }", "gate = { pinball = \"<= 4\" }");
  CHECK(quantile.loss.quantile == 0.9);
  CHECK(quantile.training.search.metric == "pinball");
  CHECK(quantile.ir.find("  loss quantile 0.9\n") != std::string::npos);
  CHECK(absolute.ir_hash != model("\"squared\"", "gate = { better_than = \"champion\" }").ir_hash);
  CHECK(gate_metrics(quantile).size() == gate_metrics(absolute).size() + 1);
}

TEST_CASE("a label of the other kind's type is refused with the way out") {
  refused(delay("", "gate = { mae = \"<= 20\" }", kLabel),
          "the label of model 'late' must be a number in a regression, not bool", "leave kind out");
  refused(changed(kFlights, kLabel, "label = \"delay\""), "the label of model 'late' must be bool",
          "kind = \"regression\" for a label that is a number");
  refused(delay("", "gate = { mae = \"<= 20\" }", "label = \"origin\""), "not string",
          "write a number such as \"delay\"");
  refused(delay("", "gate = { mae = \"<= 20\" }", "label = \"date - date\""), "not duration",
          "divide it by a unit");
  refused(
      delay(
          "", "gate = { mae = \"<= 20\" }",
          "label = { value = \"delay\", from = \"flights\", by = [\"origin\"], within = \"3h\" }"),
      "comes from events, which is not in this version for kind = 'regression'", "own row");
}

TEST_CASE("metrics of another kind are refused in gates, worst_slice, on and search") {
  refused(delay("", kGate), "has no metric 'auc'", "has mae, mape, r_squared, rmse, wape");
  refused(changed(kFlights, kGate, "gate = { rmse = \"<= 20\" }"), "has no metric 'rmse'",
          "rmse is a metric of kind = \"regression\"");
  refused(delay("slices = [\"origin\"]", "gate = { worst_slice = { f1 = \">= 0.2\" } }"),
          "has no metric 'f1'", "has mae");
  refused(delay("", "gate = { better_than = \"champion\", on = \"auc\" }"), "unknown metric 'auc'",
          "auc is a metric of kind = \"binary\"");
  refused(delay("search = { trials = 3, metric = \"log_loss\" }"), "unknown metric 'log_loss'",
          "write metric = \"rmse\" or \"mae\"");
  refused(delay("", "gate = { pinball = \"<= 3\" }"), "has no metric 'pinball'",
          "loss = { quantile = 0.9 }");
}

TEST_CASE("what only binary models have is refused in a regression, each with what to do") {
  refused(delay("class_weights = \"balanced\""), "a regression has no classes", "weights = ");
  refused(delay("calibration = \"auto\""), "a regression's score is no probability",
          "leave it out, with calibrate_until");
  refused(delay("threshold = 0.7"), "a regression decides nothing", "leave it out");
  refused(delay("threshold = { precision = 0.7 }"), "a regression decides nothing", "leave it out");
  refused(delay("params = { scale_pos_weight = 3 }"), "it weighs one class of two", "weights = ");
  refused(delay("search = { trials = 3, space = { scale_pos_weight = [1, 3] } }"),
          "unknown parameter 'scale_pos_weight'", "write space");
  refused(changed(delay(), "validate_until = 2001-06-01",
                  "validate_until = 2001-06-01, calibrate_until = 2001-06-10"),
          "nothing of a regression is fitted on that part", "its rows then test");
}

TEST_CASE("unknown kinds and losses, and losses that a trainer lacks, are refused") {
  refused(changed(kFlights, kLabel, kLabel + "\nkind = \"classification\""),
          "unknown kind 'classification'", "kind = \"ranking\" or kind = \"regression\"");
  refused(changed(kFlights, kLabel, kLabel + "\nkind = \"forecast\""), "is not in this version",
          "kind = \"ranking\" or kind = \"regression\"");
  refused(delay("loss = \"huber\""), "unknown loss 'huber'", "loss = \"absolute\"");
  refused(delay("loss = { quantile = 1 }"), "quantile", "0.999");
  refused(delay("loss = {}"), "quantile", "loss = { quantile = 0.9 }");
  refused(changed(kFlights, kLabel, kLabel + "\nloss = \"squared\""), "whose loss is the log loss",
          "kind = \"regression\"");
  refused(delay("trainer = \"linear\"\nloss = \"absolute\""),
          "the linear trainer of model 'late' has loss = \"squared\" only", "xgboost");
}

TEST_CASE("a multiclass model's label is a text, and its classes are in its hash") {
  const Model model = project_of(classes()).models.at(0);
  CHECK(model.kind == ModelKind::multiclass);
  CHECK(model.classes == std::vector<std::string>{"on time", "late"});
  CHECK(model.label->type == data::Type::string);
  CHECK(model.ir.find("  kind multiclass\n  class on time\n  class late\n") != std::string::npos);
  CHECK(model.ir.find("threshold") == std::string::npos);
  CHECK(model.ir.find("loss") == std::string::npos);
  CHECK(model.training.search.metric == "log_loss");
  CHECK(primary_metric(model) == "log_loss");
  CHECK_FALSE(has_param(model, "scale_pos_weight"));
  CHECK(project_of(classes("[\"late\", \"on time\"]")).models.at(0).ir_hash != model.ir_hash);
}

TEST_CASE("a ranking's label is a whole number, and its query and k are in its hash") {
  const auto model = [](const std::string& lines) {
    return project_of(ranking(lines)).models.at(0);
  };
  const Model found = model("query = \"origin\"");
  CHECK(found.kind == ModelKind::ranking);
  CHECK(found.label->type == data::Type::int64);
  CHECK(found.ir.find("  kind ranking\n  k 10\n") != std::string::npos);
  CHECK(found.training.resampling.expr != nullptr);
  CHECK(primary_metric(found) == "ndcg");
  CHECK(found.training.search.metric == "ndcg");
  CHECK(model("query = \"origin\"\nk = 5").ir_hash != found.ir_hash);
  CHECK(model("query = \"distance\"").ir_hash != found.ir_hash);
}

TEST_CASE("what a ranking does not have is refused, each with what to do") {
  const auto with = [](const std::string& line) { return ranking("query = \"origin\"\n" + line); };
  refused(ranking(""), "has no 'query'", "query = \"session\"");
  refused(ranking("query = \"row\""), "must be an expression over the row", "query = \"session\"");
  refused(with("resample = \"day\""), "draw its queries", "leave it out");
  refused(with("weights = \"distance\""), "means nothing to pairs", "leave it out");
  refused(with("class_weights = \"balanced\""), "a ranking has no classes", "leave it out");
  refused(with("calibration = \"auto\""), "it only orders", "leave it out");
  refused(with("threshold = 0.5"), "a ranking decides nothing", "leave it out");
  refused(with("k = 0"), "k", "1");
  refused(with("loss = \"squared\""), "LambdaMART's", "leave it out");
  refused(with("trainer = \"linear\""), "has no kind = \"ranking\" in this version", "lightgbm");
  refused(with("cost_matrix = [[0, 1], [1, 0]]"), "whose kind is 'ranking'", "");
  refused(changed(with(""), "ndcg = ", "auc = "), "has no metric 'auc'",
          "hit_rate, map, mrr, ndcg");
  refused(changed(with(""), "label = \"delay\"", "label = \"delay >= 15\""),
          "must be a whole number in a ranking, not bool", "if(");
  refused(changed(kFlights, kLabel, kLabel + "\nquery = \"origin\""), "query", "");
}

TEST_CASE("a matrix of costs has a number for each two classes") {
  const auto with = [](const std::string& costs) {
    return classes("[\"on time\", \"late\"]", "cost_matrix = " + costs);
  };
  const Model model = project_of(with("[[0, 1], [2.5, 0]]")).models.at(0);
  CHECK(model.cost_matrix == std::vector<double>{0, 1, 2.5, 0});
  CHECK(model.ir.find("  cost 0\n  cost 1\n  cost 2.5\n  cost 0\n") != std::string::npos);
  CHECK(std::ranges::count(gate_metrics(model), "mean_cost") == 1);
  CHECK(std::ranges::count(gate_metrics(project_of(classes()).models.at(0)), "mean_cost") == 0);
  refused(with("[[0, 1]]"), "has 1 rows for 2 classes", "a row for each class");
  refused(with("[[0, 1], [1]]"), "needs 2 numbers in a row", "a row for each class");
  refused(with("[[0, 1], [-1, 0]]"), "no number from 0 to 1e12", "a row for each class");
  refused(with("[[0, 1], [\"a\", 0]]"), "no number from 0 to 1e12", "a row for each class");
  refused(changed(kFlights, kLabel, kLabel + "\ncost_matrix = [[0, 1], [1, 0]]"),
          "whose kind is 'binary'", "threshold = { cost");
}

TEST_CASE("classes that are none are refused") {
  const std::string needed = "the texts that the label can be";
  refused(classes("[\"late\"]"), "are 1, but there can be 2 to 255", needed);
  refused(classes("[\"late\", \"late\"]"), "name 'late' twice", needed);
  refused(classes("[\"late\", 3]"), "must be texts", needed);
  refused(classes("[\"late\", \"\"]"), "must be texts", needed);
  refused(classes("[\"late\", \"a\\nclass b\"]"), "must be texts of 1 to 200 bytes in a line",
          needed);
  refused(changed(classes(), "classes = [\"on time\", \"late\"]\n", ""), "has no 'classes'",
          needed);
  refused(changed(kFlights, kLabel, kLabel + "\nclasses = [\"a\", \"b\"]"),
          "whose kind is 'binary'", "kind = \"multiclass\"");
  refused(delay("classes = [\"a\", \"b\"]"), "whose kind is 'regression'", "leave them out");
}

TEST_CASE("what a multiclass model does not have is refused, each with what to do") {
  const auto with = [](const std::string& line) {
    return classes("[\"on time\", \"late\"]", line);
  };
  refused(changed(classes(), kClassLabel, "label = \"delay\""),
          "the label of model 'late' must be string", "write a text");
  refused(with("class_weights = \"balanced\""), "not in this version for several classes",
          "weights");
  refused(with("calibration = \"auto\""), "not in this version for several classes",
          "leave it out");
  refused(with("threshold = 0.7"), "the likeliest is the decision", "leave it out");
  refused(with("monotone = { distance = \"increasing\" }"), "which class's score",
          "kind = \"binary\"");
  refused(with("loss = \"squared\""), "whose loss is the log loss", "leave it out");
  refused(with("trainer = \"linear\""), "has no kind = \"multiclass\" in this version", "xgboost");
  refused(with("trainer = { command = [\"x\"] }"), "has no kind = \"multiclass\" in this version",
          "xgboost");
  refused(with("params = { scale_pos_weight = 3 }"), "it weighs one class of two", "weights = ");
  refused(changed(classes(), "macro_f1 = \">= 0.2\"", "auc = \">= 0.2\""), "has no metric 'auc'",
          "has accuracy, log_loss, macro_auc, macro_f1, weighted_f1");
  refused(changed(kFlights, kGate, "gate = { macro_f1 = \">= 0.2\" }"), "has no metric 'macro_f1'",
          "macro_f1 is a metric of kind = \"multiclass\"");
}

TEST_CASE("a metric of the project has decision and label as classes of a multiclass model") {
  const std::string metric =
      "[metric.wrong]\nkind = \"mean\"\nvalue = \"if(decision = label, 0, 1)\"\n";
  const Model model =
      project_of(classes("[\"on time\", \"late\"]", "metrics = [\"wrong\"]") + metric).models.at(0);
  CHECK(model.metrics.at(0).answer_columns == 3);
  CHECK(model.metrics.at(0).schema.fields.at(2).type == data::Type::string);
}

TEST_CASE("a metric of the project has the label as a number and no decision in a regression") {
  const std::string metric =
      "[metric.far_off]\nkind = \"mean\"\nvalue = \"if(abs(score - label) > 30, 1, 0)\"\n";
  const Model model =
      project_of(delay("", "gate = { far_off = \"<= 0.2\" }") + metric).models.at(0);
  CHECK(model.metrics.at(0).answer_columns == 2);
  CHECK(model.gates.at(0).of_project);
  refused(delay("metrics = [\"far_off\"]") + changed(metric, "abs(score - label) > 30", "decision"),
          "unknown column 'decision'", "");
  refused(delay("metrics = [\"rmse\"]") + changed(metric, "far_off", "rmse"),
          "has the name of one that every model of kind \"regression\" has, or its report",
          "another name");
}

}  // namespace coeval::define
