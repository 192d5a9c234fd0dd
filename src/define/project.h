#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "base/time_zone.h"
#include "data/column.h"
#include "data/json_path.h"
#include "define/checks.h"
#include "define/expr.h"
#include "define/metrics.h"
#include "define/model_kind.h"
#include "define/training_options.h"

namespace coeval::define {

// Order in a definition file has no meaning (semantics: D1), so nothing here keeps it: sources,
// views, models and aggregates are sorted by name, windows by length, a source's columns by name
// after its time column. What a person orders on purpose keeps its order: keys of a view, inputs of
// a model.

/// A column of a source with its declared rules. A column without `known` is known when its row is.
struct SourceColumn {
  std::string name;
  data::Type type = data::Type::null;
  bool nullable = false;
  std::optional<data::Value> min, max;  ///< inclusive, of the column's type
  std::optional<std::string> pattern;   ///< RE2, must match the whole string
  std::vector<std::string> allowed;     ///< `enum`: the only strings allowed; empty = any
  ExprPtr known;                        ///< timestamp over the source's row; null = as the row
  /// Where the column is taken out of another, a string column that holds JSON text. It is read
  /// from no file or request, but made when the row is read; afterwards it is a column like others.
  std::optional<data::JsonPath> json;

  std::optional<std::int64_t> min_length, max_length;  ///< of strings, in code points
  bool finite = true;  ///< of floats and lists: whether NaN and infinities are bad (semantics: V2)
  /// Of timestamps: at most so long after the row's known time, or after its arrival where it
  /// arrives at a server.
  std::optional<std::int64_t> max_ahead_us;
  std::vector<std::string> warnings;      ///< rules of severity warn: "max", "pattern"; sorted
  bool in_train = true, in_serve = true;  ///< `environments`; elsewhere it may be absent, as null
  bool pii = false;                       ///< personal: masked in samples
  bool not_pii = false;                   ///< said to be none, whatever its values look like

  /// `rule` is "min", "max", "pattern", "enum", "min_length", "max_length", "max_ahead"; all other
  /// rules of columns say what its type is and are errors.
  Severity severity_of(std::string_view rule) const;
  bool is_in(Environment environment) const {
    return environment == Environment::train ? in_train : in_serve;
  }
};

inline constexpr std::int64_t kDefaultDedupUs = 7 * kDayUs;

/// What names the events of a source, and what takes one back. (semantics: T7)
struct Identity {
  int id = -1;  ///< column that names an event: string, int32 or int64; −1 = events have no names
  std::int64_t dedup_us = kDefaultDedupUs;  ///< a name used again so soon is a duplicate
  int replaces = -1;  ///< column with the name of the event that a row replaces; −1 = none
  ExprPtr deleted;    ///< boolean over the row: where true it counts as no event; may be null
};

/// What views read of a lookup for each event of a source: the newest row of its key that was valid
/// before the event's time and known before the event was, all null where there is none. Settled
/// once, when the event becomes known; what becomes known later changes nothing. (semantics: T3 T5)
struct EventLookup {
  int view = -1;              ///< the lookup
  std::vector<ExprPtr> keys;  ///< its keys, over the fields of Source::event_schema() before it
  int first_field = 0;        ///< in Source::event_schema(): its columns, all of them, in its order
};

/// A stream of events: files for the past, the log from the cut on.
struct Source {
  std::string name;
  std::string path;         ///< as written; may be empty (live only)
  char delimiter = ',';     ///< of its files of CSV
  std::string time_column;  ///< index below
  int time_index = -1;
  ExprPtr known;                      ///< timestamp over the row (semantics: T1); never null
  bool known_is_event_time = false;   ///< known = "event time", said in so many words
  std::vector<SourceColumn> columns;  ///< the time column, then the others by name
  data::Schema schema;                ///< the same as a schema
  Identity identity;
  /// How long the log is sure to keep an event after it happened; nothing = for ever.
  std::optional<std::int64_t> retention_us;
  std::vector<Check> checks;  ///< by name
  /// Budgets: a batch with more rows in quarantine, or a greater share of them, is held.
  std::optional<std::int64_t> max_bad_rows;
  std::optional<double> max_bad_ratio;

  bool has_names() const { return identity.id >= 0; }
  bool has_corrections() const { return identity.replaces >= 0; }

