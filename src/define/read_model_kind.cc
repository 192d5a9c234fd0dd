#include "define/read_model_kind.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "define/trainer_params.h"

namespace coeval::define {
namespace {

using Kind = TomlValue::Kind;

constexpr std::string_view kKindAdvice =
    "write kind = \"binary\", kind = \"multiclass\", kind = \"ranking\" or kind = \"regression\"";
constexpr std::string_view kLossAdvice =
    "write loss = \"squared\", loss = \"absolute\" or loss = { quantile = 0.9 }";

// Words for kinds of problems that other tools have, and this one does not have yet.
constexpr std::array<std::string_view, 3> kLaterKinds = {"recommendation", "forecast", "text"};
constexpr std::string_view kClassesAdvice =
    "write classes = [\"on time\", \"late\", \"cancelled\"], the texts that the label can be";

std::string what_of(const Model& model) { return "model " + in_quotes(model.name); }

void read_kind(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string advice(kKindAdvice);
  if (!expect_kind(entry, Kind::string, what_of(model), advice, errors)) return;
  for (const ModelKind kind : kModelKinds)
    if (entry.value.text == name(kind)) {
      model.kind = kind;
      return;
    }
  const bool later = std::ranges::count(kLaterKinds, entry.value.text) > 0;
  errors.report(later ? Code::unsupported : Code::bad_toml_value, entry.value.position,
                (later ? "kind " : "unknown kind ") + in_quotes(entry.value.text) + " of " +
                    what_of(model) + (later ? " is not in this version" : ""),
                advice);
}

void read_loss(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string advice(kLossAdvice);
  if (entry.value.kind == Kind::table) {
    TableReader table(entry.value, entry.position, "loss of " + what_of(model), errors);
    if (table.require("quantile", advice) == nullptr) return table.finish();
    model.loss = {Loss::Kind::quantile, table.number("quantile", 0.001, 0.999).value_or(0.5)};
    return table.finish();
  }
  if (!expect_kind(entry, Kind::string, what_of(model), advice, errors)) return;
  if (entry.value.text == "squared")
    model.loss = {};
  else if (entry.value.text == "absolute")
    model.loss = {.kind = Loss::Kind::absolute};
  else
    errors.report(Code::bad_toml_value, entry.value.position,
                  "unknown loss " + in_quotes(entry.value.text) + " of " + what_of(model), advice);
}

void read_classes(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "classes of " + what_of(model);
  const auto bad = [&](const SourcePosition& place, const std::string& message) {
    errors.report(Code::bad_toml_value, place, message, std::string(kClassesAdvice));
  };
  if (!expect_kind(entry, Kind::array, what, std::string(kClassesAdvice), errors)) return;
  for (const TomlValue& item : entry.value.items) {
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    if (item.kind != Kind::string || item.text.empty() || item.text.size() > 200 ||
        std::ranges::any_of(item.text, is_control))
      return bad(item.position, what + " must be texts of 1 to 200 bytes in a line");
    if (std::ranges::count(model.classes, item.text) > 0)
      return bad(item.position, what + " name " + in_quotes(item.text) + " twice");
    model.classes.push_back(item.text);
  }
  if (model.classes.size() < 2 || model.classes.size() > kMaxClasses)
    bad(entry.value.position, what + " are " + std::to_string(model.classes.size()) +
                                  ", but there can be 2 to " + std::to_string(kMaxClasses));
}

// A row for each label, in the order of the classes, with a cost for each class decided.
void read_cost_matrix(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "cost_matrix of " + what_of(model);
  const std::string advice =
      "write a row for each class, with what it costs to decide each: cost_matrix = [[0, 1, 1], "
      "[1, 0, 1], [10, 5, 0]]";
  const auto bad = [&](const SourcePosition& place, const std::string& message) {
    model.cost_matrix.clear();
    errors.report(Code::bad_toml_value, place, what + message, advice);
  };
  if (!expect_kind(entry, Kind::array, what, advice, errors)) return;
  const std::size_t classes = model.classes.size();
  if (entry.value.items.size() != classes)
    return bad(entry.value.position, " has " + std::to_string(entry.value.items.size()) +
                                         " rows for " + std::to_string(classes) + " classes");
  for (const TomlValue& row : entry.value.items) {
    if (row.kind != Kind::array || row.items.size() != classes)
      return bad(row.position, " needs " + std::to_string(classes) + " numbers in a row");
    for (const TomlValue& cost : row.items) {
      const double value =
          cost.kind == Kind::integer ? static_cast<double>(cost.integer) : cost.real;
      const bool number = cost.kind == Kind::integer || cost.kind == Kind::real;
      if (!number || !(value >= 0 && value <= 1e12))
        return bad(cost.position, " has a cost that is no number from 0 to 1e12");
      model.cost_matrix.push_back(value);
    }
  }
}

}  // namespace

std::string_view name(ModelKind kind) {
  switch (kind) {
    case ModelKind::binary:
      break;
    case ModelKind::regression:
      return "regression";
    case ModelKind::multiclass:
      return "multiclass";
    case ModelKind::ranking:
      return "ranking";
  }
  return "binary";
}

std::string loss_text(const Loss& loss) {
  if (loss.kind == Loss::Kind::squared) return "squared";
  if (loss.kind == Loss::Kind::absolute) return "absolute";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), loss.quantile);
  return "quantile " + std::string(text.data(), end.ptr);
}

