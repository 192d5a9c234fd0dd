// Reads cases from standard input, one JSON object a line, and answers each with a line of JSON:
// every figure of src/stats that "what" names (binary, multiclass, regression, ranking, tests,
// bootstrap, calibration, linear). tests/statistics/*.py says what each case holds. Errors are
// answers too:
// {"error": "name of the code"}.

#include <cmath>
#include <iostream>
#include <limits>
#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "data/json.h"
#include "stats/binary.h"
#include "stats/bootstrap.h"
#include "stats/calibration.h"
#include "stats/concordance.h"
#include "stats/curves.h"
#include "stats/linear_fit.h"
#include "stats/model_tests.h"
#include "stats/multiclass.h"
#include "stats/ranking.h"
#include "stats/regression.h"
#include "stats/thresholds.h"

namespace coeval::stats {
namespace {

using data::Json;

double number(const Json& json) {
  if (const auto* integer = json.integer()) return static_cast<double>(*integer);
  if (const auto* real = json.real()) return *real;
  if (const auto* text = json.string()) return std::stod(*text);
  return std::numeric_limits<double>::quiet_NaN();
}

double number(const Json& json, const char* name) { return number(*json.find(name)); }

/// An absent list is empty.
template <class T>
std::vector<T> list(const Json& json, const char* name) {
  std::vector<T> values;
  if (const Json* member = json.find(name))
    for (const Json& element : *member->array()) {
      if (const auto* integer = element.integer())
        values.push_back(static_cast<T>(*integer));
      else
        values.push_back(static_cast<T>(number(element)));
    }
  return values;
}

Json error_of(const Error& error) {
  Json json;
  json.set("error", std::string(info(error.code).name));
  return json;
}

template <class Number>
Json numbers(const std::vector<Number>& values) {
  Json::Array array;
  for (const Number value : values) array.emplace_back(static_cast<double>(value));
  return array;
}

Json row(std::initializer_list<double> values) { return numbers(std::vector<double>(values)); }

Json to_json(const Confusion& c) {
  return row({c.true_positives, c.false_positives, c.false_negatives, c.true_negatives});
}

Json to_json(const Result<ThresholdChoice>& choice) {
  if (!choice) return error_of(choice.error());
  Json json;
  json.set("threshold", choice->threshold);
  json.set("objective", choice->objective);
  json.set("counts", to_json(choice->counts));
  return json;
}

CostMatrix costs_of(const Json& in) {
  const auto costs = list<double>(in, "costs");
  return {costs[0], costs[1], costs[2], costs[3]};
}

void add_thresholds(Json& out, const Json& in, const BinaryRows& rows) {
  const Confusion counts = confusion(rows, number(in, "threshold"));
  out.set("confusion", to_json(counts));
  out.set("accuracy", accuracy(counts));
  out.set("precision", precision(counts));
  out.set("recall", recall(counts));
  out.set("f1", f1(counts));
  out.set("cost", total_cost(counts, costs_of(in)));
  out.set("recall_at_budget",
          recall_at_budget(rows, static_cast<std::int64_t>(number(in, "budget"))));
  const DailyPrecision daily = precision_at_k_per_day(rows, list<std::int64_t>(in, "days"),
                                                      static_cast<std::int64_t>(number(in, "k")));
  out.set("daily", row({daily.value, static_cast<double>(daily.days),
                        static_cast<double>(daily.short_days)}));
  out.set("least_cost", to_json(choose_threshold(rows, LeastCost{costs_of(in)})));
  const double floor = number(in, "floor");
  out.set("most_recall", to_json(choose_threshold(rows, MostRecall{floor})));
  out.set("most_precision", to_json(choose_threshold(rows, MostPrecision{floor})));
}

void add_curves(Json& out, const BinaryRows& rows) {
  for (const std::size_t most : {std::size_t{1} << 20, std::size_t{12}}) {
    const std::string suffix = most == 12 ? "_short" : "";
    Json::Array roc, pr;
    for (const auto& p : roc_curve(rows, most))
      roc.push_back(row({p.threshold, p.false_positive_rate, p.true_positive_rate}));
    for (const auto& p : precision_recall_curve(rows, most))
      pr.push_back(row({p.threshold, p.recall, p.precision}));
    out.set("roc" + suffix, std::move(roc));
    out.set("pr" + suffix, std::move(pr));
  }
  Json::Array histogram, calibration;
  for (const auto& bin : score_histogram(rows, 7))
    histogram.push_back(row({bin.positives, bin.negatives}));
  for (const auto& p : calibration_curve(rows, 10))
    calibration.push_back(
        row({static_cast<double>(p.rows), p.weight, p.mean_score, p.positive_share}));
  out.set("histogram", std::move(histogram));
  out.set("calibration_curve", std::move(calibration));
}

Json binary(const Json& in) {
  const auto scores = list<float>(in, "scores");
  const auto labels = list<std::uint8_t>(in, "labels");
  const auto weights = list<double>(in, "weights");
  const BinaryRows rows{scores, labels, weights};
  Json out;
  out.set("auc", auc(rows));
  out.set("average_precision", average_precision(rows));
  out.set("log_loss", log_loss(rows));
  out.set("brier", brier(rows));
  out.set("calibration_error", calibration_error(rows));
  if (weights.empty()) {
    const BinaryMetrics plain = binary_metrics(scores, labels);
    out.set("plain", row({plain.auc, plain.average_precision, plain.log_loss, plain.brier,
                          plain.calibration_error}));
  }
  add_thresholds(out, in, rows);
  add_curves(out, rows);
  return out;
}

Json multiclass(const Json& in) {
  const auto probabilities = list<float>(in, "probabilities");
  const auto labels = list<std::int32_t>(in, "labels");
  const auto weights = list<double>(in, "weights");
  const MulticlassRows rows{probabilities, labels, static_cast<int>(number(in, "classes")),
                            weights};
  const MulticlassMetrics metrics = multiclass_metrics(rows);
  Json out;
  out.set("log_loss", log_loss(rows));
  out.set("accuracy", accuracy(rows));
  out.set("macro_f1", metrics.macro_f1);
  out.set("weighted_f1", metrics.weighted_f1);
  out.set("macro_auc", metrics.macro_auc);
  out.set("classes_with_auc", metrics.classes_with_auc);
  Json::Array classes;
  for (const ClassMetrics& of : metrics.classes)
    classes.push_back(row({of.support, of.precision, of.recall, of.f1, of.auc}));
  out.set("classes", std::move(classes));
  return out;
}

Json regression(const Json& in) {
  const auto predictions = list<double>(in, "predictions"), targets = list<double>(in, "targets"),
             weights = list<double>(in, "weights"), lower = list<double>(in, "lower"),
             upper = list<double>(in, "upper");
  const RegressionRows rows{predictions, targets, weights};
  Json out;
  out.set("rmse", rmse(rows));
  out.set("mae", mae(rows));
  const PercentageError percentage = mape(rows);
  out.set("mape", percentage.value);
  out.set("rows_near_zero", percentage.rows_near_zero);
  out.set("wape", wape(rows));
  out.set("pinball", pinball(rows, number(in, "tau")));
  out.set("r_squared", r_squared(rows));
  const std::vector<float> scores(predictions.begin(), predictions.end());
  out.set("concordance", RankedTargets(targets).concordance(scores));
  out.set("naive_error", naive_error(targets, static_cast<std::size_t>(number(in, "season"))));
  out.set("mase", mase(rows, naive_error(targets)));
  const Coverage coverage = interval_coverage(lower, upper, targets, weights);
  out.set("coverage", row({coverage.share, coverage.mean_width}));
  return out;
}

Json ranking(const Json& in) {
  const auto queries = list<std::int64_t>(in, "queries");
  const auto scores = list<float>(in, "scores");
  const auto relevance = list<std::int32_t>(in, "relevance");
  const RankingMetrics metrics =
      ranking_metrics({queries, scores, relevance}, static_cast<std::int64_t>(number(in, "k")));
  Json out;
  out.set("queries", metrics.queries);
  out.set("without_relevant", metrics.without_relevant);
  out.set("ndcg", metrics.ndcg);
  out.set("map", metrics.map);
  out.set("mrr", metrics.mrr);
  out.set("hit_rate", metrics.hit_rate);
  return out;
}

Json tests(const Json& in) {
  const auto challenger = list<float>(in, "challenger"), champion = list<float>(in, "champion");
  const auto labels = list<std::uint8_t>(in, "labels");
  const DeLong test = delong(challenger, champion, labels);
  Json out;
  out.set("delong", row({test.challenger, test.champion, test.difference, test.standard_error,
                         test.z, test.p_value}));
  const DeLongAuc alone = delong_auc(challenger, labels);
  out.set("delong_auc", row({alone.auc, alone.standard_error, alone.lower, alone.upper}));
  std::vector<std::uint8_t> right[2];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    right[0].push_back((challenger[i] >= 0.5f) == (labels[i] != 0));
    right[1].push_back((champion[i] >= 0.5f) == (labels[i] != 0));
  }
  const McNemar of_rows = mcnemar(right[0], right[1]);
  out.set("mcnemar_rows", row({static_cast<double>(of_rows.challenger_only),
                               static_cast<double>(of_rows.champion_only), of_rows.p_value}));
  const auto counts = list<std::int64_t>(in, "counts");
  out.set("mcnemar", mcnemar(counts[0], counts[1]).p_value);
  out.set("holm", numbers(holm(list<double>(in, "p_values"))));
  return out;
}

Json to_json(const Result<Improvement>& found) {
  if (!found) return error_of(found.error());
  Json out;
  out.set("challenger", found->challenger);
  out.set("champion", found->champion);
  out.set("value", found->value);
  out.set("lower", found->interval.lower);
  out.set("upper", found->interval.upper);
  out.set("p_value", found->p_value);
  out.set("normal_p_value", normal_p_value(*found));
  out.set("units", found->units);
  out.set("replicates", numbers(found->replicates));
  return out;
}

Json to_json(const Result<Estimate>& found) {
  if (!found) return error_of(found.error());
  return row({found->value, found->interval.lower, found->interval.upper,
              static_cast<double>(found->units)});
}

// One model's metrics with their intervals, in one call for the two means.
Json estimates(std::span<const float> scores, std::span<const std::uint8_t> labels,
               std::span<const RatioRows> means, Units units, const BootstrapOptions& options,
               WorkerPool* pool) {
  Json out;
  out.set("auc", to_json(estimate_auc(scores, labels, units, options, pool)));
  out.set("average_precision",
          to_json(estimate_average_precision(scores, labels, units, options, pool)));
  const auto ratios = estimate_ratios(means, labels.size(), units, options, pool);
  out.set("brier", ratios ? to_json(Result<Estimate>((*ratios)[0])) : error_of(ratios.error()));
  out.set("of_positives",
          ratios ? to_json(Result<Estimate>((*ratios)[1])) : error_of(ratios.error()));
  const RankedCalibration ranked(scores, labels);
  out.set("calibration_error",
          to_json(estimate_by(
              labels.size(), calibration_error(scores, labels).value,
              [&](std::span<const double> weights) { return ranked.error(weights); }, units,
              options, pool)));
  return out;
}

Json bootstrap(const Json& in) {
  static WorkerPool pool(3);
  const auto challenger = list<float>(in, "challenger"), champion = list<float>(in, "champion");
  const auto labels = list<std::uint8_t>(in, "labels");
  const auto units = list<std::int64_t>(in, "units");
  BootstrapOptions options;
  options.seed = static_cast<std::uint64_t>(*in.find("seed")->integer());
  options.replicates = static_cast<int>(number(in, "replicates"));
  options.level = number(in, "level");
  Json out;
  out.set("plain_average_precision",
          to_json(compare_average_precision(challenger, champion, labels, units, options, &pool)));
  out.set("auc", to_json(compare_auc(challenger, champion, labels, units, options, &pool)));
  const auto weights = list<double>(in, "weights");
  std::vector<double> squares[2];
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const double weight = weights.empty() ? 1 : weights[i];
    const auto square = [&](float score) {
      const double error = static_cast<double>(score) - labels[i];
      return weight * (error * error);
    };
    squares[0].push_back(square(challenger[i]));
    squares[1].push_back(square(champion[i]));
  }
  out.set("brier", to_json(compare_ratios({squares[0], weights}, {squares[1], weights},
                                          Better::lower, RatioForm::plain, units, options, &pool)));
  out.set("rmse", to_json(compare_ratios({squares[0], weights}, {squares[1], weights},
                                         Better::lower, RatioForm::root, units, options, &pool)));
  std::vector<double> of_positives(squares[0].size()), positives(squares[0].size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    positives[i] = labels[i];
    of_positives[i] = labels[i] * static_cast<double>(challenger[i]);
  }
  const RatioRows means[] = {{squares[0], weights}, {of_positives, positives}};
  out.set("estimates", estimates(challenger, labels, means, units, options, &pool));
  const auto metric = [&](std::span<const double> times) {
    std::vector<double> both;
    for (std::size_t i = 0; i < times.size(); ++i)
      both.push_back(times[i] * (weights.empty() ? 1 : weights[i]));
    return MetricPair{average_precision(BinaryRows{challenger, labels, both}),
                      average_precision(BinaryRows{champion, labels, both})};
  };
  out.set("average_precision",
          to_json(compare_by(labels.size(), metric, Better::higher, units, options, &pool)));
  return out;
}

