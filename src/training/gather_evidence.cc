#include "training/gather_evidence.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/worker_pool.h"
#include "define/external_trainer.h"
#include "define/model_metrics.h"
#include "exact/exact_sum.h"
#include "stats/concordance.h"
#include "stats/metrics.h"
#include "stats/model_tests.h"
#include "stores/files.h"
#include "training/champion.h"
#include "training/compare_models.h"
#include "training/evaluate.h"
#include "training/gates.h"
#include "training/given_model.h"
#include "training/onnx_trial.h"
#include "training/pipeline.h"
#include "training/project_metrics.h"

namespace coeval::training {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::size_t kEnoughDays = 20;
constexpr std::size_t kAloneRows = 64;

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

class Gathering {
 public:
  Gathering(const Workshop& shop, const define::Model& model, const std::string& path,
            const DatasetFacts& facts, const TrainingRows& rows, const FittedModel& fitted)
      : shop_(shop),
        model_(model),
        path_(path),
        facts_(facts),
        rows_(rows),
        fitted_(fitted),
        test_(rows.part(SplitPart::test)),
        scores_(fitted.scores_of(test_)),
        labels_(rows.labels.span().subspan(test_.from, test_.count)),
        worth_(model, rows, test_, scores_, {fitted.threshold, model.cost_matrix}),
        pool_(shop.threads) {}

  Result<Evidence> run() {
    evidence_.kind = model_.kind;
    units_ = draw_units(pair_.unit);
    evidence_.test = all_metrics(answers_of(scores_, labels_, units_));
    worth_.add_to(*evidence_.test);
    evidence_.test_rows = static_cast<std::int64_t>(test_.count);
    if (labels_.is_binary())
      evidence_.test_positives = std::ranges::count(labels_.classes, std::uint8_t{1});
    COEVAL_TRY(compare_runtime());
    pair_.candidate = scores_;
    pair_.candidate_threshold = fitted_.threshold;
    pair_.candidate_costs = model_.cost_matrix;
    pair_.labels = labels_;
    pair_.quantile = quantile_of(model_);
    pair_.units = units_;
    pair_.rank_k = model_.rank_k;
    pair_.candidate_worth = &worth_;
    COEVAL_TRY(measure_intervals());
    COEVAL_TRY(weigh_champion());
    COEVAL_TRY(cut_slices());
    COEVAL_TRY(weigh_champion_on_slices());
    COEVAL_TRY(measure_costs());
    look_for_leaks();
    tell_of_data();
    return std::move(evidence_);
  }

 private:
  ModelAnswers answers_of(std::span<const float> scores, const LabelSpan& labels,
                          std::span<const std::int64_t> queries) const {
    return {scores,
            labels,
            fitted_.threshold,
            quantile_of(model_),
            model_.classes,
            model_.cost_matrix,
            queries,
            model_.rank_k};
  }

  // Bits of our runtime against the trainer's own prediction, over the whole test part.
  Status compare_runtime() {
    if (shop_.given != nullptr || model_.trainer == define::kExternalTrainer)
      return compare_foreign();
    COEVAL_ASSIGN(const VendorScores vendor, vendor_scores(model_.trainer));
    count_differences(vendor);
    if (model_.trainer == "linear")
      evidence_.runtime_compared = "a second reading of the file, which shares our exp";
    tell_of_runtime(fitted_.trained.engine + " on " + std::to_string(test_.count) + " test rows");
    return {};
  }

  // Of the library that reads models of this trainer, or, of an ONNX model, of another session in
  // another process.
  Result<VendorScores> vendor_scores(const std::string& trainer) const {
    const std::string folder = shop_.work_folder(model_.name + "-predict");
    COEVAL_TRY(stores::make_folders(folder));
    auto scores = predict_in_child(shop_.program, folder, trainer.empty() ? kOnnxWorker : trainer,
                                   fitted_.trained.bytes, rows_.row(test_.from),
                                   static_cast<std::int64_t>(test_.count), rows_.width,
                                   fitted_.outputs, {}, &rows_.values.memory());
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return scores;
  }