  std::vector<EventLookup> lookups;  ///< that a view of this source reads; of most sources none
  data::Schema looked_up_schema;     ///< with lookups: the schema, then their columns
  /// The row that views of this source are defined over.
  const data::Schema& event_schema() const { return lookups.empty() ? schema : looked_up_schema; }
};

enum class Aggregation : std::uint8_t {
  count,
  sum,
  mean,
  var,
  std,
  var_pop,
  std_pop,
  min,
  max,
  first,
  last,
  latest,  ///< of the newest event, null or not
  lag,
  last_k,
  distinct,
  quantile,
  mode,
  top_k,
  any,
  all,
  ratio,
  rate,
  slope,
  since_last,
  since_first,
  decayed_sum,
  decayed_mean,
};
std::string_view name(Aggregation a);

/// A calendar period, by the clock of the definition's zone. (semantics: T8)
enum class Period : std::uint8_t { none, day, week, month };

/// Length of a window in µs; kAllTime is the window "all".
inline constexpr std::int64_t kAllTime = -1;
/// [T − offset − length, T − offset) in event time; of a calendar period [its begin, T), where T is
/// in it; `us` is then 0.
struct Window {
  std::int64_t us = 0;
  std::int64_t offset_us = 0;  ///< "7d offset 7d"
  Period period = Period::none;
  std::string text;  ///< "3h", "7d_offset_7d", "today": as in the feature's name

  /// How far before T its oldest event may lie, in µs; kAllTime when nothing bounds it. Of a
  /// calendar period a bound that no zone's clocks exceed.
  std::int64_t reach_us() const;
};

/// One aggregate of a view, over every window of it.
struct Aggregate {
  std::string name;  ///< "late"
  Aggregation kind = Aggregation::count;
  ExprPtr argument;                      ///< over the source's row; null for count()
  ExprPtr divisor;                       ///< the second argument of ratio
  std::int64_t k = 0;                    ///< of lag: 0 to kMaxLag; of last_k and top_k: from 1
  double p = 0;                          ///< of quantile: 0 to 1
  std::int64_t half_life_us = 0;         ///< of decayed_sum and decayed_mean: positive
  ExprPtr where;                         ///< boolean over the source's row; null = every row
  data::Type result = data::Type::null;  ///< by semantics A7

  // semantics: V3 D5. What reads the aggregate reads it by these (WideRow::reading), so no other
  // path has to know of them.
  std::optional<data::Value> default_value;  ///< of type `result`, in place of null
  std::optional<std::int64_t> max_age_us;  ///< stale once its newest event is older than this at T
  bool stale_is_default = false;           ///< stale: default_value instead of null
  bool stale_is_refused = false;           ///< stale: the question gets no answer
  /// With `max_age`: the aggregate of the same view that tells the age, right after this one.
  int age_aggregate = -1;
  bool hidden = false;  ///< such an aggregate: no person named it, no glob finds it
};

/// Aggregates by key over windows. Its features are numbered aggregate-major:
/// feature index = aggregate * windows.size() + window.
struct View {
  std::string name;
  int source = -1;                ///< index into Project::sources
  std::vector<std::string> keys;  ///< of the source's row; empty = one entity for all
  std::vector<int> key_columns;   ///< their indexes in the source's event_schema()
  std::vector<Window> windows;
  std::vector<Aggregate> aggregates;
  std::int64_t lateness_us = 0;  ///< declared `lateness`, default 1d (semantics: T6)
  bool lookup = false;           ///< its features are the newest row's columns: "aircraft.maker"

