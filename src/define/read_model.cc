#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "define/build.h"
#include "define/checker.h"
#include "define/draft.h"
#include "define/external_trainer.h"
#include "define/feature_words.h"
#include "define/inputs.h"
#include "define/leaks.h"
#include "define/question_keys.h"
#include "define/read_label.h"
#include "define/read_metrics.h"
#include "define/read_model_kind.h"
#include "define/read_training.h"
#include "define/split_and_gates.h"
#include "define/table_reader.h"
#include "define/trainer_params.h"
#include "define/view_parts.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

// The wide row of each source that questions are asked from, made once.
class WideRows {
 public:
  explicit WideRows(const Draft& draft) : draft_(draft) {}
  const WideRow& of(int source) {
    const auto [place, fresh] = rows_.try_emplace(source);
    if (fresh) place->second = made(source);
    return place->second;
  }

 private:
  WideRow made(int source) const {
    const Project& project = draft_.project;
    WideRow row =
        make_wide_row(project.sources[static_cast<std::size_t>(source)].schema, project.views);
    for (std::size_t v = 0; v < project.views.size(); ++v)
      if (draft_.view_notes[v].broken) row.broken_views.insert(project.views[v].name);
    return row;
  }

  const Draft& draft_;
  std::map<int, WideRow> rows_;
};

class ModelReader {
 public:
  ModelReader(const TomlEntry& entry, Draft& draft, WideRows& rows,
              std::set<std::string>& features_seen, Diagnostics& errors)
      : entry_(entry),
        draft_(draft),
        rows_(rows),
        features_seen_(features_seen),
        errors_(errors),
        what_("model " + in_quotes(entry.key)) {}

  void read() {
    expect_name(entry_, "a model", errors_);
    model_.name = entry_.key;
    if (expect_kind(entry_, Kind::table, "[model]", "write [model." + entry_.key + "]", errors_))
      read_table();
    draft_.project.models.push_back(std::move(model_));
  }

 private:
  void read_table() {
    TableReader reader(entry_.value, entry_.position, what_, errors_);
    const TomlEntry* question =
        reader.require("question", "write question = { from = \"…\", at = \"…\" }");
    if (question) read_question(*question);
    read_model_kind(reader, model_, errors_);
    const TomlEntry* label = reader.require("label", "write label = \"delay >= 15\"");
    if (label) label_ = read_label(*label, draft_, model_, errors_);
    const TomlEntry* inputs = reader.require("inputs", "write inputs = [\"distance\", \"view.*\"]");
    read_training(reader);
    reader.finish();
    if (inputs) read_inputs_of(*inputs);
    if (model_.source >= 0) check_monotone(entry_.value.find("monotone"), model_, errors_);
  }

  void read_question(const TomlEntry& entry) {
    const std::string advice = "write question = { from = \"flights\", at = \"date\" }";
    if (!expect_kind(entry, Kind::table, what_, advice, errors_)) return;
    TableReader reader(entry.value, entry.position, "question of " + what_, errors_);
    const TomlEntry* from = reader.require("from", advice);
    const TomlEntry* at = reader.require("at", advice);
    reader.finish();
    if (!from || !expect_kind(*from, Kind::string, reader.what(), advice, errors_)) return;
    model_.source = find_source(from->value, draft_, errors_);
    if (model_.source < 0) return;
    if (at && expect_kind(*at, Kind::string, reader.what(), advice, errors_)) read_at(at->value);
  }

  const Source* source() const {
    return model_.source < 0 ? nullptr
                             : &draft_.project.sources[static_cast<std::size_t>(model_.source)];
  }
  std::string source_text() const { return "source " + in_quotes(source()->name); }

  void read_at(const TomlValue& value) {
    model_.at_column = value.text;
    model_.at_index = source()->schema.index_of(value.text);
    if (model_.at_index < 0) {
      const std::vector<std::string> names = RowScope(source()->schema, "").names();
      const std::string advice = did_you_mean(value.text, names);
      errors_.report(Code::unknown_column, value.position,
                     "unknown column " + in_quotes(value.text),
                     advice.empty() ? source_text() + " has " + listed(names) : advice);
      return;
    }
    const data::Field& field = source()->schema.fields[static_cast<std::size_t>(model_.at_index)];
    if (field.type == Type::timestamp && !field.nullable) return;
    if (field.type != Type::null)
      errors_.report(
          Code::type_error, value.position,
          "the question's time must be timestamp and never null: " + in_quotes(value.text),
          "name a column with type = \"timestamp\" and without nullable");
    model_.at_index = -1;
  }