  void count_differences(const VendorScores& vendor) {
    std::int64_t differences = 0;
    const std::size_t outputs = fitted_.outputs;
    for (std::size_t i = 0; i < test_.count; ++i) {
      bool same = true;
      for (std::size_t k = 0; k < outputs; ++k) {
        const std::size_t theirs = i * outputs + k, ours = (test_.from + i) * outputs + k;
        same = same && same_bits(vendor.margins[theirs], fitted_.margins[ours]) &&
               same_bits(vendor.scores[theirs], fitted_.raw_scores[ours]);
      }
      differences += same ? 0 : 1;
    }
    evidence_.runtime_differences = evidence_.runtime_differences.value_or(0) + differences;
    evidence_.runtime_rows += static_cast<std::int64_t>(test_.count);
  }

  // A model that was not trained here: beside the library of its format, and beside what the
  // command that trained it predicted.
  Status compare_foreign() {
    std::string& beside = evidence_.runtime_compared;
    const std::string library = vendor_of(fitted_.trained.bytes);
    const auto vendor = vendor_scores(library);
    if (!vendor && vendor.error().code != Code::missing_component)
      return std::unexpected(vendor.error());
    if (vendor) {
      count_differences(*vendor);
      beside = (library.empty() ? "another session of ONNX Runtime" : library) + " on " +
               std::to_string(test_.count) + " test rows";
    }
    compare_with_predictions(beside);
    if (evidence_.runtime_differences)
      tell_of_runtime(beside);
    else
      evidence_.missing["runtime_differences"] =
          "nothing to compare with: " + vendor.error().message +
          (shop_.given == nullptr ? ", and the command wrote no predictions" : "");
    return {};
  }

  void compare_with_predictions(std::string& beside) {
    const std::vector<float>& theirs = fitted_.trained.validation_scores;
    const TrainingRows::Range part = rows_.part(SplitPart::validate);
    if (theirs.empty()) return;
    std::int64_t differences = 0;
    for (std::size_t i = 0; i < part.count; ++i)
      differences += same_bits(theirs[i], fitted_.raw_scores[part.from + i]) ? 0 : 1;
    evidence_.runtime_differences = evidence_.runtime_differences.value_or(0) + differences;
    evidence_.runtime_rows += static_cast<std::int64_t>(part.count);
    beside += (beside.empty() ? "" : " and ") + std::string("the command's predictions of ") +
              std::to_string(part.count) + " validation rows";
  }

  void tell_of_runtime(const std::string& beside) const {
    shop_.say(model_.name + ": runtime equals " + beside + ": " +
              std::to_string(*evidence_.runtime_differences) + " differ");
  }

  Status weigh_champion() {
    COEVAL_ASSIGN(ChampionScores champion, champion_scores(shop_, model_, path_, rows_));
    evidence_.champion_version = champion.version;
    evidence_.first_model = champion.version == 0;
    if (evidence_.first_model) return {};
    if (!champion.missing.empty()) {
      evidence_.missing["champion"] = champion.missing;
      return {};
    }
    champion_inputs_ = champion.inputs;
    champion_scores_ = std::move(champion.scores);
    champion_costs_ = std::move(champion.cost_matrix);
    champion_worth_.emplace(model_, rows_, test_, champion_scores_,
                            DecisionRule{champion.threshold, champion_costs_});
    pair_.champion_costs = champion_costs_;
    pair_.champion = champion_scores_;
    pair_.champion_threshold = champion.threshold;
    evidence_.champion = all_metrics(pair_.champion_answers());
    champion_worth_->add_to(*evidence_.champion);
    pair_.champion_worth = &*champion_worth_;
    for (const std::string& metric : compared_metrics()) {
      COEVAL_ASSIGN(auto comparison, compare_models(metric, pair_, pool_));
      evidence_.comparisons.push_back(std::move(comparison));
    }
    if (labels_.is_binary() || labels_.is_multiclass())
      evidence_.decisions = compare_decisions(pair_);
    return {};
  }

  Status measure_intervals() {
    COEVAL_ASSIGN(evidence_.intervals, metric_intervals(pair_, false, {}, pool_));
    evidence_.interval_unit = pair_.unit;
    evidence_.interval_units =
        units_.empty() ? evidence_.test_rows : std::ssize(std::set(units_.begin(), units_.end()));
    if (!labels_.is_binary()) return {};
    const stats::DeLongAuc auc = stats::delong_auc(scores_, labels_.classes);
    if (std::isfinite(auc.standard_error))
      evidence_.auc_delong = DeLongInterval{auc.standard_error, auc.lower, auc.upper};
    return {};
  }