  std::int64_t longest_window_us() const;  ///< the longest reach; kAllTime when one is "all"
  std::size_t longest_window() const;      ///< its index; windows must not be empty
  std::size_t feature_count() const { return aggregates.size() * windows.size(); }
  std::string feature_name(std::size_t index) const;  ///< "origin.late_3h", "aircraft.maker"
  data::Type feature_type(std::size_t index) const {
    return aggregates[index / windows.size()].result;
  }
};

/// A feature of a view that something reads.
struct ViewFeature {
  int view = -1;
  int feature = -1;
  friend bool operator==(const ViewFeature&, const ViewFeature&) = default;
};

/// What a model reads, in the order of the definition; a glob stands for its features in the order
/// of the views.
struct Input {
  std::string name;  ///< as in the definition: "minute_of_day", "distance", "origin.late_3h"; the
                     ///< canonical text of an input that is an expression
  ExprPtr expr;      ///< over RowSchema::schema
  data::Type type = data::Type::null;
  bool categorical = false;  ///< a string input: coded by a dictionary frozen at training
};

/// A question is refused when this feature, which something reads, is stale. (semantics: D5)
struct StaleRule {
  std::string feature;  ///< "origin.late_3h"
  int age_column = -1;  ///< of the row: seconds since the newest event that it counts; null = none
  std::int64_t max_age_us = 0;
};

/// What a question's row consists of before the inputs are computed.
struct RowSchema {
  data::Schema schema;                ///< question columns, then view features by name; only
                                      ///< those that an input or a view's key reads
  std::vector<int> question_columns;  ///< for each leading column its index in the source's schema
  std::vector<ViewFeature> view_features;  ///< for the columns after those

  /// A key of a view that is no column of the question, as a value over `schema`. It reads answers
  /// of views of lower stages only.
  struct Key {
    Input value;
    int stage = 0;
  };
  /// A view that is asked with such keys, after all views of lower stages.
  struct Later {
    int view = -1;
    int stage = 0;
  };
  std::vector<Key> keys;     ///< by stage; of most rows none
  std::vector<Later> later;  ///< by view; all others have stage 0
  std::vector<StaleRule> stale_rules;

  int stage_of(int view) const;
  int stage_count() const;  ///< 1 where all views are asked at once
};

/// Events that bring the label of a question, instead of its own row: positive where one of the
/// same keys, and for which the label's expression is true, happens in [T, T + within); negative
/// once that time has passed without one. Where the events are the question's own source, a row is
/// no event for itself.
struct LabelEvents {
  int source = -1;                                   ///< index into Project::sources
  std::vector<std::string> keys;                     ///< columns of both sources
  std::vector<int> question_columns, event_columns;  ///< their indexes in the two schemas
  std::int64_t within_us = 0;
  ExprPtr keys_known;  ///< timestamp over the question's row: when it has all keys
};

/// Parts of the rows by time, each from the end of the one before to its own, exclusive. (D3)
struct Split {
  std::int64_t train_until_us = 0, validate_until_us = 0, test_until_us = 0;
  std::int64_t calibrate_until_us = 0;  ///< between validation and test; 0: no such part
  std::int64_t threshold_until_us = 0;  ///< between calibration and test; 0: no such part
  std::int64_t gap_us = 0;  ///< before the end of each part but the test's: rows of none
};

/// What a version must reach to be promoted.
struct Gate {
  enum class Kind : std::uint8_t {
    at_least,
    at_most,
    better_than_champion,     ///< the lower end of the difference's interval is above 0
    not_worse_than_champion,  ///< … is not below −bound
    no_slice_worse,           ///< on no slice it is shown to be worse, by Holm over all of them
    no_slice_worse_by,        ///< on every slice the lower end is not below −bound
  };
  std::string metric;  ///< of model_metrics.h, of the project, or a figure of the system's
  Kind kind = Kind::at_least;
  double bound = 0;
  bool worst_slice = false;  ///< must hold on every slice that is large enough
  bool of_project = false;   ///< the metric is one of [metric]
};

struct Model {
  std::string name;
  int source = -1;        ///< the source whose rows are the questions
  std::string at_column;  ///< the question's time is this column
  int at_index = -1;
  ModelKind kind = ModelKind::binary;
  Loss loss;                         ///< of a regression
  std::vector<std::string> classes;  ///< of a multiclass model, in the order of its scores
  /// Of a multiclass model: what deciding a class costs, classes × classes, a row for each label;
  /// none: the likeliest class is decided.
  std::vector<double> cost_matrix;
  std::int64_t rank_k = 10;  ///< of a ranking: its metrics are of the first so many of a query
  /// Over the row of label_source(): boolean; float64 of a regression, string of a multiclass
  /// model, int64 of a ranking.
  ExprPtr label;
  ExprPtr label_known;    ///< timestamp over the same row: when the label is known (D2)
  ExprPtr label_matures;  ///< `known` of the label as declared, a part of label_known; may be null
  std::optional<LabelEvents> label_events;
  int label_source() const { return label_events ? label_events->source : source; }
  RowSchema row;
  std::vector<Input> inputs;
  std::string trainer = "xgboost";
  /// Trainer parameters as canonical text, sorted by key: {"eta","0.1"}, {"max_depth","6"}, …
  std::vector<std::pair<std::string, std::string>> params;
  int rounds = 150;
  int early_stopping_rounds = 0;  ///< 0 = off
  std::uint64_t seed = 0;
  double threshold = 0.5;  ///< where training.threshold_rule is `fixed`; of binary models
  Split split;
  TrainingOptions training;
  std::vector<Gate> gates;
  std::string ir;               ///< canonical text of everything that the model depends on
  std::string ir_hash;          ///< sha256 of `ir`
  std::vector<Metric> metrics;  ///< of the project, those that it or its gates name; by name
};

/// An expression of the table [features]. Its types depend on the model that reads it, so it is
/// kept as text and is a part of each input that names it.
struct Feature {
  std::string name;
  std::string text;            ///< as written
  std::string canonical_text;  ///< its words, one space between them
  SourcePosition position;
};

/// A name for a value, for every expression of the project. The hashes of what uses it change with
/// its value, not with its name.
struct Constant {
  std::string name;
  ExprPtr value;  ///< a literal; null while it is broken
  SourcePosition position;
};

/// A checked definition. Immutable; shared by reference.
/// Where a server keeps its state: the table [serving]. No answer depends on it, and no hash.
struct Serving {
  bool on_disk = false;  ///< entities stand in a store, and come into memory when they are named
  std::int64_t memory_bytes = 1'000'000'000;  ///< that entities may take then
};

struct Project {
  std::string name;
  std::string file;                 ///< path of coeval.toml
  std::string folder;               ///< the folder that holds it; relative paths are relative to it
  const TimeZone* zone = nullptr;   ///< null = UTC (semantics: T8)
  std::vector<Constant> constants;  ///< by name
  std::vector<Source> sources;
  std::vector<View> views;
  std::vector<Feature> features;
  std::vector<Feature> keys;  ///< of the table [keys]: what a view is asked with, by its key's name
  std::vector<Model> models;
  Serving serving;
  std::string ir;  ///< canonical text of the whole
  std::string ir_hash;

