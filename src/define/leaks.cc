#include "define/leaks.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "define/build.h"
#include "define/event_lookups.h"
#include "define/known_order.h"

namespace coeval::define {

namespace {

using data::Type;

// A window reads a row once it is known and has come in at the window's near end, which an offset
// puts off. (semantics: T3 T4)
ExprPtr visible_time(const Source& source, std::int64_t offset_us, const KnownOrder& order) {
  ExprPtr time = make_column(source.time_index, source.time_column, Type::timestamp);
  if (offset_us > 0)
    time = make_node(Op::add, Type::timestamp, {time, make_literal(Type::duration, offset_us)});
  return latest({source.known, time}, order);
}

// The columns of the source that an aggregate reads.
std::set<int> columns_of(const Aggregate& aggregate) {
  std::set<int> columns;
  for (const auto& expr : {aggregate.argument, aggregate.divisor, aggregate.where})
    if (expr)
      for (const int column : columns_read(*expr)) columns.insert(column);
  return columns;
}

std::int64_t least_offset(const View& view) {
  if (view.windows.empty()) return 0;
  return std::ranges::min(view.windows, {}, &Window::offset_us).offset_us;
}

// "date + minutes(40)", as the person wrote it, for a column of a source.
std::string known_text(const Draft& draft, int source, int column) {
  const SourceNotes& notes = draft.source_notes[static_cast<std::size_t>(source)];
  const std::string& own = notes.column_known_text[static_cast<std::size_t>(column)];
  if (!own.empty()) return own;
  return notes.known_text;
}

bool is_everywhere(const SourceColumn& column) { return column.in_train && column.in_serve; }
std::string where(const SourceColumn& column) {
  return column.in_train ? "not there when serving" : "there only when serving";
}

class ViewLeaks {
 public:
  ViewLeaks(const Draft& draft, std::size_t view, Diagnostics& errors)
      : draft_(draft),
        view_(draft.project.views[view]),
        notes_(draft.view_notes[view]),
        source_(draft.project.sources[static_cast<std::size_t>(view_.source)]),
        order_(source_),
        visible_(visible_time(source_, least_offset(view_), order_)),
        errors_(errors) {}

  void check() {
    for (const int key : view_.key_columns) check_column(key, "its key", notes_.keys_position);
    for (std::size_t a = 0; a < view_.aggregates.size(); ++a) {
      const Aggregate& aggregate = view_.aggregates[a];
      if (aggregate.hidden) continue;  // its condition is that of the aggregate before it
      for (const int column : columns_of(aggregate))
        check_column(column, in_quotes(aggregate.name), notes_.aggregate_positions[a]);
    }
  }

 private:
  void check_column(int field, const std::string& reader, const SourcePosition& place) {
    const EventLookup* lookup = lookup_of(source_, field);
    if (lookup == nullptr) return check_own(field, reader, place);
    const std::string& name = source_.event_schema().fields[static_cast<std::size_t>(field)].name;
    for (const int column : own_columns_of(source_, field))
      check_own(column, reader + " reads " + name + ", whose key", place);
  }

  void check_own(int index, const std::string& reader, const SourcePosition& place) {
    const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
    if (!is_everywhere(column))
      return errors_.report(Code::leak, place,
                            "view " + in_quotes(view_.name) + ": " + reader + " reads " +
                                column.name + ", which is " + where(column) +
                                ": training and serving would count different events",
                            "leave `environments` out, or let only the label and checks read it");
    if (!column.known || order_.at_most(*column.known, *visible_)) return;
    errors_.report(Code::leak, place,
                   "view " + in_quotes(view_.name) + ": " + reader + " reads " + column.name +
                       ", which is known at " + known_text(draft_, view_.source, index) +
                       "; its row counts from " +
                       draft_.source_notes[static_cast<std::size_t>(view_.source)].known_text +
                       " on, which may be earlier",
                   "let the row be known later: known = \"greatest(…)\" of source " +
                       in_quotes(source_.name) +
                       "; a minimum of 0 declared for a column may prove the order");
  }