Json calibration(const Json& in) {
  const auto scores = list<float>(in, "scores");
  const auto labels = list<std::uint8_t>(in, "labels");
  const auto weights = list<double>(in, "weights"), at = list<double>(in, "at");
  const BinaryRows rows{scores, labels, weights};
  Json out;
  const auto add = [&](const char* name, const Result<CalibrationMap>& fitted) {
    if (!fitted) {
      out.set(name, error_of(fitted.error()));
      return;
    }
    // By way of its text, as an artifact keeps it.
    const auto read = calibration_from_json(*data::parse_json(to_json(*fitted).dump()));
    if (!read || !(*read == *fitted)) {
      out.set(name, "the map does not read back");
      return;
    }
    Json map = to_json(*fitted);
    std::vector<double> values;
    for (const double score : at) values.push_back(read->apply(score));
    map.set("at", numbers(values));
    out.set(name, std::move(map));
  };
  add("platt", fit_platt(rows));
  add("isotonic", fit_isotonic(rows));
  add("chosen", fit_calibration(rows));
  return out;
}

Json to_json(const LinearDesign::Column& column) {
  const auto place = [](std::uint32_t of) { return of == LinearDesign::kNone ? -1 : double(of); };
  return row({place(column.first), static_cast<double>(column.levels), place(column.indicator),
              column.mean, column.scale});
}

