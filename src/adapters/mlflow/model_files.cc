#include "adapters/mlflow/model_files.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "adapters/mlflow/scoring_code.h"
#include "base/time.h"
#include "data/json.h"
#include "models/new_folder.h"

namespace coeval::adapters::mlflow {

namespace {

using data::Json;
using data::Type;

/// What the tests load with; see docs/exports.md.
constexpr const char* kPython = "3.11";

/// How MLflow's own flavour for a library's bare model is called, and what reads it.
struct VendorFlavour {
  const char* name;
  const char* model_class;
  const char* version_key;
};
constexpr VendorFlavour kXgboost = {"xgboost", "xgboost.core.Booster", "xgb_version"};
constexpr VendorFlavour kLightgbm = {"lightgbm", "lightgbm.basic.Booster", "lgb_version"};

/// Of each model file: what the Python of the export needs to score with it.
struct Flavour {
  const char* file;
  const char* requirement;      ///< null: nothing but numpy and pandas
  const VendorFlavour* vendor;  ///< null: none
};
constexpr std::array kFlavours = {
    Flavour{"model.ubj", "xgboost>=3.2,<4", &kXgboost},
    Flavour{"model.xgboost.json", "xgboost>=3.2,<4", &kXgboost},
    Flavour{"model.lightgbm.txt", "lightgbm>=4.6,<5", &kLightgbm},
    Flavour{"model.linear.json", nullptr, nullptr},
    // Its kernels decide the bits, which every load compares.
    Flavour{"model.onnx", "onnxruntime>=1.32,<1.33", nullptr},
};

// A scalar of YAML: in double quotes it is as JSON writes it.
std::string yaml_text(std::string_view text) {
  std::string out;
  data::append_json_string(out, text);
  return out;
}

Result<std::vector<ModelFile>> files_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.is_regular_file()) names.push_back(entry.path().filename().string());
  if (failed) return fail(Code::io, "cannot list '" + folder + "': " + failed.message());
  std::ranges::sort(names);
  std::vector<ModelFile> files;
  for (const std::string& name : names) {
    COEVAL_ASSIGN(std::string bytes, models::read_whole_file(folder + "/" + name));
    files.push_back({"data/" + name, std::move(bytes)});
  }
  return files;
}

Result<const Flavour*> flavour_of(const std::vector<ModelFile>& files) {
  for (const Flavour& flavour : kFlavours)
    for (const ModelFile& file : files)
      if (file.path == std::string("data/") + flavour.file) return &flavour;
  return fail(Code::unsupported,
              "the model is of a kind that the Python of the export cannot score with",
              "coeval serve answers with every model");
}

const char* type_name(const models::Encoder::Column& column) {
  if (column.type == Type::string) return "string";
  return column.type == Type::boolean ? "boolean" : "double";
}

Json column_json(const std::string& name, const char* type, bool required) {
  Json json{Json::Object{}};
  json.set("type", type);
  json.set("name", name);
  json.set("required", required);
  return json;
}

std::string inputs_json(const models::Encoder& encoder) {
  Json columns{Json::Array{}};
  for (const auto& column : encoder.columns())
    columns.push(column_json(column.name, type_name(column), false));
  return columns.dump();
}

std::string outputs_json(bool decides) {
  Json columns{Json::Array{}};
  columns.push(column_json("score", "double", true));
  if (decides) columns.push(column_json("decision", "boolean", true));
  return columns.dump();
}

// A word that training has not seen.
std::string unseen_word(const models::Encoder::Column& column) {
  std::string word = "(unseen)";
  while (std::ranges::binary_search(column.dictionary, word)) word += "_";
  return word;
}

// The input behind a cell of a row.
Json input_json(const models::Encoder::Column& column, float cell) {
  if (std::isnan(cell)) return {};
  if (column.type == Type::boolean) return cell != 0;
  if (column.type != Type::string) return static_cast<double>(cell);
  const auto code = static_cast<std::size_t>(cell);
  return code < column.dictionary.size() ? column.dictionary[code] : unseen_word(column);
}

// The golden rows as inputs. JSON has no infinity: rows with one are left out.
Result<std::string> example_json(const models::ServedModel& model,
                                 const std::vector<ModelFile>& files) {
  const auto file = std::ranges::find(files, "data/golden.bin", &ModelFile::path);
  if (file == files.end()) return fail(Code::bad_model, "the model folder has no golden.bin");
  COEVAL_ASSIGN(const auto golden, models::read_golden(file->bytes));
  const auto& columns = model.encoder.columns();
  Json names{Json::Array{}}, rows{Json::Array{}};
  for (const auto& column : columns) names.push(column.name);
  for (const auto& each : golden) {
    if (std::ranges::any_of(each.row, [](float cell) { return std::isinf(cell); })) continue;
    Json row{Json::Array{}};
    for (std::size_t i = 0; i < columns.size(); ++i) row.push(input_json(columns[i], each.row[i]));
    rows.push(std::move(row));
  }
  Json json{Json::Object{}};
  json.set("columns", std::move(names));
  json.set("data", std::move(rows));
  return json.dump() + "\n";
}

