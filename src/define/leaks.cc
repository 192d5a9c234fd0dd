#include "define/leaks.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "define/build.h"
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
  void check_column(int index, const std::string& reader, const SourcePosition& place) {
    const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
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

class ModelLeaks {
 public:
  ModelLeaks(const Draft& draft, const Model& model, const WideRow& row, const QuestionScope& scope,
             const LabelNotes& label, Diagnostics& errors)
      : draft_(draft),
        model_(model),
        row_(row),
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
  }

  void check_input(const WideInput& input) {
    for (const int field : columns_read(*input.input.expr)) {
      if (const auto* feature = row_.view_feature(field)) {
        check_keys(input, *feature);
        check_maturity(input, *feature, field);
      } else {
        check_column(input, field);
      }
    }
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
  // semantics: T4. A row that asks about itself never sees itself, so a column that is known only
  // with its row is not usable, whatever the row's known time claims to be.
  bool usable(int index) const {
    if (index == model_.at_index) return true;
    const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
    return column.known && order_.at_most(*column.known, *at_);
  }

  void check_column(const WideInput& input, int index) {
    if (usable(index)) return;
    const std::string& name = source_.columns[static_cast<std::size_t>(index)].name;
    const std::string label =
        label_columns_.contains(index) ? "; the label is computed from it" : "";
    errors_.report(Code::leak, input.position,
                   path(input, index) + " reads " + name + ", which is " + when(index) + label,
                   "read past rows through a view; or, if it is known by then, say so: " + name +
                       " = { …, known = \"" + model_.at_column + "\" }");
  }

  // "input 'pressure' → feature 'rate'"
  std::string path(const WideInput& input, int field) const {
    std::string text = "input " + in_quotes(input.input.name);
    for (const auto& feature : scope_.path_to(field, input.features))
      if (feature != input.input.name) text += " → feature " + in_quotes(feature);
    return text;
  }

  std::string when(int index) const {
    const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
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
  void check_maturity(const WideInput& input, const ViewFeature& feature, int field) {
    const View& view = draft_.project.views[static_cast<std::size_t>(feature.view)];
    if (!model_.label_matures || view.source != model_.source) return;
    const auto index = static_cast<std::size_t>(feature.feature);
    const Window& window = view.windows[index % view.windows.size()];
    const Aggregate& aggregate = view.aggregates[index / view.windows.size()];
    if (order_.at_most(*model_.label_matures, *visible_time(source_, window.offset_us, order_)))
      return;
    for (const int column : columns_of(aggregate)) {
      if (!label_columns_.contains(column) || usable(column)) continue;
      return immature(
          input, path(input, field) + " reads view " + in_quotes(view.name) + ", whose " +
                     in_quotes(aggregate.name) + " reads " +
                     source_.columns[static_cast<std::size_t>(column)].name +
                     ": the label is made of it and is known at " + label_.matures_text +
                     ", but window " + in_quotes(window.text) + " counts a row from " +
                     draft_.source_notes[static_cast<std::size_t>(view.source)].known_text + " on");
    }
  }

  void immature(const WideInput& input, const std::string& message) {
    if (input.glob.empty()) return report_immature(input.position, message);
    GlobLeak& leak = glob_leaks_[{input.glob, input.position.line, input.position.column}];
    if (leak.inputs++ == 0) leak = {1, message, input.position};
  }

  void report_immature(const SourcePosition& place, const std::string& message) {
    errors_.report(Code::leak, place, message,
                   "let the window end before: \"7d offset 60d\" counts what is at least 60 days "
                   "old");
  }

  // One error per view, at the first input that reads it.
  void check_keys(const WideInput& input, const ViewFeature& feature) {
    if (!views_checked_.insert(feature.view).second) return;
    const View& view = draft_.project.views[static_cast<std::size_t>(feature.view)];
    for (std::size_t k = 0; k < view.keys.size(); ++k) {
      const int index = source_.schema.index_of(view.keys[k]);
      if (index < 0 || usable(index)) continue;
      const int field = row_.index_of(view.feature_name(static_cast<std::size_t>(feature.feature)));
      errors_.report(Code::leak, input.position,
                     path(input, field) + " reads view " + in_quotes(view.name) + ", whose key " +
                         view.keys[k] + " is " + when(index),
                     "key the view by columns that the question knows");
    }
  }

  const Draft& draft_;
  const Model& model_;
  const WideRow& row_;
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
                       const std::vector<WideInput>& inputs, const QuestionScope& scope,
                       const LabelNotes& label, Diagnostics& errors) {
  if (!has_known_times(draft.project.sources[static_cast<std::size_t>(model.source)])) return;
  ModelLeaks leaks(draft, model, row, scope, label, errors);
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
