#include "training/given_model.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "data/hash.h"
#include "models/linear_model.h"
#include "models/runtime.h"
#include "models/ubj.h"
#include "models/xgboost_json.h"
#include "models/xgboost_model.h"
#include "stores/files.h"

namespace coeval::training {
namespace {

using models::ModelFormat;
using Names = std::vector<std::string>;

constexpr std::uintmax_t kMaxBytes = std::uintmax_t{1} << 30;

Result<Names> xgboost_names(std::string_view bytes) {
  COEVAL_ASSIGN(const models::Ubj document, models::is_xgboost_json(bytes)
                                                ? models::read_xgboost_json(bytes)
                                                : models::read_ubj(bytes));
  const models::Ubj* learner = document.find("learner");
  const models::Ubj* names = learner == nullptr ? nullptr : learner->find("feature_names");
  Names all;
  if (names == nullptr || names->kind() != models::Ubj::Kind::array) return all;
  for (const models::Ubj& name : names->elements()) all.emplace_back(name.string());
  return all;
}

// Column_0, Column_1, … is what LightGBM calls columns that were not named.
Names lightgbm_names(std::string_view text) {
  constexpr std::string_view kKey = "\nfeature_names=";
  Names all;
  const std::size_t at = text.substr(0, text.find("\nTree=")).find(kKey);
  if (at == std::string_view::npos) return all;
  text.remove_prefix(at + kKey.size());
  text = text.substr(0, text.find_first_of("\r\n"));
  bool made_up = true;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(name.size() + 1, text.size()));
    made_up = made_up && name == "Column_" + std::to_string(all.size());
    all.emplace_back(name);
  }
  return made_up ? Names() : all;
}

Result<Names> linear_names(std::string_view bytes) {
  COEVAL_ASSIGN(const auto model, models::LinearModel::read(bytes));
  Names all;
  for (const auto& term : model.parts().terms) all.push_back(term.name);
  return all;
}

Result<Names> names_in(std::string_view bytes) {
  switch (models::format_of(bytes)) {
    case ModelFormat::xgboost_ubj:
    case ModelFormat::xgboost_json:
      return xgboost_names(bytes);
    case ModelFormat::lightgbm:
      return lightgbm_names(bytes);
    case ModelFormat::linear:
      return linear_names(bytes);
    case ModelFormat::onnx:
      break;
  }
  return Names();
}

}  // namespace

Result<GivenModel> read_given_model(const std::string& path) {
  std::error_code failure;
  const auto size = std::filesystem::file_size(path, failure);
  if (!failure && size > kMaxBytes)
    return fail(Code::bad_model, "'" + path + "' has over 1 GiB, which no model here has",
                "name the file of the model");
  GivenModel given;
  COEVAL_ASSIGN(given.bytes, stores::read_file(path));
  if (given.bytes.empty())
    return fail(Code::bad_model, "'" + path + "' is empty", "take it from its source again");
  given.name = std::filesystem::path(path).filename().string();
  given.sha256 = data::sha256_hex(given.bytes);
  return given;
}

Status check_input_names(const GivenModel& given, const models::Encoder& encoder) {
  const Result<Names> names = names_in(given.bytes);
  if (!names)
    return fail(names.error().code, "'" + given.name + "' cannot be used: " + names.error().message,
                names.error().advice);
  for (std::size_t i = 0; i < std::min(names->size(), encoder.width()); ++i) {
    if ((*names)[i] == encoder.columns()[i].name) continue;
    return fail(
        Code::type_mismatch,
        "input " + std::to_string(i + 1) + " is '" + (*names)[i] + "' in the file, but '" +
            encoder.columns()[i].name + "' in the definition",
        "write the definition's inputs in the order in which the model was trained on them");
  }
  return {};
}

std::string vendor_of(std::string_view bytes) {
  switch (models::format_of(bytes)) {
    case ModelFormat::xgboost_ubj:
    case ModelFormat::xgboost_json:
      return "xgboost";
    case ModelFormat::lightgbm:
      return "lightgbm";
    case ModelFormat::linear:
      return "linear";
    case ModelFormat::onnx:
      break;
  }
  return {};
}

}  // namespace coeval::training
