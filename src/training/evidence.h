#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "define/model_kind.h"

namespace coeval::training {

/// Metrics by name, as gates name them. One that is undefined on the rows is not there.
using Metrics = std::map<std::string, double>;

/// The 95 % percentile interval of the bootstrap, of metrics by name. One that is undefined is not
/// there.
struct MetricInterval {
  double lower = 0, upper = 0;
  friend bool operator==(const MetricInterval&, const MetricInterval&) = default;
};
using Intervals = std::map<std::string, MetricInterval>;

/// DeLong's, of the AUC by itself: rows are taken as independent.
struct DeLongInterval {
  double standard_error = 0;
  double lower = 0, upper = 0;
};

/// How much better the candidate is than the champion on the same rows; above 0 is better,
/// whichever way the metric points. (statistics: is the challenger better?)
struct Comparison {
  std::string metric;
  double candidate = 0, champion = 0, improvement = 0;
  double lower = 0, upper = 0;  ///< of the 95 % interval of the improvement
  double p_value = 0;
  std::int64_t units = 0, replicates = 0;
  std::string unit;                     ///< what was drawn: "row", "day", or the expression
  std::optional<double> delong_p = {};  ///< of the AUC: DeLong's p-value, rows taken as independent
};

/// The same on the rows of one slice value. Its p-value is that of the normal law.
struct SliceComparison {
  std::string slice, value;
  Comparison comparison;
  double adjusted_p = 1;  ///< by Holm, over all slices that were compared on this metric
};

/// Rows that only one of two models decides rightly, and McNemar's exact p-value.
struct DecisionComparison {
  std::int64_t candidate_only = 0, champion_only = 0;
  double p_value = 1;
};

/// The rows of one value of a slice.
struct SliceEvidence {
  std::string slice, value;
  std::int64_t rows = 0, positives = 0;  ///< only binary models have positive ones
  Metrics metrics;
  Intervals intervals = {};  ///< of those that do not take long
};

/// All that a verdict may depend on: a snapshot, so that it can be replayed. What could not be
/// measured is absent, with the reason in `missing` under the name of the member.
struct Evidence {
  define::ModelKind kind = define::ModelKind::binary;
  std::optional<Metrics> test;  ///< of the candidate on the test part
  std::int64_t test_rows = 0, test_positives = 0;
  Intervals intervals;        ///< of `test`; none in versions before there were any
  std::string interval_unit;  ///< what was drawn for them
  std::int64_t interval_units = 0;
  std::optional<DeLongInterval> auc_delong;

  bool first_model = false;  ///< there is no champion yet
  int champion_version = 0;
  std::optional<Metrics> champion;  ///< of the champion on the same rows
  std::vector<Comparison> comparisons;
  std::vector<SliceComparison> slice_comparisons;
  std::optional<DecisionComparison> decisions;

  std::vector<SliceEvidence> slices;
  std::int64_t small_slices = 0;  ///< values with too few rows (of either class) to be judged

  std::optional<std::int64_t> runtime_differences;  ///< scores that differ from the vendor's bits
  std::int64_t runtime_rows = 0;  ///< scores that were compared; not kept: the verdict has no need
  std::string runtime_compared;   ///< with what, where that is not the trainer's own library
  std::optional<std::int64_t> golden_differences;  ///< golden rows that a load does not reproduce
  std::optional<std::int64_t> skew_differences;    ///< inputs that the serving path gives otherwise
  std::int64_t skew_rows = 0;
  std::optional<double> latency_us;  ///< median of one row in our runtime
  std::optional<double> size_bytes;  ///< of the model's file
  std::optional<double> cost_per_million;
  std::optional<std::string> data_faults;  ///< what is wrong with the data; empty: nothing
  std::string leak_input;                  ///< the input that alone tells most about the label
  /// Its AUC, the way that is above ½, of several classes that of the one that it tells best; of a
  /// regression its concordance, which is the same of pairs
  /// of any labels (stats/concordance.h).
  std::optional<double> leak_auc;
  std::string new_input;  ///< the same of the inputs that the champion lacks
  std::optional<double> new_input_auc;
  std::optional<double> champion_concordance;  ///< of a regression, on the same rows

  std::map<std::string, std::string> missing;
};

/// Doubles are written so that they read back to the same bits.
data::Json to_json(const Evidence& evidence);
/// Errors: bad_json naming the member.
Result<Evidence> evidence_from_json(const data::Json& json);

}  // namespace coeval::training
