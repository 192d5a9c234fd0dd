#include "define/external_trainer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "data/json.h"
#include "define/table_reader.h"

namespace coeval::define {
namespace {

using data::Json;
using Kind = TomlValue::Kind;

constexpr const char* kCommand = "trainer.command";
constexpr const char* kFiles = "trainer.files";
constexpr const char* kFormat = "trainer.format";

Json words_json(const std::vector<std::string>& words) {
  return Json::Array(words.begin(), words.end());
}

Result<Json> param_of(const Model& model, const std::string& name) {
  const auto found =
      std::ranges::find(model.params, name, &std::pair<std::string, std::string>::first);
  if (found == model.params.end()) return fail(Code::bad_json, "no param '" + name + "'");
  return data::parse_json(found->second);
}

Result<std::vector<std::string>> words_of(const Model& model, const std::string& name) {
  COEVAL_ASSIGN(const Json json, param_of(model, name));
  if (json.array() == nullptr) return fail(Code::bad_json, "'" + name + "' is not an array");
  std::vector<std::string> words;
  for (const Json& each : *json.array()) {
    if (each.string() == nullptr) return fail(Code::bad_json, "'" + name + "' holds no texts");
    words.push_back(*each.string());
  }
  return words;
}

// Nothing for what JSON or a command would not take.
std::optional<Json> json_of(const TomlValue& value) {
  switch (value.kind) {
    case Kind::string:
      return Json(value.text);
    case Kind::integer:
      return Json(value.integer);
    case Kind::boolean:
      return Json(value.boolean);
    case Kind::real:
      if (std::isfinite(value.real)) return Json(value.real);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

void keep(const ExternalTrainer& external, Model& model) {
  model.params = {{kCommand, words_json(external.command).dump()},
                  {kFiles, words_json(external.files).dump()},
                  {kFormat, Json(external.format).dump()}};
}

}  // namespace

bool is_own_param(const std::string& name) { return !name.starts_with("trainer."); }

Result<ExternalTrainer> external_trainer(const Model& model) {
  ExternalTrainer external;
  COEVAL_ASSIGN(external.command, words_of(model, kCommand));
  COEVAL_ASSIGN(external.files, words_of(model, kFiles));
  COEVAL_ASSIGN(const Json format, param_of(model, kFormat));
  if (format.string() == nullptr || external.command.empty())
    return fail(Code::bad_json, "the model's params hold no command");
  external.format = *format.string();
  return external;
}

void read_external_trainer(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string advice = "write trainer = { command = [\"python3\", \"train.py\"] }";
  TableReader table(entry.value, entry.position, "trainer of model " + in_quotes(model.name),
                    errors);
  model.trainer = kExternalTrainer;
  ExternalTrainer external;
  if (const TomlEntry* command = table.require("command", advice)) {
    for (const auto* word : strings_of(*command, table.what(), advice, errors))
      external.command.push_back(word->text);
    if (external.command.empty() || external.command.front().empty())
      errors.report(Code::bad_toml_value, command->value.position,
                    "the command of " + table.what() + " names no program", advice);
  }
  external.format = table.string("format").value_or("parquet");
  if (external.format != "parquet" && external.format != "arrow")
    errors.report(Code::bad_toml_value, entry.value.find("format")->value.position,
                  "unknown format " + in_quotes(external.format) + " of " + table.what(),
                  "write \"parquet\" or \"arrow\"");
  if (const TomlEntry* files = table.take("files"))
    for (const auto* file : strings_of(*files, table.what(), advice, errors))
      external.files.push_back(file->text);
  table.finish();
  keep(external, model);
}

void read_external_params(const TomlEntry* entry, Model& model, Diagnostics& errors) {
  model.rounds = 1;
  const std::string what = "model " + in_quotes(model.name);
  const std::string advice = "write [model." + model.name + ".params]";
  if (!entry || !expect_kind(*entry, Kind::table, what, advice, errors)) return;
  for (const TomlEntry& each : entry->value.entries) {
    if (!expect_name(each, "a parameter", errors)) continue;
    if (const auto value = json_of(each.value))
      model.params.emplace_back(each.key, value->dump());
    else
      errors.report(
          Code::bad_toml_value, each.value.position,
          in_quotes(each.key) + " of params of " + what + " cannot be handed to a command",
          "write a text, a finite number, true or false");
  }
  std::ranges::sort(model.params);
}

}  // namespace coeval::define
