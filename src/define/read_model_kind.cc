#include "define/read_model_kind.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace coeval::define {
namespace {

using Kind = TomlValue::Kind;

constexpr std::string_view kKindAdvice = "write kind = \"binary\" or kind = \"regression\"";
constexpr std::string_view kLossAdvice =
    "write loss = \"squared\", loss = \"absolute\" or loss = { quantile = 0.9 }";

// Words for kinds of problems that other tools have, and this one does not have yet.
constexpr std::array<std::string_view, 6> kLaterKinds = {"multiclass",     "multi-class", "ranking",
                                                         "recommendation", "forecast",    "text"};

std::string what_of(const Model& model) { return "model " + in_quotes(model.name); }

void read_kind(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string advice(kKindAdvice);
  if (!expect_kind(entry, Kind::string, what_of(model), advice, errors)) return;
  for (const ModelKind kind : {ModelKind::binary, ModelKind::regression})
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

}  // namespace

std::string_view name(ModelKind kind) {
  return kind == ModelKind::binary ? "binary" : "regression";
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
  const TomlEntry* loss = reader.take("loss");
  if (loss == nullptr) return;
  if (model.kind == ModelKind::regression) return read_loss(*loss, model, errors);
  errors.report(
      Code::bad_toml_value, loss->position,
      "loss of " + what_of(model) + ": its kind is \"binary\", whose loss is the log loss",
      "leave it out, or write kind = \"regression\" for a label that is a number");
}

void refuse_keys_of_binary(TableReader& reader, const Model& model, Diagnostics& errors) {
  if (model.kind != ModelKind::regression) return;
  const auto refuse = [&](const TomlEntry* entry, const char* why, const char* advice) {
    if (entry == nullptr) return;
    errors.report(Code::bad_toml_value, entry->position,
                  in_quotes(entry->key) + " of " + what_of(model) + ": " + why, advice);
  };
  refuse(reader.take("class_weights"), "a regression has no classes",
         "leave it out; weights = \"…\" says what a row counts");
  refuse(reader.take("calibration"), "a regression's score is no probability",
         "leave it out, with calibrate_until of split");
  refuse(reader.take("threshold"), "a regression decides nothing: its answer is the number",
         "leave it out, with threshold_until of split; a [metric] may compare the score");
  const TomlEntry* split = reader.take("split");
  if (split == nullptr || split->value.kind != Kind::table) return;
  for (const char* part : {"calibrate_until", "threshold_until"})
    refuse(split->value.find(part), "nothing of a regression is fitted on that part",
           "leave it out: its rows then test");
}

void check_loss(TableReader& reader, const Model& model, Diagnostics& errors) {
  if (model.kind != ModelKind::regression || model.trainer != "linear" ||
      model.loss.kind == Loss::Kind::squared)
    return;
  errors.report(Code::unsupported, reader.take("loss")->position,
                "the linear trainer of " + what_of(model) + " has loss = \"squared\" only",
                "leave loss out, or write trainer = \"xgboost\" or \"lightgbm\"");
}

}  // namespace coeval::define