  const Draft& draft_;
  const View& view_;
  const ViewNotes& notes_;
  const Source& source_;
  KnownOrder order_;
  ExprPtr visible_;
  Diagnostics& errors_;
};

// What reads fields of the wide row, as a message tells it: "input 'x' → view 'airport' → key
// 'airport'", and the features named in it.
struct Reader {
  std::string text, name;
  std::vector<std::string> features;
  SourcePosition place;
  std::string glob = {};  // the pattern that named the input, if one did
};

class ModelLeaks {
 public:
  ModelLeaks(const Draft& draft, const Model& model, const WideRow& row, const QuestionKeys& keys,
             const QuestionScope& scope, const LabelNotes& label, Diagnostics& errors)
      : draft_(draft),
        model_(model),
        row_(row),
        keys_(keys),
        scope_(scope),
        source_(draft.project.sources[static_cast<std::size_t>(model.source)]),
        order_(source_),
        at_(make_column(model.at_index, model.at_column, data::Type::timestamp)),
        label_(label),
        errors_(errors) {
    if (model.label && !model.label_events)
      for (const int column : columns_read(*model.label)) label_columns_.insert(column);
    label_known_by_then_ = !label_columns_.empty() &&
                           std::ranges::all_of(label_columns_, [&](int c) { return usable(c); });
    add_json_of_label();
  }

  void check_input(const WideInput& input) {
    check_fields(*input.input.expr, {"input " + in_quotes(input.input.name), input.input.name,
                                     input.features, input.position, input.glob});
  }

  /// One error for each glob, however many of its features leak. After all inputs.
  void report_globs() {
    for (const auto& [glob, leak] : glob_leaks_)
      report_immature(leak.place, leak.inputs == 1 ? leak.first
                                                   : std::to_string(leak.inputs) + " inputs of " +
                                                         in_quotes(std::get<0>(glob)) +
                                                         " leak; the first: " + leak.first);
  }

  void check_label() {
    if (label_known_by_then_)
      errors_.report(Code::leak, label_.position,
                     "the label of model " + in_quotes(model_.name) +
                         " reads only what is known at the "
                         "question's time " +
                         model_.at_column + ": there is nothing to predict",
                     "let the label read a column that is known later");
  }

 private:
  // The text that a column of the label is taken out of tells the label too, and so does what else
  // is taken from that place, or out of a text that is itself the label.
  void add_json_of_label() {
    const std::set<int> read = label_columns_;
    for (std::size_t i = 0; i < source_.columns.size(); ++i) {
      const auto& json = source_.columns[i].json;
      if (!json) continue;
      const int holder = source_.schema.index_of(json->column);
      for (const int column : read) {
        const auto& label_json = source_.columns[static_cast<std::size_t>(column)].json;
        if (column == holder || (label_json && label_json->text() == json->text()))
          label_columns_.insert(static_cast<int>(i));
        if (column == static_cast<int>(i)) label_columns_.insert(holder);
      }
    }
  }

  void check_fields(const Expr& expr, const Reader& reader) {
    for (const int field : columns_read(expr)) {
      if (const auto* feature = row_.view_feature(field)) {
        check_keys(reader, *feature, field);
        check_maturity(reader, *feature, field);
      } else {
        check_column(reader, field);
      }
    }
  }

  // semantics: T4. A row that asks about itself never sees itself, so a column that is known only
  // with its row is not usable, whatever the row's known time claims to be.
  bool usable(int index) const {
    if (index == model_.at_index) return true;
    const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
    return is_everywhere(column) && column.known && order_.at_most(*column.known, *at_);
  }

  void check_column(const Reader& reader, int index) {
    if (usable(index)) return;
    const std::string& name = source_.columns[static_cast<std::size_t>(index)].name;
    const std::string label =
        label_columns_.contains(index) ? "; the label is computed from it" : "";
    errors_.report(Code::leak, reader.place,
                   path(reader, index) + " reads " + name + ", which is " + when(index) + label,
                   "read past rows through a view; or, if it is known by then, say so: " + name +
                       " = { …, known = \"" + model_.at_column + "\" }");
  }

