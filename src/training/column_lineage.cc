#include "training/column_lineage.h"

#include <algorithm>
#include <tuple>

#include "define/event_lookups.h"
#include "training/model_card_words.h"
#include "training/model_dataset.h"

namespace coeval::training {

namespace {

using define::Source;
using define::View;

// Gathers what one value depends on.
class Gathering {
 public:
  Gathering(const define::Project& project, const define::Model& model)
      : project_(project), model_(model) {}

  // An expression over the question's row.
  void question(const define::Expr& expr, Dependence how) {
    const std::size_t own = model_.row.question_columns.size();
    for (const int column : define::columns_read(expr)) {
      const auto at = static_cast<std::size_t>(column);
      if (at < own)
        add(model_.source, model_.row.question_columns[at], how);
      else if (at - own < model_.row.view_features.size())
        feature(model_.row.view_features[at - own], how);
    }
  }

  // An expression over the rows of a source.
  void row_of(int source, const define::Expr& expr, Dependence how) {
    for (const int column : define::columns_read(expr)) add(source, column, how);
  }

  void add(int source, int column, Dependence how) {
    const auto& fields = project_.sources[static_cast<std::size_t>(source)].schema.fields;
    if (column < 0 || static_cast<std::size_t>(column) >= fields.size()) return;
    origins_.push_back({source, fields[static_cast<std::size_t>(column)].name, how});
  }

  std::vector<Origin> take() && {
    const auto key = [](const Origin& origin) {
      return std::tie(origin.source, origin.column, origin.how);
    };
    std::ranges::sort(origins_, {}, key);
    const auto twice = std::ranges::unique(origins_);
    origins_.erase(twice.begin(), twice.end());
    return std::move(origins_);
  }

 private:
  // `how`: joined_by where the feature is a part of a key, else it is a value.
  void feature(const define::ViewFeature& read, Dependence how) {
    const View& view = project_.views[static_cast<std::size_t>(read.view)];
    const auto& aggregate = view.aggregates[static_cast<std::size_t>(read.feature) /
                                            std::max<std::size_t>(view.windows.size(), 1)];
    const bool is_key = how == Dependence::joined_by;
    const Dependence value = is_key        ? Dependence::joined_by
                             : view.lookup ? Dependence::computed
                                           : Dependence::aggregated;
    if (aggregate.argument) event(view, *aggregate.argument, value);
    if (aggregate.divisor) event(view, *aggregate.divisor, value);
    if (aggregate.where) event(view, *aggregate.where, Dependence::filtered_by);
    for (const int key : view.key_columns)
      event_field(view, key, view.lookup ? Dependence::joined_by : Dependence::grouped_by);
    const auto& source = project_.sources[static_cast<std::size_t>(view.source)];
    add(view.source, source.time_index, Dependence::windowed_by);
    keys(view);
  }

  void event(const View& view, const define::Expr& expr, Dependence how) {
    for (const int field : define::columns_read(expr)) event_field(view, field, how);
  }

  // A field of the event's row: the source's own column, or one that a lookup found.
  void event_field(const View& view, int field, Dependence how) {
    const Source& source = project_.sources[static_cast<std::size_t>(view.source)];
    const define::EventLookup* lookup = define::lookup_of(source, field);
    if (lookup == nullptr) return add(view.source, field, how);
    for (const int own : define::own_columns_of(source, field))
      add(view.source, own, Dependence::joined_by);
    const View& read = project_.views[static_cast<std::size_t>(lookup->view)];
    const auto at = static_cast<std::size_t>(field - lookup->first_field);
    if (at >= read.aggregates.size() || !read.aggregates[at].argument) return;
    row_of(read.source, *read.aggregates[at].argument, how);
  }

  // What of the question says which entity of the view is asked for.
  void keys(const View& view) {
    for (const std::string& name : view.keys) {
      const auto named = [&](const auto& key) { return key.value.name == name; };
      const auto computed = std::ranges::find_if(model_.row.keys, named);
      if (computed != model_.row.keys.end()) {
        if (computed->value.expr) question(*computed->value.expr, Dependence::joined_by);
        continue;
      }
      const Source& source = project_.sources[static_cast<std::size_t>(model_.source)];
      add(model_.source, source.schema.index_of(name), Dependence::joined_by);
    }
  }

  const define::Project& project_;
  const define::Model& model_;
  std::vector<Origin> origins_;
};

ColumnLineage label_lineage(const define::Project& project, const define::Model& model) {
  Gathering gathering(project, model);
  if (model.label) gathering.row_of(model.label_source(), *model.label, Dependence::computed);
  if (model.label_events) {
    for (const int column : model.label_events->question_columns)
      gathering.add(model.source, column, Dependence::joined_by);
    for (const int column : model.label_events->event_columns)
      gathering.add(model.label_source(), column, Dependence::joined_by);
  }
  return {kLabelColumn, data::Type::boolean, model.label ? plain_text(*model.label) : "",
          std::move(gathering).take()};
}

}  // namespace

std::vector<ColumnLineage> column_lineage(const define::Project& project,
                                          const define::Model& model) {
  std::vector<ColumnLineage> lineage;
  for (const define::Input& input : model.inputs) {
    Gathering gathering(project, model);
    if (input.expr) {
      const bool itself = input.expr->op == define::Op::column;
      gathering.question(*input.expr, itself ? Dependence::identity : Dependence::computed);
    }
    lineage.push_back(
        {input.name, input.type, made_of(project, model, input), std::move(gathering).take()});
  }
  lineage.push_back(label_lineage(project, model));
  return lineage;
}

}  // namespace coeval::training