void read_model_kind(TableReader& reader, Model& model, Diagnostics& errors) {
  if (const TomlEntry* kind = reader.take("kind")) read_kind(*kind, model, errors);
  const TomlEntry* classes = reader.take("classes");
  const TomlEntry* costs = reader.take("cost_matrix");
  if (model.kind == ModelKind::multiclass) {
    if (classes != nullptr)
      read_classes(*classes, model, errors);
    else
      errors.report(Code::missing_toml_key, reader.where(), what_of(model) + " has no 'classes'",
                    std::string(kClassesAdvice));
    if (costs != nullptr && !model.classes.empty()) read_cost_matrix(*costs, model, errors);
  } else if (costs != nullptr) {
    errors.report(
        Code::bad_toml_value, costs->position,
        "cost_matrix of " + what_of(model) + ", whose kind is " + in_quotes(name(model.kind)),
        model.kind == ModelKind::binary
            ? "write threshold = { cost = { … } }, or kind = \"multiclass\""
            : "leave it out: a regression decides nothing");
  } else if (classes != nullptr) {
    errors.report(Code::bad_toml_value, classes->position,
                  "classes of " + what_of(model) + ", whose kind is " + in_quotes(name(model.kind)),
                  "leave them out, or write kind = \"multiclass\" for a label that is one of them");
  }
  if (model.kind == ModelKind::ranking)
    model.rank_k = reader.integer("k", 1, 10'000).value_or(model.rank_k);
  const TomlEntry* loss = reader.take("loss");
  if (loss == nullptr) return;
  if (model.kind == ModelKind::regression) return read_loss(*loss, model, errors);
  errors.report(Code::bad_toml_value, loss->position,
                "loss of " + what_of(model) + ": its kind is " + in_quotes(name(model.kind)) +
                    ", whose loss is " +
                    (model.kind == ModelKind::ranking ? "LambdaMART's" : "the log loss"),
                "leave it out, or write kind = \"regression\" for a label that is a number");
}

void refuse_keys_of_binary(TableReader& reader, const Model& model, Diagnostics& errors) {
  if (model.kind == ModelKind::binary) return;
  const bool regression = model.kind == ModelKind::regression;
  const bool ranking = model.kind == ModelKind::ranking;
  const auto refuse = [&](const TomlEntry* entry, const char* why, const char* advice) {
    if (entry == nullptr) return;
    errors.report(Code::bad_toml_value, entry->position,
                  in_quotes(entry->key) + " of " + what_of(model) + ": " + why, advice);
  };
  refuse(reader.take("class_weights"),
         regression ? "a regression has no classes"
         : ranking  ? "a ranking has no classes"
                    : "they are not in this version for several classes, for scores would be no "
                      "probabilities",
         ranking ? "leave it out" : "leave it out; weights = \"…\" says what a row counts");
  refuse(reader.take("calibration"),
         regression ? "a regression's score is no probability"
         : ranking  ? "a ranking's score is no probability: it only orders"
                    : "it is not in this version for several classes",
         "leave it out, with calibrate_until of split");
  refuse(reader.take("threshold"),
         regression ? "a regression decides nothing: its answer is the number"
         : ranking  ? "a ranking decides nothing: its scores order the rows of a query"
                    : "of several classes the likeliest is the decision, or that of least cost",
         regression || ranking
             ? "leave it out, with threshold_until of split; a [metric] may compare the score"
             : "leave it out, with threshold_until of split; cost_matrix says what decisions cost");
  if (ranking)
    refuse(reader.take("weights"), "what a row counts means nothing to pairs of rows of a query",
           "leave it out");
  if (!regression && !ranking)
    refuse(reader.take("monotone"), "which class's score, of several, is not said",
           "leave it out, or write a model of kind = \"binary\" for one class");
  const TomlEntry* split = reader.take("split");
  if (split == nullptr || split->value.kind != Kind::table) return;
  for (const char* part : {"calibrate_until", "threshold_until"})
    refuse(split->value.find(part),
           regression ? "nothing of a regression is fitted on that part"
           : ranking  ? "nothing of a ranking is fitted on that part"
                      : "nothing of a multiclass model is fitted on that part",
           "leave it out: its rows then test");
}

void check_loss(TableReader& reader, const Model& model, Diagnostics& errors) {
  const bool trees_only = model.kind == ModelKind::multiclass || model.kind == ModelKind::ranking;
  if (trees_only && !trains_in_rounds(model.trainer)) {
    errors.report(Code::unsupported, reader.take("kind")->position,
                  "the trainer of " + what_of(model) + " has no kind = \"" +
                      std::string(name(model.kind)) + "\" in this version",
                  "write trainer = \"xgboost\" or \"lightgbm\"");
    return;
  }
  if (model.kind != ModelKind::regression || model.trainer != "linear" ||
      model.loss.kind == Loss::Kind::squared)
    return;
  errors.report(Code::unsupported, reader.take("loss")->position,
                "the linear trainer of " + what_of(model) + " has loss = \"squared\" only",
                "leave loss out, or write trainer = \"xgboost\" or \"lightgbm\"");
}

}  // namespace coeval::define
