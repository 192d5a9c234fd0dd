#include "training/dataset_columns.h"

#include <algorithm>
#include <set>

#include "data/hash.h"
#include "define/ir.h"
#include "kernel/kernel.h"
#include "replay/dataset.h"
#include "training/build_steps.h"
#include "training/model_dataset.h"
#include "training/pipeline.h"

namespace coeval::training {

namespace {

// What a column is made from, as text: what the definition says, and the sources whose files count.
struct Origin {
  std::string definition;
  std::set<int> sources;

  Origin& say(std::string_view text) {
    definition += text;
    definition += '\n';
    return *this;
  }
};

std::size_t own_columns(const define::RowSchema& row) {
  return row.schema.fields.size() - row.view_features.size();
}

class Columns {
 public:
  Columns(const Workshop& shop, const define::Model& model, const data::Json& inputs)
      : project_(*shop.project), model_(model), inputs_(inputs) {
    rows_.say("engine " + shop.engine);
    rows_.say(define::zone_ir(project_));
    read_source(rows_, model_.source);
    rows_.say("at " + model_.at_column);
    // Who could see what retention removed does not ask: which rows there are depends on the views.
    if (inputs_.find("log_from") != nullptr)
      for (const int view : replay::views_of(model_.row)) read_view(rows_, view);
  }

  std::vector<DatasetColumn> run() {
    add_question_columns();
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) add_input(i);
    add(kLabelColumn, label());
    add(kSplitColumn, split());
    if (!model_.row.stale_rules.empty()) add(kRefusedColumn, refused());
    add_beside();
    add_approximate();
    return std::move(columns_);
  }

 private:
  void read_source(Origin& origin, int source) const {
    origin.say(define::source_ir(project_.sources[static_cast<std::size_t>(source)]));
    origin.sources.insert(source);
  }

  void read_view(Origin& origin, int view) const {
    origin.say(define::view_hash(project_, view));
    for (const int source : replay::sources_of(project_, std::vector{view}))
      read_source(origin, source);
  }

  void read_feature(Origin& origin, const define::ViewFeature& feature) const {
    origin.say(define::feature_ir(project_, feature));
    for (const int source : replay::sources_of(project_, std::vector{feature.view}))
      read_source(origin, source);
  }

  // Keys that other views find: all of them, with all that they read.
  void read_keys(Origin& origin) const {
    for (const auto& key : model_.row.keys) {
      origin.say("key " + key.value.name + " = " + define::canonical(*key.value.expr));
      for (const int column : define::columns_read(*key.value.expr))
        if (const auto* feature = feature_at(column)) read_feature(origin, *feature);
    }
  }

  const define::ViewFeature* feature_at(int column) const {
    const std::size_t own = own_columns(model_.row);
    const auto place = static_cast<std::size_t>(column);
    return place < own ? nullptr : &model_.row.view_features[place - own];
  }

  // A column of the model's row.
  void read_column(Origin& origin, int column) const {
    origin.say("reads " + model_.row.schema.fields[static_cast<std::size_t>(column)].name);
    const auto* feature = feature_at(column);
    if (feature == nullptr) return;
    read_feature(origin, *feature);
    if (model_.row.stage_of(feature->view) > 0) read_keys(origin);
  }

  void add(const std::string& column_name, const Origin& of, int input = -1) {
    Origin all = rows_;
    all.definition += of.definition;
    all.sources.insert(of.sources.begin(), of.sources.end());
    DatasetColumn column{column_name, data::sha256_hex(all.definition), {}, input};
    std::string made_from = "column 1\n" + column.definition + "\n";
    const auto note = [&](const std::string& what) {
      if (const data::Json* value = inputs_.find(what))
        made_from += what + " " + value->dump() + "\n";
    };
    for (const int source : all.sources)
      note("file:" + project_.sources[static_cast<std::size_t>(source)].name);
    for (const char* what : {"cut", "log", "log_from"}) note(what);
    column.key = data::sha256_hex(made_from);
    columns_.push_back(std::move(column));
  }

