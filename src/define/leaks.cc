#include "define/leaks.h"

#include <algorithm>
#include <set>

#include "define/build.h"
#include "define/known_order.h"

namespace coeval::define {

namespace {

// A view reads a row once it is both known and past. (semantics: T3)
ExprPtr visible_time(const Source& source, const KnownOrder& order) {
  const ExprPtr time = make_column(source.time_index, source.time_column, data::Type::timestamp);
  return latest({source.known, time}, order);
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
        visible_(visible_time(source_, order_)),
        errors_(errors) {}

  void check() {
    for (const int key : view_.key_columns) check_column(key, "its key", notes_.keys_position);
    for (std::size_t a = 0; a < view_.aggregates.size(); ++a) {
      const Aggregate& aggregate = view_.aggregates[a];
      std::set<int> columns;
      for (const auto& expr : {aggregate.argument, aggregate.where})
        if (expr) columns.merge(as_set(columns_read(*expr)));
      for (const int column : columns)
        check_column(column, in_quotes(aggregate.name), notes_.aggregate_positions[a]);
    }
  }

 private:
  static std::set<int> as_set(const std::vector<int>& columns) {
    return {columns.begin(), columns.end()};
  }

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
             Diagnostics& errors)
      : draft_(draft),
        model_(model),
        row_(row),
        scope_(scope),
        source_(draft.project.sources[static_cast<std::size_t>(model.source)]),
        order_(source_),
        at_(make_column(model.at_index, model.at_column, data::Type::timestamp)),
        errors_(errors) {
    if (model.label)
      for (const int column : columns_read(*model.label)) label_columns_.insert(column);
    label_known_by_then_ = !label_columns_.empty() &&
                           std::ranges::all_of(label_columns_, [&](int c) { return usable(c); });
  }

  void check_input(const WideInput& input) {
    for (const int field : columns_read(*input.input.expr)) {
      if (const auto* feature = row_.view_feature(field))
        check_keys(input, *feature);
      else
        check_column(input, field);
    }
  }

  void check_label(const SourcePosition& place) {
    if (label_known_by_then_)
      errors_.report(Code::leak, place,
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
  Diagnostics& errors_;
  std::set<int> label_columns_, views_checked_;
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
                       const SourcePosition& label, Diagnostics& errors) {
  if (!has_known_times(draft.project.sources[static_cast<std::size_t>(model.source)])) return;
  ModelLeaks leaks(draft, model, row, scope, errors);
  leaks.check_label(label);
  for (const auto& input : inputs) leaks.check_input(input);
}

ExprPtr label_known(const Draft& draft, const Model& model) {
  const Source& source = draft.project.sources[static_cast<std::size_t>(model.source)];
  if (!has_known_times(source)) return nullptr;
  std::vector<ExprPtr> times;
  for (const int column : columns_read(*model.label)) {
    const ExprPtr& own = source.columns[static_cast<std::size_t>(column)].known;
    times.push_back(own ? own : source.known);
  }
  return latest(times, KnownOrder(source));
}

}  // namespace coeval::define