  // "input 'pressure' → feature 'rate'"
  std::string path(const Reader& reader, int field) const {
    std::string text = reader.text;
    for (const auto& feature : scope_.path_to(field, reader.features))
      if (feature != reader.name) text += " → feature " + in_quotes(feature);
    return text;
  }

  std::string when(int index) const {
    const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
    if (!is_everywhere(column)) return where(column);
    if (!column.known && source_.known_is_event_time)
      return "known with its own row (known = \"event time\"), and a question comes before its own "
             "row";
    const std::string known = known_text(draft_, model_.source, index);
    const bool after = order_.at_most(*at_, column.known ? *column.known : *source_.known);
    return "known at " + known +
           (after ? ", after the question's time " : ", not provably by the question's time ") +
           model_.at_column;
  }

  // What a label is made of matures with it, so a window may count it only from then on.
  void check_maturity(const Reader& reader, const ViewFeature& feature, int field) {
    if (!model_.label_matures) return;
    const View& view = view_of(feature);
    const auto index = static_cast<std::size_t>(feature.feature);
    const Window& window = view.windows[index % view.windows.size()];
    const Aggregate& aggregate = view.aggregates[index / view.windows.size()];
    const int column = label_column_of(view, aggregate, window.offset_us);
    if (column < 0) return;
    immature(reader, path(reader, field) + " reads view " + in_quotes(view.name) + ", whose " +
                         in_quotes(aggregate.name) + " reads " +
                         source_.columns[static_cast<std::size_t>(column)].name +
                         ": the label is made of it and is known at " + label_.matures_text +
                         ", but window " + in_quotes(window.text) + " counts a row from " +
                         draft_.source_notes[static_cast<std::size_t>(model_.source)].known_text +
                         " on");
  }

  // A column of the label that the aggregate, or a lookup that it or its view's key reads, counts
  // before the label has matured; or -1.
  int label_column_of(const View& view, const Aggregate& aggregate, std::int64_t offset_us) const {
    const Source& events = draft_.project.sources[static_cast<std::size_t>(view.source)];
    std::set<int> fields = columns_of(aggregate);
    fields.insert(view.key_columns.begin(), view.key_columns.end());
    // Whether a row counts at all is a part of every aggregate. (semantics: T7)
    if (events.identity.replaces >= 0) fields.insert(events.identity.replaces);
    if (events.identity.deleted)
      for (const int column : columns_read(*events.identity.deleted)) fields.insert(column);
    for (const int field : fields) {
      const EventLookup* lookup = lookup_of(events, field);
      const int column = lookup == nullptr ? (view.source == model_.source ? field : -1)
                                           : own_column_looked_up(*lookup, field);
      if (column < 0 || !label_columns_.contains(column) || usable(column)) continue;
      const ExprPtr visible = visible_time(source_, lookup == nullptr ? offset_us : 0, order_);
      if (!order_.at_most(*model_.label_matures, *visible)) return column;
    }
    return -1;
  }

  // The column of the model's own source that a lookup's column is, or -1.
  int own_column_looked_up(const EventLookup& lookup, int field) const {
    const View& view = draft_.project.views[static_cast<std::size_t>(lookup.view)];
    if (view.source != model_.source) return -1;
    const auto& column = view.aggregates[static_cast<std::size_t>(field - lookup.first_field)];
    return column.argument ? column.argument->column : -1;
  }

  void immature(const Reader& reader, const std::string& message) {
    if (reader.glob.empty()) return report_immature(reader.place, message);
    GlobLeak& leak = glob_leaks_[{reader.glob, reader.place.line, reader.place.column}];
    if (leak.inputs++ == 0) leak = {1, message, reader.place};
  }

