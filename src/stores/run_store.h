#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "stores/run_filter.h"

namespace coeval::stores {

/// What a run is for: a build of its own; one trial of a search, whose run is its parent; a version
/// made once more to be compared.
enum class RunKind : std::uint8_t { build, trial, reproduce };
std::string_view name(RunKind kind);

/// `interrupted`: its process is gone, or was another machine's, and nobody recorded how it ended.
enum class RunState : std::uint8_t { running, finished, failed, interrupted };
std::string_view name(RunState state);

/// One training run, whole.
struct Run {
  std::string id;  ///< given by the store
  std::string model, experiment;
  RunKind kind = RunKind::build;
  std::string parent;  ///< id of the run that it is a part of; empty: none
  RunState state = RunState::running;
  std::string error;  ///< of a failed one
  std::int64_t started_us = 0, ended_us = 0;
  int version = 0;                                    ///< of the model that it registered; 0 = none
  std::optional<double> dataset_s, train_s;           ///< what the steps took that were run
  std::map<std::string, std::string> params;          ///< "max_depth" → "6", as text
  std::map<std::string, std::string> ids;             ///< dataset_id, ir_hash, recipe_id, bits_id
  std::map<std::string, std::string> environment;     ///< coeval, trainer, threads, cpu, kernel, …
  std::map<std::string, double> metrics;              ///< "test.auc"; NaN and infinities are kept
  std::map<std::string, std::vector<double>> curves;  ///< "validation": by round
  std::vector<std::string> tags;                      ///< sorted, each once
};

/// A field of one run: nothing where the run has none.
using RunValue = std::variant<std::monostate, double, std::string>;

/// A line of a list.
struct RunRow {
  std::string id, model, experiment;
  RunKind kind = RunKind::build;
  RunState state = RunState::running;
  std::int64_t started_us = 0;
  int version = 0;
  std::vector<RunValue> values;  ///< of the columns that were asked for
};

/// A field is a metric by its name ("test.auc"), or one of model, experiment, kind, state, parent,
/// error, id, started, ended, version, dataset_s, train_s, dataset_id, ir_hash, recipe_id, bits_id,
/// params.NAME, environment.NAME, tag (only = and !=, against any of them). metrics.NAME is the
/// metric also where NAME is one of these words.
///
/// Conditions are true or false: one about a value that is missing or NaN is false, but for
/// `is null`; `not` turns it around. started and ended compare with a time in quotes. A param
/// compares with a number as a number where its text is one, and with a text byte by byte.
struct RunQuery {
  std::string model, experiment;  ///< empty: any
  RunFilter filter;
  std::string sort;        ///< a field, its greatest first; empty: the run that began last first
  bool ascending = false;  ///< the least first. What has no value is last either way
  std::int64_t limit = 20;
  std::vector<std::string> columns;
};
struct RunPage {
  std::vector<RunRow> rows;
  std::int64_t matched = 0;  ///< also those beyond the limit
};

/// Training runs, in append-only tables of a file of their own: `.coeval/runs.sqlite`. Not in the
/// metadata's, which verbs that read copy whole, and which is small: a project has a handful of
/// versions, and may have a hundred thousand runs of fifty metrics. What happens to this file
/// touches no version and no alias.
///
/// What is recorded is never changed: a run has what its start said, and what its end adds.
/// Threading: one thread per instance; several processes may have the file open. A run is seen from
/// its start on. Complexity: a query reads the fields that it names of all runs, and no others.
class RunStore {
 public:
  virtual ~RunStore() = default;
  /// Records that this process began a run; `started_us`, model, kind and all that is known already
  /// are kept. Returns its id: its time in UTC to the µs, such as 20261128-134500-000123, a µs or
  /// more later where another has it, so that ids in the order of texts are runs in order of time.
  virtual Result<std::string> start(const Run& run) = 0;
  /// Records how it ended: state (finished or failed), error, ended_us, version, durations,
  /// metrics, curves; params, ids, environment and tags that its start did not have. Errors:
  /// not_found; metadata when it has ended already.
  virtual Status end(const std::string& id, const Run& run) = 0;
  /// Records runs that are over, in one transaction: all or none. Returns their ids, in order.
  virtual Result<std::vector<std::string>> add(std::span<const Run> runs) = 0;
  /// The run whose id begins so. Errors: not_found; usage when several do.
  virtual Result<Run> find(std::string_view prefix) = 0;
  /// Errors: unknown_name for a field that no run has; type_error for a comparison of a number with
  /// a text; bad literals of times. With the place in the filter.
  virtual Result<RunPage> query(const RunQuery& query) = 0;
  /// Every field that some run has, sorted: metrics by their bare names.
  virtual Result<std::vector<std::string>> fields() = 0;
};

/// Errors: metadata, disk_full; unsupported for a file of a newer version.
Result<std::unique_ptr<RunStore>> open_run_store(const std::string& path);
/// For verbs that only read: makes no file and changes none (but see Database::open_for_reading);
/// without a file it is empty; writing is refused. Errors: metadata; unsupported.
Result<std::unique_ptr<RunStore>> open_run_store_for_reading(const std::string& path);
/// The in-memory twin (SQLite's own ":memory:").
Result<std::unique_ptr<RunStore>> make_memory_run_store();

}  // namespace coeval::stores
