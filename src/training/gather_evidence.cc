#include "training/gather_evidence.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "base/worker_pool.h"
#include "stats/metrics.h"
#include "stores/files.h"
#include "training/champion.h"
#include "training/compare_models.h"
#include "training/evaluate.h"
#include "training/gates.h"
#include "training/given_model.h"
#include "training/pipeline.h"

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
        scores_(std::span(fitted.scores).subspan(test_.from, test_.count)),
        labels_(std::span(rows.labels).subspan(test_.from, test_.count)) {}

  Result<Evidence> run() {
    evidence_.test = all_metrics(scores_, labels_, fitted_.threshold);
    evidence_.test_rows = static_cast<std::int64_t>(test_.count);
    evidence_.test_positives = std::ranges::count(labels_, std::uint8_t{1});
    COEVAL_TRY(compare_runtime());
    COEVAL_TRY(weigh_champion());
    cut_slices();
    COEVAL_TRY(measure_costs());
    look_for_leaks();
    tell_of_data();
    return std::move(evidence_);
  }

 private:
  // An ONNX model is run by its own library already: what is asked is whether another session of it
  // gives the same bits.
  Result<VendorScores> scores_of_another_session() const {
    COEVAL_ASSIGN(const auto again, models::Runtime::read(fitted_.trained.bytes, shop_.openers));
    VendorScores scores{std::vector<float>(test_.count), std::vector<float>(test_.count)};
    COEVAL_TRY(again.predict(rows_.values_of(test_), scores.margins, scores.scores));
    return scores;
  }

  Result<VendorScores> vendor_scores() const {
    const std::string vendor =
        shop_.given == nullptr ? model_.trainer : vendor_of(fitted_.trained.bytes);
    if (models::format_of(fitted_.trained.bytes) == models::ModelFormat::onnx)
      return scores_of_another_session();
    const std::string folder = shop_.work_folder(model_.name + "-predict");
    COEVAL_TRY(stores::make_folders(folder));
    auto scores = predict_in_child(shop_.program, folder, vendor, fitted_.trained.bytes,
                                   rows_.row(test_.from), static_cast<std::int64_t>(test_.count),
                                   rows_.width);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return scores;
  }

  // Bits of our runtime against the vendor's own prediction, over the whole test part.
  Status compare_runtime() {
    COEVAL_ASSIGN(const VendorScores vendor, vendor_scores());
    std::int64_t differences = 0;
    for (std::size_t i = 0; i < test_.count; ++i) {
      const std::size_t row = test_.from + i;
      const bool same = same_bits(vendor.margins[i], fitted_.margins[row]) &&
                        same_bits(vendor.scores[i], fitted_.raw_scores[row]);
      differences += same ? 0 : 1;
    }
    evidence_.runtime_differences = differences;
    shop_.say(model_.name + ": runtime equals " + fitted_.trained.engine + " on " +
              std::to_string(test_.count) + " test rows: " + std::to_string(differences) +
              " differ");
    return {};
  }

  Status weigh_champion() {
    COEVAL_ASSIGN(const ChampionScores champion, champion_scores(shop_, model_, path_, rows_));
    evidence_.champion_version = champion.version;
    evidence_.first_model = champion.version == 0;
    if (evidence_.first_model) return {};
    if (!champion.missing.empty()) {
      evidence_.missing["champion"] = champion.missing;
      return {};
    }
    champion_inputs_ = champion.inputs;
    evidence_.champion = all_metrics(champion.scores, labels_, champion.threshold);
    ModelPair pair{.candidate = scores_,
                   .champion = champion.scores,
                   .candidate_threshold = fitted_.threshold,
                   .champion_threshold = champion.threshold,
                   .labels = labels_,
                   .units = {},
                   .unit = {}};
    const std::vector<std::int64_t> units = draw_units(pair.unit);
    pair.units = units;
    WorkerPool pool(shop_.threads);
    for (const std::string& metric : compared_metrics()) {
      COEVAL_ASSIGN(auto comparison, compare_models(metric, pair, pool));
      evidence_.comparisons.push_back(std::move(comparison));
    }
    return {};
  }

  // Those that gates compare, and the two that every report has.
  std::set<std::string> compared_metrics() const {
    std::set<std::string> metrics = {"auc", "log_loss"};
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

  void cut_slices() {
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
      for (const std::size_t word : order)
        if (!rows[word].empty()) judged += cut_slice(column, word, rows[word], judged) ? 1 : 0;
    }
  }

  bool cut_slice(const SliceColumn& column, std::size_t word, const std::vector<std::size_t>& rows,
                 std::size_t judged) {
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    for (const std::size_t row : rows) {
      scores.push_back(scores_[row]);
      labels.push_back(labels_[row]);
    }
    const std::int64_t positives = std::ranges::count(labels, std::uint8_t{1});
    const std::int64_t negatives = std::ssize(labels) - positives;
    if (judged == kSliceValues || std::min(positives, negatives) < kSliceRows) {
      ++evidence_.small_slices;
      return false;
    }
    evidence_.slices.push_back({.slice = column.name,
                                .value = column.words[word],
                                .rows = std::ssize(labels),
                                .positives = positives,
                                .metrics = all_metrics(scores, labels, fitted_.threshold)});
    return true;
  }

  // Every golden row must be the same when it is scored alone, as a server does.
  Status measure_costs() {
    evidence_.size_bytes = static_cast<double>(fitted_.trained.bytes.size());
    evidence_.golden_differences = 0;
    for (std::size_t i = 0; i < std::min(kAloneRows, test_.count); ++i) {
      const std::size_t row = test_.from + i * test_.count / std::min(kAloneRows, test_.count);
      float margin = 0, score = 0;
      COEVAL_TRY(fitted_.runtime.predict({rows_.row(row), rows_.width}, {&margin, 1}, {&score, 1}));
      models::calibrate(fitted_.calibration, {&score, 1});
      *evidence_.golden_differences += same_bits(score, fitted_.scores[row]) ? 0 : 1;
    }
    COEVAL_ASSIGN(evidence_.latency_us,
                  median_latency_us(fitted_.runtime, rows_.values_of(test_), rows_.width));
    evidence_.cost_per_million =
        *evidence_.latency_us * model_.training.core_hour_price / 3600;  // µs · 1e6 rows = s
    return {};
  }

  // What the input says of the label by itself: its value, of a text the share of positive training
  // rows that have it. A row without a value is below all others.
  std::vector<float> alone(std::size_t input) const {
    const bool text = rows_.encoder.columns()[input].categorical;
    std::vector<double> positives, all;
    const auto code = [&](std::size_t row) { return rows_.row(row)[input]; };
    const TrainingRows::Range train = rows_.part(SplitPart::train);
    for (std::size_t row = train.from; text && row < train.from + train.count; ++row) {
      if (std::isnan(code(row))) continue;
      const auto place = static_cast<std::size_t>(code(row));
      if (place >= all.size()) {
        all.resize(place + 1);
        positives.resize(place + 1);
      }
      all[place] += 1;
      positives[place] += rows_.labels[row];
    }
    std::vector<float> values;
    for (std::size_t row = test_.from; row < test_.from + test_.count; ++row) {
      float value = code(row);
      if (text && !std::isnan(value)) {
        const auto place = static_cast<std::size_t>(value);
        value = place < all.size() && all[place] > 0
                    ? static_cast<float>(positives[place] / all[place])
                    : std::numeric_limits<float>::quiet_NaN();
      }
      values.push_back(std::isnan(value) ? -std::numeric_limits<float>::infinity() : value);
    }
    return values;
  }

  void look_for_leaks() {
    for (std::size_t input = 0; input < rows_.width; ++input) {
      const double auc = stats::auc(alone(input), labels_);
      const double most = std::max(auc, 1 - auc);
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
    if (!evidence_.leak_auc) evidence_.missing["leak_auc"] = "no input has an AUC on the test part";
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
  std::span<const std::uint8_t> labels_;
  Evidence evidence_;
  std::vector<std::string> champion_inputs_;
};

}  // namespace

Result<Evidence> gather_evidence(const Workshop& shop, const define::Model& model,
                                 const std::string& path, const DatasetFacts& facts,
                                 const TrainingRows& rows, const FittedModel& fitted) {
  return Gathering(shop, model, path, facts, rows, fitted).run();
}

}  // namespace coeval::training
