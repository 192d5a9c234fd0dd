#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/expr.h"

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
};

/// A stream of events: files for the past, the log from the cut on.
struct Source {
  std::string name;
  std::string path;         ///< as written; may be empty (live only)
  std::string time_column;  ///< index below
  int time_index = -1;
  ExprPtr known;                      ///< timestamp over the row (semantics: T1); never null
  bool known_is_event_time = false;   ///< known = "event time", said in so many words
  std::vector<SourceColumn> columns;  ///< the time column, then the others by name
  data::Schema schema;                ///< the same as a schema
};

enum class Aggregation : std::uint8_t { count, sum, mean, min, max, first, last };
std::string_view name(Aggregation a);

/// Length of a window in µs; kAllTime is the window "all".
inline constexpr std::int64_t kAllTime = -1;
struct Window {
  std::int64_t us = 0;
  std::string text;  ///< "3h", as in the feature's name
};

/// One aggregate of a view, over every window of it.
struct Aggregate {
  std::string name;  ///< "late"
  Aggregation kind = Aggregation::count;
  ExprPtr argument;                      ///< over the source's row; null for count()
  ExprPtr where;                         ///< boolean over the source's row; null = every row
  data::Type result = data::Type::null;  ///< by semantics A7; a boolean argument was cast to int64
};

/// Aggregates by key over windows. Its features are numbered aggregate-major:
/// feature index = aggregate * windows.size() + window.
struct View {
  std::string name;
  int source = -1;                ///< index into Project::sources
  std::vector<std::string> keys;  ///< columns of the source; empty = one entity for all
  std::vector<int> key_columns;   ///< their indexes in the source's schema
  std::vector<Window> windows;
  std::vector<Aggregate> aggregates;
  std::int64_t lateness_us = 0;  ///< declared `lateness`, default 1d (semantics: T6)

  std::int64_t longest_window_us() const;  ///< kAllTime when one is "all"
  std::size_t feature_count() const { return aggregates.size() * windows.size(); }
  std::string feature_name(std::size_t index) const;  ///< "origin.late_3h"
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

/// What a question's row consists of before the inputs are computed.
struct RowSchema {
  data::Schema schema;                ///< question columns, then view features by name; only
                                      ///< those that an input or a view's key reads
  std::vector<int> question_columns;  ///< for each leading column its index in the source's schema
  std::vector<ViewFeature> view_features;  ///< for the columns after those
};

struct Split {
  std::int64_t train_until_us = 0, validate_until_us = 0, test_until_us = 0;
};

/// A bound on a metric of the test part.
struct Gate {
  enum class Kind : std::uint8_t { at_least, at_most, better_than_champion };
  std::string metric;  ///< "auc", "average_precision", "log_loss", "brier", "calibration_error"
  Kind kind = Kind::at_least;
  double bound = 0;
};

struct Model {
  std::string name;
  int source = -1;        ///< the source whose rows are the questions
  std::string at_column;  ///< the question's time is this column
  int at_index = -1;
  ExprPtr label;        ///< boolean over the source's row
  ExprPtr label_known;  ///< timestamp over the source's row: when the label is known (D2)
  RowSchema row;
  std::vector<Input> inputs;
  std::string trainer = "xgboost";
  /// Trainer parameters as canonical text, sorted by key: {"eta","0.1"}, {"max_depth","6"}, …
  std::vector<std::pair<std::string, std::string>> params;
  int rounds = 150;
  int early_stopping_rounds = 0;  ///< 0 = off
  std::uint64_t seed = 0;
  double threshold = 0.5;
  Split split;
  std::vector<Gate> gates;
  std::string ir;       ///< canonical text of everything that the model depends on
  std::string ir_hash;  ///< sha256 of `ir`
};

/// An expression of the table [features]. Its types depend on the model that reads it, so it is
/// kept as text and is a part of each input that names it.
struct Feature {
  std::string name;
  std::string text;            ///< as written
  std::string canonical_text;  ///< its words, one space between them
  SourcePosition position;
};

/// A checked definition. Immutable; shared by reference.
struct Project {
  std::string name;
  std::string file;    ///< path of coeval.toml
  std::string folder;  ///< the folder that holds it; relative paths are relative to it
  std::vector<Source> sources;
  std::vector<View> views;
  std::vector<Feature> features;
  std::vector<Model> models;
  std::string ir;  ///< canonical text of the whole
  std::string ir_hash;

  int source_index(std::string_view source_name) const;  ///< -1 when absent
  int view_index(std::string_view view_name) const;
  int model_index(std::string_view model_name) const;
  const Model* find_model(std::string_view model_name) const;
};

/// Canonical hash of one view with its source: what a state snapshot depends on.
std::string view_hash(const Project& project, int view);

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
/// columns are those the views' keys and inputs need. Errors: unknown_name, and what checking an
/// input gives.
struct FeatureSet {
  RowSchema row;  ///< question_columns is empty here; names and types in schema
  std::vector<Input> inputs;
};
Result<FeatureSet> feature_set(const Project& project, const std::string& name);

}  // namespace coeval::define