  int source_index(std::string_view source_name) const;  ///< -1 when absent
  int view_index(std::string_view view_name) const;
  int model_index(std::string_view model_name) const;
  const Model* find_model(std::string_view model_name) const;
  const Constant* find_constant(std::string_view constant_name) const;
};

/// Canonical hash of one view with its source: what a state snapshot depends on.
std::string view_hash(const Project& project, int view);

/// Canonical hash of one source alone.
std::string source_hash(const Project& project, int source);

/// Canonical hash of what turns a question into a model's inputs: sources, views, inputs; not the
/// label, training or gates. Versions of a model with one request hash can be served under one
/// definition.
std::string request_hash(const Project& project, const Model& model);

/// Checks a definition. On failure every error is returned, sorted by position, each with file,
/// line, column, code, advice ("did you mean 'amount'?"). Reads only the definition, no data.
struct Checked {
  std::optional<Project> project;  ///< absent when there are errors
  std::vector<Error> errors;
};
Checked check_text(const std::string& toml, const std::string& file);
/// Errors inside Checked: no_such_file and io too.
Checked check_file(const std::string& file);

/// Walks up from `folder` to the nearest coeval.toml. Errors: no_project.
Result<std::string> find_project_file(const std::string& folder);

/// The text a person sees: error[C0412]: …, --> file:line:col, the line, a caret, the advice.
/// `source` is the definition's text (may be empty: then no line is shown).
std::string render(const Error& error, const std::string& source, bool colour);

/// The row schema for a set of features that belongs to no model: NAME is a model (its inputs), a
/// view (all its features), or a comma-separated list of inputs as in a model. The question's
/// columns are those the views' keys and inputs need; a key of the table [keys] is one of them only
/// where `own` has its name. Errors: unknown_name, and what checking an input gives; position.file
/// is `origin` when it is in NAME itself.
struct FeatureSet {
  RowSchema row;  ///< question_columns is empty here; names and types in schema
  std::vector<Input> inputs;
};
Result<FeatureSet> feature_set(const Project& project, const std::string& name,
                               const std::string& origin = "feature set",
                               const std::vector<std::string>& own = {});

}  // namespace coeval::define
