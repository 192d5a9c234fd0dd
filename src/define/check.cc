#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "data/hash.h"
#include "define/draft.h"
#include "define/ir.h"
#include "define/leaks.h"
#include "define/project.h"
#include "define/read_identity.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

// Project names go into paths and reports.
bool is_project_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, good);
}

// semantics: T8. UTC is what is said by saying nothing, so it is null; so is a broken zone.
const TimeZone* read_zone(const std::string& name, const SourcePosition& place,
                          Diagnostics& errors) {
  if (name == "UTC") return nullptr;
  const auto zone = TimeZone::find(name);
  if (zone) return *zone;
  const std::string advice = did_you_mean(name, TimeZone::names());
  errors.report(
      zone.error().code, place, "unknown time zone " + in_quotes(name),
      advice.empty() ? "write an IANA name such as \"Europe/Berlin\", or \"UTC\"" : advice);
  return nullptr;
}

void read_document(const TomlValue& document, Draft& draft, Diagnostics& errors) {
  TableReader reader(document, {draft.project.file, 1, 1, 1}, "the definition", errors);
  if (const auto* project = reader.require("project", "write [project] with name = \"…\""))
    read_project_table(*project, draft, errors);
  if (const auto* constants = reader.take("constants")) read_constants(*constants, draft, errors);
  if (const auto* sources =
          reader.require("source", "write [source.NAME] with path, time and known")) {
    read_sources(*sources, draft, errors);
    read_checks(*sources, draft, errors);
  }
  if (const auto* keys = reader.take("keys")) read_keys(*keys, draft, errors);
  const auto* views = reader.take("view");
  if (const auto* lookups = reader.take("lookup")) read_lookups(*lookups, views, draft, errors);
  if (views != nullptr) read_views(*views, draft, errors);
  check_view_leaks(draft, errors);
  check_retention(draft, errors);
  if (const auto* features = reader.take("features")) read_features(*features, draft, errors);
  check_constant_names(draft, errors);
  check_keys(draft, errors);
  if (const auto* metrics = reader.take("metric")) read_metrics(*metrics, draft, errors);
  read_models(reader.take("model"), draft, errors);
  if (const auto* serving = reader.take("serving")) read_serving(*serving, draft, errors);
  reader.later({"include", "monitor", "dimension"});
  reader.finish();
}

void seal(Project& project) {
  for (auto& model : project.models) {
    model.ir = model_ir(project, model);
    model.ir_hash = data::sha256_hex(model.ir);
  }
  project.ir = project_ir(project);
  project.ir_hash = data::sha256_hex(project.ir);
}

Checked failed(Code code, std::string message, std::string advice) {
  Checked checked;
  checked.errors.push_back({code, std::move(message), std::move(advice), {}, {}});
  return checked;
}

}  // namespace

void read_project_table(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, TomlValue::Kind::table, "the definition", "write [project]", errors))
    return;
  TableReader reader(entry.value, entry.position, "[project]", errors);
  const TomlEntry* name = reader.require("name", "write name = \"flights\"");
  if (name &&
      expect_kind(*name, TomlValue::Kind::string, "[project]", "write it in quotes", errors)) {
    draft.project.name = name->value.text;
    if (!is_project_name(draft.project.name))
      errors.report(Code::bad_toml_value, name->value.position,
                    "bad name for a project: " + in_quotes(draft.project.name),
                    "use letters, digits, _ and -, at most 64");
  }
  if (const auto zone = reader.string("zone"))
    draft.project.zone = read_zone(*zone, entry.value.find("zone")->value.position, errors);
  reader.finish();
}

Checked check_text(const std::string& toml, const std::string& file) {
  Diagnostics errors;
  Draft draft;
  draft.project.file = file;
  draft.project.folder = std::filesystem::path(file).parent_path().string();
  if (draft.project.folder.empty()) draft.project.folder = ".";
  if (const auto document = parse_document(toml, file, errors))
    read_document(*document, draft, errors);
  Checked checked;
  checked.errors = errors.take();
  if (!checked.errors.empty()) return checked;
  seal(draft.project);
  checked.project = std::move(draft.project);
  return checked;
}

Checked check_file(const std::string& file) {
  std::error_code failure;
  const auto status = std::filesystem::status(file, failure);
  if (!std::filesystem::exists(status))
    return failed(Code::no_such_file, "no definition file: " + file, "`coeval init` writes one");
  if (!std::filesystem::is_regular_file(status))
    return failed(Code::io, "not a file: " + file, "name a coeval.toml");
  const auto bytes = std::filesystem::file_size(file, failure);
  if (!failure && bytes > kMaxDefinitionBytes)
    return failed(
        Code::too_deep,
        "the definition is larger than 4 MB: " + file + ", " + std::to_string(bytes) + " bytes",
        "a definition holds rules, not data; name data files by path");
  std::ifstream stream(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (!stream) return failed(Code::io, "cannot read " + file + ": " + std::strerror(errno), "");
  return check_text(text, file);
}

}  // namespace coeval::define