// "2026-11-28 13:45:00.000000", as MLflow writes a time.
std::string time_text(std::int64_t us) {
  std::string text = format_time(us - us % kSecondUs);
  std::ranges::replace(text, 'T', ' ');
  while (!text.empty() && text.back() == 'Z') text.pop_back();
  return text.substr(0, 19) + ".000000";
}

std::string engine_version(const std::string& engine) {
  const auto space = engine.rfind(' ');
  return space == std::string::npos ? engine : engine.substr(space + 1);
}

std::string metadata_yaml(const ModelSubject& subject) {
  const models::ModelCard& card = subject.model.card;
  const std::pair<const char*, std::string> rows[] = {
      {"coeval.version", subject.version},
      {"coeval.engine", card.engine},
      {"coeval.recipe_id", card.recipe_id},
      {"coeval.bits_id", card.bits_id},
      {"coeval.dataset_id", card.dataset_id},
      {"coeval.ir_hash", card.ir_hash},
      {"coeval.manifest_id", subject.model.manifest_id}};
  std::string text = "metadata:\n";
  for (const auto& [name, value] : rows)
    text += "  " + std::string(name) + ": " + yaml_text(value) + "\n";
  return text;
}

std::string mlmodel(const ModelSubject& subject, const Flavour& flavour) {
  const models::ServedModel& model = subject.model;
  const std::string file = std::string("data/") + flavour.file;
  std::string text = "artifact_path: model\nflavors:\n  python_function:\n";
  text += "    code: code\n    data: data\n";
  text += "    env:\n      conda: conda.yaml\n      virtualenv: python_env.yaml\n";
  text += "    loader_module: " + scoring_module() + "\n";
  if (const VendorFlavour* vendor = flavour.vendor) {
    text += "  " + std::string(vendor->name) + ":\n    code: code\n    data: " + file + "\n";
    text += "    model_class: " + std::string(vendor->model_class) + "\n";
    text += "    " + std::string(vendor->version_key) + ": " +
            yaml_text(engine_version(model.card.engine)) + "\n";
  }
  text += metadata_yaml(subject);
  // The uuid of equal models is equal: it is of what they are.
  text += "model_uuid: " + yaml_text(model.manifest_id.substr(0, 32)) + "\n";
  text += "saved_input_example_info:\n  artifact_path: input_example.json\n";
  text += "  pandas_orient: split\n  type: dataframe\n";
  text += "signature:\n  inputs: " + yaml_text(inputs_json(model.encoder)) + "\n";
  text += "  outputs: " + yaml_text(outputs_json(model.card.decides())) + "\n  params: null\n";
  return text + "utc_time_created: " + yaml_text(time_text(subject.created_us)) + "\n";
}

std::string requirements(const Flavour& flavour) {
  std::string lines = "mlflow>=2.10\nnumpy>=1.24\npandas>=2.0\n";
  if (flavour.requirement != nullptr) lines += std::string(flavour.requirement) + "\n";
  return lines;
}

std::string conda_yaml(const Flavour& flavour) {
  std::string text = "name: coeval-model\nchannels:\n- conda-forge\ndependencies:\n";
  text += std::string("- python=") + kPython + "\n- pip\n- pip:\n";
  const std::string lines = requirements(flavour);
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = lines.find('\n', at);
    text += "  - " + yaml_text(lines.substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return text;
}

std::string python_env() {
  return std::string("python: ") + yaml_text(kPython) +
         "\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n";
}

}  // namespace

Result<std::vector<ModelFile>> mlflow_model(const ModelSubject& subject) {
  COEVAL_ASSIGN(std::vector<ModelFile> files, files_of(subject.folder));
  COEVAL_ASSIGN(const Flavour* flavour, flavour_of(files));
  COEVAL_ASSIGN(std::string example, example_json(subject.model, files));
  files.push_back({"MLmodel", mlmodel(subject, *flavour)});
  files.push_back({"code/" + scoring_module() + ".py", std::string(scoring_code())});
  files.push_back({"conda.yaml", conda_yaml(*flavour)});
  files.push_back({"input_example.json", std::move(example)});
  files.push_back({"python_env.yaml", python_env()});
  files.push_back({"requirements.txt", requirements(*flavour)});
  return files;
}

}  // namespace coeval::adapters::mlflow