  // A slice on which the candidate is worse hides in a mean that is better.
  Status weigh_champion_on_slices() {
    if (!evidence_.champion || slice_rows_.empty()) return {};
    std::set<std::string> metrics = {std::string(define::primary_metric(model_))};
    for (const define::Gate& gate : model_.gates)
      if (gate.kind == define::Gate::Kind::no_slice_worse ||
          gate.kind == define::Gate::Kind::no_slice_worse_by)
        metrics.insert(gate.metric);
    for (const std::string& metric : metrics) {
      COEVAL_ASSIGN(auto compared, compare_slices(metric, pair_, slice_rows_, pool_));
      std::ranges::move(compared, std::back_inserter(evidence_.slice_comparisons));
    }
    return {};
  }

  // Those that gates compare, and the two that every report has.
  std::set<std::string> compared_metrics() const {
    std::set<std::string> metrics = {std::string(define::primary_metric(model_)),
                                     labels_.is_regression() ? "mae"
                                     : labels_.is_ranking()  ? "map"
                                                             : "log_loss"};
    for (const define::Gate& gate : model_.gates)
      if (gate.kind == define::Gate::Kind::better_than_champion ||
          gate.kind == define::Gate::Kind::not_worse_than_champion)
        metrics.insert(gate.metric);
    return metrics;
  }

  // statistics: the entity or day where rows repeat one.
  std::vector<std::int64_t> draw_units(std::string& unit) const {
    using Unit = define::Resampling::Unit;
    const define::Resampling& resampling = model_.training.resampling;
    if (resampling.unit == Unit::value) {
      unit = resampling.name;
      const auto own = std::span(rows_.units).subspan(test_.from, test_.count);
      return {own.begin(), own.end()};
    }
    std::vector<std::int64_t> days;
    for (std::size_t i = 0; i < test_.count; ++i) {
      const std::int64_t at = rows_.at_us[test_.from + i];
      days.push_back(at / kDayUs - (at % kDayUs < 0 ? 1 : 0));
    }
    const bool enough = std::set(days.begin(), days.end()).size() >= kEnoughDays;
    const bool by_day =
        resampling.unit == Unit::day || (resampling.unit == Unit::automatic && enough);
    unit = by_day ? "day" : "row";
    return by_day ? days : std::vector<std::int64_t>{};
  }