  void read_training(TableReader& reader) {
    const TomlEntry* trainer = reader.take("trainer");
    if (trainer && trainer->value.kind == Kind::table)
      read_external_trainer(*trainer, model_, errors_);
    else if (trainer && expect_kind(*trainer, Kind::string, what_, "write \"xgboost\"", errors_))
      read_trainer(trainer->value);
    check_loss(reader, model_, errors_);
    read_trainer_params(reader.take("params"), model_, errors_);
    model_.seed = static_cast<std::uint64_t>(reader.integer("seed", 0, 2'147'483'647).value_or(0));
    const TomlEntry* split = reader.require(
        "split",
        "cut by time: split = { train_until = 2001-05-01, validate_until = 2001-06-01, "
        "test_until = 2001-07-01 }");
    if (split) {
      read_split(*split, model_, errors_);
      check_maturity(*split, draft_, model_, errors_);
    }
    read_training_options(reader, draft_, model_, errors_);
    const auto* gates = reader.take("gate");
    read_model_metrics(reader.take("metrics"), gates, draft_, model_, errors_);
    if (gates) read_gates(*gates, model_, errors_);
    reader.later({"maturity"});
  }

  void read_trainer(const TomlValue& value) {
    model_.trainer = value.text;
    if (value.text == "xgboost" || value.text == "lightgbm" || value.text == "linear") return;
    errors_.report(Code::unknown_name, value.position, "unknown trainer " + in_quotes(value.text),
                   "write trainer = \"xgboost\", \"lightgbm\" or \"linear\"");
  }

  void read_inputs_of(const TomlEntry& entry) {
    const std::string advice = "write inputs = [\"distance\", \"weekday\", \"view.*\"]";
    std::vector<InputText> texts;
    for (const auto* text : strings_of(entry, what_, advice, errors_))
      texts.push_back({ExpressionText::of(*text), text->position});
    if (entry.value.kind == Kind::array && entry.value.items.empty())
      errors_.report(Code::bad_toml_value, entry.value.position, what_ + " has no inputs", advice);
    if (!source()) return;
    const WideRow& row = rows_.of(model_.source);
    QuestionScope scope(row, model_.at_index, draft_.features, draft_.keys, draft_.project,
                        source_text(), errors_);
    const std::vector<WideInput> inputs = read_inputs(texts, row, scope, errors_);
    const QuestionKeys keys = question_keys(inputs, row, scope, draft_.project.views, errors_);
    check_keys(inputs, keys, row);
    if (model_.at_index >= 0)
      check_model_leaks(draft_, model_, row, inputs, keys, scope, label_, errors_);
    NarrowRow narrowed = narrow(inputs, keys, row, draft_.project.views);
    model_.row = std::move(narrowed.row);
    model_.inputs = std::move(narrowed.inputs);
    for (const auto* texts_of : {&draft_.features, &draft_.keys})
      for (const auto& [name, text] : *texts_of)
        if (scope.was_compiled(name)) features_seen_.insert(name);
  }

  // A view can be asked only with its keys. One error per view, at the first input that reads it;
  // of a view that only a key reads, at that key.
  void check_keys(const std::vector<WideInput>& inputs, const QuestionKeys& keys,
                  const WideRow& row) {
    std::map<int, SourcePosition> places;
    const auto meet = [&](const ExprPtr& expr, const SourcePosition& place) {
      for (const int field : columns_read(*expr))
        if (const auto* read = row.view_feature(field)) places.emplace(read->view, place);
    };
    for (const auto& input : inputs) meet(input.input.expr, input.position);
    for (const auto& [name, key] : keys.derived)
      if (key.expr) meet(key.expr, key.position);
    for (const auto& [view, place] : places)
      check_keys(draft_.project.views[static_cast<std::size_t>(view)], keys, place);
  }

  void check_keys(const View& view, const QuestionKeys& keys, const SourcePosition& place) {
    for (std::size_t k = 0; k < view.keys.size(); ++k) {
      const std::string asks =
          what_ + " asks view " + in_quotes(view.name) + ", whose key " + view.keys[k];
      const DerivedKey* derived = keys.find(view.keys[k]);
      const int index = source()->schema.index_of(view.keys[k]);
      if (derived == nullptr && index < 0) {
        errors_.report(
            Code::unknown_column, place, asks + " is no column of " + source_text(),
            "give the question's source a column of that name, or say in [keys] what it is");
        continue;
      }
      const Type wanted = key_type(view, k);
      const Type found = derived == nullptr
                             ? source()->schema.fields[static_cast<std::size_t>(index)].type
                         : derived->expr ? derived->expr->type
                                         : Type::null;
      if (wanted == found || wanted == Type::null || found == Type::null) continue;
      errors_.report(Code::type_error, place,
                     asks + " is " + std::string(data::name(wanted)) + ", but " +
                         std::string(data::name(found)) +
                         (derived == nullptr ? " in " + source_text() : " by [keys]"),
                     derived == nullptr
                         ? "declare both with one type"
                         : "write cast(… as " + std::string(data::name(wanted)) + ")");
    }
  }

  Type key_type(const View& view, std::size_t key) const {
    const Source& events = draft_.project.sources[static_cast<std::size_t>(view.source)];
    return events.event_schema().fields[static_cast<std::size_t>(view.key_columns[key])].type;
  }

  const TomlEntry& entry_;
  Draft& draft_;
  WideRows& rows_;
  std::set<std::string>& features_seen_;
  Diagnostics& errors_;
  std::string what_;
  Model model_;
  LabelNotes label_;
};

// A feature that no model reads must still make sense for some model's question, or some source's
// row.
class UnreadFeatures {
 public:
  UnreadFeatures(const Draft& draft, WideRows& rows, Diagnostics& errors)
      : draft_(draft), rows_(rows), errors_(errors) {
    for (const auto& model : draft.project.models)
      if (model.source >= 0) add(model.source, model.at_index);
    if (questions_.empty())
      for (std::size_t s = 0; s < draft.project.sources.size(); ++s)
        add(static_cast<int>(s), draft.project.sources[s].time_index);
  }

  void check(const std::string& name) {
    std::vector<std::vector<Error>> found;
    for (const auto& [source, at] : questions_) {
      found.push_back(errors_of(name, source, at));
      if (found.back().empty()) return;
    }
    if (!found.empty()) report(std::move(found.front()));
  }

  // The same of a key: any source that lacks a column of its name may ask with it.
  void check_key(const std::string& name) {
    std::optional<std::vector<Error>> first;
    for (std::size_t s = 0; s < draft_.project.sources.size(); ++s) {
      const Source& source = draft_.project.sources[s];
      if (source.schema.index_of(name) >= 0) continue;
      auto found = errors_of(name, static_cast<int>(s), source.time_index);
      if (found.empty()) return;
      if (!first) first = std::move(found);
    }
    if (first) report(std::move(*first));
  }

 private:
  std::vector<Error> errors_of(const std::string& name, int source, int at) {
    Diagnostics found = errors_.apart();
    QuestionScope scope(
        rows_.of(source), at, draft_.features, draft_.keys, draft_.project,
        "source " + in_quotes(draft_.project.sources[static_cast<std::size_t>(source)].name),
        found);
    SourcePosition place;
    if (!draft_.keys.contains(name)) {
      scope.find(name);
      return found.take();
    }
    WideInput key;
    key.input.expr = scope.find_key(name, place).expr;
    key.position = place;
    if (key.input.expr) question_keys({key}, rows_.of(source), scope, draft_.project.views, found);
    return found.take();
  }

  void report(std::vector<Error> errors) {
    for (auto& error : errors)
      errors_.report(error.code, error.position, std::move(error.message), std::move(error.advice));
  }

  void add(int source, int at) {
    if (std::ranges::count(questions_, std::pair(source, at)) == 0)
      questions_.emplace_back(source, at);
  }

  const Draft& draft_;
  WideRows& rows_;
  Diagnostics& errors_;
  std::vector<std::pair<int, int>> questions_;  // source, field of the time
};

}  // namespace

void read_features(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [features]", errors)) return;
  for (const auto& feature : entry.value.entries) {
    if (!expect_name(feature, "a feature", errors) ||
        !expect_kind(feature, Kind::string, "[features]", "write an expression in quotes", errors))
      continue;
    draft.features.emplace(feature.key, ExpressionText::of(feature.value));
    draft.project.features.push_back({feature.key, feature.value.text,
                                      spaced_words(feature.value.text, draft.project),
                                      feature.value.position});
  }
}

void read_models(const TomlEntry* entry, Draft& draft, Diagnostics& errors) {
  std::set<std::string> seen;
  WideRows rows(draft);
  if (entry && expect_kind(*entry, Kind::table, "the definition", "write [model.NAME]", errors))
    for (const auto& model : entry->value.entries)
      ModelReader(model, draft, rows, seen, errors).read();
  UnreadFeatures unread(draft, rows, errors);
  for (const auto& [name, text] : draft.features)
    if (!seen.contains(name) && !errors.is_full()) unread.check(name);
  for (const auto& [name, text] : draft.keys)
    if (!seen.contains(name) && !errors.is_full()) unread.check_key(name);
  check_unused_metrics(draft, errors);
}

}  // namespace coeval::define