  // Columns of the question itself; an input of the same name takes the place of one.
  void add_question_columns() {
    std::vector<int> places = {model_.at_index};
    places.insert(places.end(), model_.row.question_columns.begin(),
                  model_.row.question_columns.end());
    std::set<std::string> seen;
    for (const auto& input : model_.inputs) seen.insert(input.name);
    const auto& source = project_.sources[static_cast<std::size_t>(model_.source)];
    for (const int place : places) {
      const std::string& name = source.schema.fields[static_cast<std::size_t>(place)].name;
      if (seen.insert(name).second) add(name, Origin{}.say("column " + name));
    }
  }

  void add_input(std::size_t index) {
    const define::Input& input = model_.inputs[index];
    Origin origin;
    origin.say("value " + std::string(data::name(input.type)) + " " +
               define::canonical(*input.expr));
    for (const int column : define::columns_read(*input.expr)) read_column(origin, column);
    add(input.name, origin, static_cast<int>(index));
  }

  Origin label() const {
    Origin origin;
    origin.say("label " + define::label_ir(project_, model_));
    read_source(origin, model_.label_source());
    return origin;
  }

  Origin split() const {
    Origin origin = label();
    origin.say("split " + split_text(model_.split));
    if (model_.kind == define::ModelKind::ranking)
      origin.say("whole queries by " + define::canonical(*model_.training.resampling.expr));
    const Origin stale = refused();
    origin.definition += stale.definition;
    origin.sources.insert(stale.sources.begin(), stale.sources.end());
    return origin;
  }

  Origin refused() const {
    Origin origin;
    for (const auto& rule : model_.row.stale_rules) {
      origin.say("refused after " + std::to_string(rule.max_age_us));
      read_column(origin, rule.age_column);
    }
    return origin;
  }

  void add_beside() {
    const define::TrainingOptions& options = model_.training;
    const auto value = [](const define::Expr& expr) {
      return Origin{}.say("beside " + std::string(data::name(expr.type)) + " " +
                          define::canonical(expr));
    };
    if (options.weight) add(kWeightColumn, value(*options.weight));
    if (options.resampling.expr) add(kUnitColumn, value(*options.resampling.expr));
    for (const auto& slice : options.slices) add(slice_column(slice), value(*slice.expr));
    for (const data::Field& field : define::columns_of(model_.metrics))
      add(metric_column(field.name), Origin{}.say("beside column " + field.name));
    if (options.rolling.folds > 0) add(kKnownColumn, label().say("when it was known"));
  }

  void add_approximate() {
    const auto marked = approximate_features_of(project_, model_.row);
    const auto is_named = [](const DatasetColumn& column) {
      return column.name == replay::kApproximateColumn;
    };
    if (std::ranges::count(marked, true) == 0 || std::ranges::any_of(columns_, is_named)) return;
    Origin origin;
    origin.say("approximate");
    for (std::size_t i = 0; i < marked.size(); ++i)
      if (marked[i]) read_column(origin, static_cast<int>(own_columns(model_.row) + i));
    add(replay::kApproximateColumn, origin);
  }

  const define::Project& project_;
  const define::Model& model_;
  const data::Json& inputs_;
  Origin rows_;
  std::vector<DatasetColumn> columns_;
};

}  // namespace

std::vector<DatasetColumn> dataset_columns(const Workshop& shop, const define::Model& model,
                                           const data::Json& dataset_inputs) {
  return Columns(shop, model, dataset_inputs).run();
}

std::vector<bool> approximate_features_of(const define::Project& project,
                                          const define::RowSchema& row) {
  std::vector<bool> marked;
  for (const auto& feature : row.view_features) {
    const auto of_view =
        kernel::approximate_features(project.views[static_cast<std::size_t>(feature.view)]);
    marked.push_back(std::ranges::count(of_view, static_cast<std::size_t>(feature.feature)) > 0);
  }
  return marked;
}

}  // namespace coeval::training