  Status cut_slices() {
    for (const define::Gate& gate : model_.gates)
      if (gate.worst_slice) gated_on_slices_.push_back(gate.metric);
    if (labels_.is_ranking())
      for (const std::int64_t query : units_) ++query_rows_[query];
    for (const SliceColumn& column : rows_.slices) {
      std::vector<std::vector<std::size_t>> rows(column.words.size());
      for (std::size_t i = 0; i < test_.count; ++i)
        rows[static_cast<std::size_t>(column.codes[test_.from + i])].push_back(i);
      std::vector<std::size_t> order(column.words.size());
      for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
      std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
        if (rows[a].size() != rows[b].size()) return rows[a].size() > rows[b].size();
        return column.words[a] < column.words[b];
      });
      std::size_t judged = 0;
      for (const std::size_t word : order) {
        if (labels_.is_ranking()) keep_whole_queries(rows[word]);
        if (rows[word].empty()) continue;
        COEVAL_ASSIGN(const bool is_judged, cut_slice(column, word, std::move(rows[word]), judged));
        judged += is_judged ? 1 : 0;
      }
    }
    return {};
  }

  // Of a ranking's slice the rows of queries that lie in it whole: a part of a query is another
  // order.
  void keep_whole_queries(std::vector<std::size_t>& rows) const {
    std::map<std::int64_t, std::size_t> here;
    for (const std::size_t row : rows) ++here[units_[row]];
    std::erase_if(rows,
                  [&](std::size_t row) { return here[units_[row]] < query_rows_.at(units_[row]); });
  }

  // Whether the slice has enough rows, of a ranking queries.
  Result<bool> cut_slice(const SliceColumn& column, std::size_t word, std::vector<std::size_t> rows,
                         std::size_t judged) {
    const std::vector<float> scores = take(scores_, rows, fitted_.outputs);
    const RowLabels labels = take(labels_, rows);
    const std::vector<std::int64_t> units = take(std::span(std::as_const(units_)), rows, 1);
    const std::int64_t positives =
        labels_.is_binary() ? std::ranges::count(labels.classes, std::uint8_t{1}) : 0;
    const std::int64_t least =
        labels_.is_binary()    ? std::min(positives, std::ssize(rows) - positives)
        : labels_.is_ranking() ? std::ssize(std::set(units.begin(), units.end()))
                               : std::ssize(rows);
    if (judged == kSliceValues || least < kSliceRows) {
      ++evidence_.small_slices;
      return false;
    }
    SliceEvidence slice{.slice = column.name,
                        .value = column.words[word],
                        .rows = std::ssize(rows),
                        .positives = positives,
                        .metrics = all_metrics(answers_of(scores, labels.span(), units)),
                        .intervals = {}};
    const ProjectMetrics worth = worth_.take(rows);
    worth.add_to(slice.metrics);
    if (units.empty() || std::ssize(std::set(units.begin(), units.end())) >= kLeastUnits) {
      const ModelPair some{.candidate = scores,
                           .champion = {},
                           .candidate_threshold = fitted_.threshold,
                           .champion_threshold = 0,
                           .labels = labels.span(),
                           .quantile = quantile_of(model_),
                           .units = units,
                           .rank_k = model_.rank_k,
                           .unit = pair_.unit,
                           .candidate_costs = model_.cost_matrix,
                           .candidate_worth = &worth,
                           .champion_worth = nullptr};
      COEVAL_ASSIGN(slice.intervals, metric_intervals(some, true, gated_on_slices_, pool_));
    }
    evidence_.slices.push_back(std::move(slice));
    slice_rows_.push_back({column.name, column.words[word], std::move(rows)});
    return true;
  }

  // Every golden row must be the same when it is scored alone, as a server does.
  Status measure_costs() {
    evidence_.size_bytes = static_cast<double>(fitted_.trained.bytes.size());
    evidence_.golden_differences = 0;
    for (std::size_t i = 0; i < std::min(kAloneRows, test_.count); ++i) {
      const std::size_t row = test_.from + i * test_.count / std::min(kAloneRows, test_.count);
      std::vector<float> margins(fitted_.outputs), scores(fitted_.outputs);
      COEVAL_TRY(fitted_.runtime.predict({rows_.row(row), rows_.width}, margins, scores));
      models::calibrate(fitted_.calibration, scores);
      const auto block = fitted_.scores_of({row, 1});
      *evidence_.golden_differences += std::ranges::equal(scores, block, same_bits) ? 0 : 1;
    }
    COEVAL_ASSIGN(evidence_.latency_us,
                  median_latency_us(fitted_.runtime, rows_.values_of(test_), rows_.width));
    evidence_.cost_per_million =
        *evidence_.latency_us * model_.training.core_hour_price / 3600;  // µs · 1e6 rows = s
    return {};
  }

  // The mean label of the training rows that have each text of an input, by its code: of classes
  // the share of the one asked about. NaN where there are none.
  std::vector<float> label_means(std::size_t input, std::uint8_t of) const {
    std::vector<std::int64_t> rows;
    std::vector<exact::ExactSum> sums;
    const TrainingRows::Range train = rows_.part(SplitPart::train);
    for (std::size_t row = train.from; row < train.from + train.count; ++row) {
      const float code = rows_.row(row)[input];
      if (std::isnan(code)) continue;
      const auto place = static_cast<std::size_t>(code);
      if (place >= rows.size()) {
        rows.resize(place + 1);
        sums.resize(place + 1);
      }
      rows[place] += 1;
      sums[place].add(labels_.is_regression()           ? rows_.labels.numbers[row]
                      : labels_.is_ranking()            ? rows_.labels.classes[row]
                      : rows_.labels.classes[row] == of ? 1.0
                                                        : 0.0);
    }
    std::vector<float> means;
    for (std::size_t place = 0; place < rows.size(); ++place)
      means.push_back(rows[place] > 0 ? static_cast<float>(sums[place].mean(rows[place]))
                                      : std::numeric_limits<float>::quiet_NaN());
    return means;
  }

  // What the input says of the label by itself: its value, of a text the mean label of training
  // rows that have it. A row without a value is below all others.
  std::vector<float> alone(std::size_t input, std::uint8_t of = 1) const {
    const bool text = rows_.encoder.columns()[input].categorical;
    const std::vector<float> means = text ? label_means(input, of) : std::vector<float>();
    std::vector<float> values;
    for (std::size_t row = test_.from; row < test_.from + test_.count; ++row) {
      float value = rows_.row(row)[input];
      if (text && !std::isnan(value)) {
        const auto place = static_cast<std::size_t>(value);
        value = place < means.size() ? means[place] : std::numeric_limits<float>::quiet_NaN();
      }
      values.push_back(std::isnan(value) ? -std::numeric_limits<float>::infinity() : value);
    }
    return values;
  }

  // How well an input by itself orders the labels, the way that is above ½: its AUC, or of a
  // regression its concordance. Of several classes, of the one that it tells best from the others.
  double told_alone(std::size_t input, const std::optional<stats::RankedTargets>& targets) const {
    const auto above = [](double auc) { return std::max(auc, 1 - auc); };
    if (targets) return above(targets->concordance(alone(input)));
    if (labels_.is_binary()) return above(stats::auc(alone(input), labels_.classes));
    double most = std::numeric_limits<double>::quiet_NaN();
    for (std::size_t of = 0; of < model_.classes.size(); ++of) {
      const auto place = static_cast<std::uint8_t>(of);
      std::vector<std::uint8_t> is_of;
      for (const std::uint8_t label : labels_.classes) is_of.push_back(label == place ? 1 : 0);
      most = std::fmax(most, above(stats::auc(alone(input, place), is_of)));
    }
    return most;
  }

  void look_for_leaks() {
    std::optional<stats::RankedTargets> targets;
    if (labels_.is_regression()) targets.emplace(labels_.numbers);
    if (labels_.is_ranking())
      targets.emplace(std::vector<double>(labels_.classes.begin(), labels_.classes.end()));
    if (targets && evidence_.champion)
      evidence_.champion_concordance = targets->concordance(champion_scores_);
    for (std::size_t input = 0; input < rows_.width; ++input) {
      const double most = told_alone(input, targets);
      if (!std::isfinite(most)) continue;
      const std::string& name = rows_.encoder.columns()[input].name;
      if (!evidence_.leak_auc || most > *evidence_.leak_auc) {
        evidence_.leak_auc = most;
        evidence_.leak_input = name;
      }
      const bool is_new = evidence_.champion && std::ranges::count(champion_inputs_, name) == 0;
      if (is_new && (!evidence_.new_input_auc || most > *evidence_.new_input_auc)) {
        evidence_.new_input_auc = most;
        evidence_.new_input = name;
      }
    }
    if (!evidence_.leak_auc)
      evidence_.missing["leak_auc"] = std::string("no input has ") +
                                      (targets ? "a concordance" : "an AUC") + " on the test part";
  }

  void tell_of_data() {
    evidence_.data_faults = facts_.faults;
    evidence_.skew_rows = facts_.skew_rows;
    if (facts_.skew_rows > 0)
      evidence_.skew_differences = facts_.skew_differences;
    else
      evidence_.missing["skew_differences"] = "no row was computed by the server's way";
  }

  const Workshop& shop_;
  const define::Model& model_;
  const std::string& path_;
  const DatasetFacts& facts_;
  const TrainingRows& rows_;
  const FittedModel& fitted_;
  TrainingRows::Range test_;
  std::span<const float> scores_;
  LabelSpan labels_;
  ProjectMetrics worth_;
  WorkerPool pool_;
  Evidence evidence_;
  std::vector<std::int64_t> units_;
  std::map<std::int64_t, std::size_t> query_rows_;  // of a ranking, in the test part
  std::vector<std::string> champion_inputs_;
  std::vector<float> champion_scores_;
  std::vector<double> champion_costs_;
  std::optional<ProjectMetrics> champion_worth_;
  ModelPair pair_;
  std::vector<std::string> gated_on_slices_;
  std::vector<SliceRows> slice_rows_;
};

}  // namespace

Result<Evidence> gather_evidence(const Workshop& shop, const define::Model& model,
                                 const std::string& path, const DatasetFacts& facts,
                                 const TrainingRows& rows, const FittedModel& fitted) {
  return Gathering(shop, model, path, facts, rows, fitted).run();
}

}  // namespace coeval::training