  void report_immature(const SourcePosition& place, const std::string& message) {
    errors_.report(Code::leak, place, message,
                   "let the window end before: \"7d offset 60d\" counts what is at least 60 days "
                   "old");
  }

  // One error per view, at the first input that reads it.
  void check_keys(const Reader& reader, const ViewFeature& feature, int field) {
    if (!views_checked_.insert(feature.view).second) return;
    const View& view = view_of(feature);
    for (const auto& name : view.keys) {
      if (const DerivedKey* key = keys_.find(name)) {
        if (key->expr)
          check_fields(*key->expr,
                       {path(reader, field) + (view.lookup ? " → lookup " : " → view ") +
                            in_quotes(view.name) + " → key " + in_quotes(name),
                        name,
                        key->features,
                        reader.place,
                        {}});
        continue;
      }
      const int index = source_.schema.index_of(name);
      if (index < 0 || usable(index)) continue;
      errors_.report(Code::leak, reader.place,
                     path(reader, field) + " reads view " + in_quotes(view.name) + ", whose key " +
                         name + " is " + when(index),
                     "key the view by columns that the question knows");
    }
  }

  const View& view_of(const ViewFeature& feature) const {
    return draft_.project.views[static_cast<std::size_t>(feature.view)];
  }

  const Draft& draft_;
  const Model& model_;
  const WideRow& row_;
  const QuestionKeys& keys_;
  const QuestionScope& scope_;
  const Source& source_;
  KnownOrder order_;
  ExprPtr at_;
  const LabelNotes& label_;
  Diagnostics& errors_;
  std::set<int> label_columns_, views_checked_;
  // Of the inputs that one glob of the definition names, the first that leaks, and how many do.
  struct GlobLeak {
    std::size_t inputs = 0;
    std::string first;
    SourcePosition place;
  };
  std::map<std::tuple<std::string, int, int>, GlobLeak> glob_leaks_;  // by pattern and place
  bool label_known_by_then_ = false;
};

// Whether the source is whole enough to reason about.
bool has_known_times(const Source& source) { return source.known && source.time_index >= 0; }

}  // namespace

void check_view_leaks(const Draft& draft, Diagnostics& errors) {
  for (std::size_t v = 0; v < draft.project.views.size(); ++v) {
    const int source = draft.project.views[v].source;
    if (source >= 0 && has_known_times(draft.project.sources[static_cast<std::size_t>(source)]))
      ViewLeaks(draft, v, errors).check();
  }
}

void check_model_leaks(const Draft& draft, const Model& model, const WideRow& row,
                       const std::vector<WideInput>& inputs, const QuestionKeys& keys,
                       const QuestionScope& scope, const LabelNotes& label, Diagnostics& errors) {
  if (!has_known_times(draft.project.sources[static_cast<std::size_t>(model.source)])) return;
  ModelLeaks leaks(draft, model, row, keys, scope, label, errors);
  leaks.check_label();
  for (const auto& input : inputs) leaks.check_input(input);
  leaks.report_globs();
}

namespace {

std::vector<ExprPtr> known_times_of(const Source& source, const std::vector<int>& columns) {
  std::vector<ExprPtr> times;
  for (const int column : columns) {
    const ExprPtr& own = source.columns[static_cast<std::size_t>(column)].known;
    times.push_back(own ? own : source.known);
  }
  return times;
}

}  // namespace

ExprPtr columns_known(const Source& source, const std::vector<int>& columns) {
  if (!has_known_times(source)) return nullptr;
  return latest(known_times_of(source, columns), KnownOrder(source));
}

ExprPtr label_known(const Draft& draft, const Model& model) {
  const Source& source = draft.project.sources[static_cast<std::size_t>(model.label_source())];
  if (!has_known_times(source)) return nullptr;
  std::vector<ExprPtr> times = known_times_of(source, columns_read(*model.label));
  if (model.label_events) times.push_back(source.known);
  if (model.label_matures) times.push_back(model.label_matures);
  return latest(times, KnownOrder(source));
}

}  // namespace coeval::define