// "values" (NaN as a string), "categorical", "labels", "weights", "loss", "l1", "l2", "directions"
// of the columns, "threads".
Json linear(const Json& in) {
  const auto values = list<float>(in, "values"), weights = list<float>(in, "weights");
  const auto labels = list<double>(in, "labels");
  const auto flags = list<int>(in, "categorical"), signs = list<int>(in, "directions");
  const LinearRows rows{values, flags.size(), labels, weights};
  const auto design = LinearDesign::fit(rows, std::vector<bool>(flags.begin(), flags.end()));
  if (!design) return error_of(design.error());
  LinearOptions options;
  if (*in.find("loss")->string() == "squared") options.loss = LinearLoss::squared;
  options.l1 = number(in, "l1");
  options.l2 = number(in, "l2");
  options.directions.assign(signs.empty() ? 0 : design->size(), 0);
  for (std::size_t i = 0; i < signs.size(); ++i)
    if (flags[i] == 0 && design->columns()[i].first != LinearDesign::kNone)
      options.directions[design->columns()[i].first] = signs[i];
  WorkerPool pool(static_cast<int>(number(in, "threads")));
  const auto found = fit_linear(*design, rows, options, pool);
  if (!found) return error_of(found.error());
  Json out, columns{Json::Array{}};
  for (const auto& column : design->columns()) columns.push(to_json(column));
  out.set("columns", std::move(columns));
  out.set("intercept", found->intercept);
  out.set("coefficients", numbers(found->coefficients));
  out.set("converged", found->converged);
  out.set("iterations", found->iterations);
  out.set("gap", found->gap);
  out.set("objective", found->objective);
  return out;
}

Json answer(const Json& in) {
  const std::string& what = *in.find("what")->string();
  if (what == "binary") return binary(in);
  if (what == "multiclass") return multiclass(in);
  if (what == "regression") return regression(in);
  if (what == "ranking") return ranking(in);
  if (what == "tests") return tests(in);
  if (what == "bootstrap") return bootstrap(in);
  if (what == "calibration") return calibration(in);
  if (what == "linear") return linear(in);
  return Json("no such case: " + what);
}

}  // namespace
}  // namespace coeval::stats

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto json = coeval::data::parse_json(line);
    if (!json) {
      std::cerr << coeval::one_line(json.error()) << '\n';
      return 1;
    }
    std::cout << coeval::stats::answer(*json).dump() << '\n';
  }
  return 0;
}
