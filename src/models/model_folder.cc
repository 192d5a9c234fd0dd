#include "models/model_folder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <tuple>
#include <utility>
#include <vector>

#include "data/hash.h"
#include "models/new_folder.h"
#include "stats/multiclass.h"

namespace coeval::models {
namespace {

using data::Json;

/// The trainer's file is named by what it contains; the first of these when there is none.
constexpr ModelFormat kModelFormats[] = {ModelFormat::xgboost_ubj, ModelFormat::xgboost_json,
                                         ModelFormat::lightgbm, ModelFormat::linear,
                                         ModelFormat::onnx};
constexpr const char* kEncoderFile = "encoder.json";
constexpr const char* kCardFile = "model.json";
constexpr const char* kMetricsFile = "metrics.json";
constexpr const char* kGoldenFile = "golden.bin";
constexpr const char* kSumsFile = "sha256sums";
/// In the order in which they are written and checked; the first is named by its contents.
using FileNames = std::array<const char*, 5>;
FileNames files_with(const char* model_file) {
  return {model_file, kEncoderFile, kCardFile, kMetricsFile, kGoldenFile};
}

const char* model_file_of(std::string_view bytes) { return file_name(format_of(bytes)); }

constexpr const char* kRestoreAdvice =
    "restore the folder from a copy, build the model again, or roll back to another version";

using TextField = std::pair<const char*, std::string ModelCard::*>;
constexpr TextField kTextFields[] = {
    {"name", &ModelCard::name},       {"ir_hash", &ModelCard::ir_hash},
    {"ir", &ModelCard::ir},           {"recipe_id", &ModelCard::recipe_id},
    {"bits_id", &ModelCard::bits_id}, {"dataset_id", &ModelCard::dataset_id},
    {"engine", &ModelCard::engine},
};

Error bad_file(const std::string& name, const std::string& what) {
  return {Code::bad_model, name + ": " + what, kRestoreAdvice, {}, {}};
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

bool is_own_key(std::string_view key) {
  for (const auto& [own, field] : kTextFields) {
    if (key == own) return true;
  }
  return key == "threshold" || key == "calibration" || key == "kind" || key == "classes" ||
         key == "cost_matrix";
}

Json card_to_json(const ModelCard& card) {
  Json json;
  for (const auto& [key, field] : kTextFields) json.set(key, card.*field);
  if (card.decides())
    json.set("threshold", card.threshold);
  else
    json.set("kind", card.kind);
  if (!card.classes.empty())
    json.set("classes", Json::Array(card.classes.begin(), card.classes.end()));
  if (!card.cost_matrix.empty())
    json.set("cost_matrix", Json::Array(card.cost_matrix.begin(), card.cost_matrix.end()));
  if (card.calibration) json.set("calibration", stats::to_json(*card.calibration));
  if (card.details.object() != nullptr) {
    for (const auto& [key, value] : *card.details.object()) {
      if (!is_own_key(key)) json.set(key, value);
    }
  }
  return json;
}

Result<double> threshold_from(const Json& json) {
  const Json* member = json.find("threshold");
  if (member != nullptr && member->real() != nullptr) return *member->real();
  if (member != nullptr && member->integer() != nullptr) {
    return static_cast<double>(*member->integer());
  }
  return std::unexpected(bad_file(kCardFile, "'threshold' is not a number"));
}

// A card without a kind is of a binary model, as all were before there were others.
Result<std::string> kind_from(const Json& json) {
  const Json* member = json.find("kind");
  if (member == nullptr) return std::string("binary");
  if (member->string() != nullptr &&
      (*member->string() == "regression" || *member->string() == "multiclass" ||
       *member->string() == "ranking"))
    return *member->string();
  return std::unexpected(bad_file(kCardFile, "'kind' is none that this version knows"));
}

Result<std::vector<std::string>> classes_from(const Json& json) {
  const Json* member = json.find("classes");
  std::vector<std::string> classes;
  if (member != nullptr && member->array() != nullptr)
    for (const Json& each : *member->array())
      if (each.string() != nullptr) classes.push_back(*each.string());
  if (classes.size() >= 2 && classes.size() == member->array()->size()) return classes;
  return std::unexpected(bad_file(kCardFile, "'classes' are not two texts or more"));
}

// A row for each label, one after the other; none where there are no costs.
Result<std::vector<double>> cost_matrix_from(const Json& json, std::size_t classes) {
  const Json* member = json.find("cost_matrix");
  std::vector<double> costs;
  if (member == nullptr) return costs;
  if (member->array() != nullptr)
    for (const Json& each : *member->array())
      if (each.real() != nullptr)
        costs.push_back(*each.real());
      else if (each.integer() != nullptr)
        costs.push_back(static_cast<double>(*each.integer()));
  const bool whole = costs.size() == classes * classes && costs.size() == member->array()->size();
  if (whole && std::ranges::all_of(costs, [](double cost) { return cost >= 0; })) return costs;
  return std::unexpected(bad_file(kCardFile, "'cost_matrix' is not a number for each two classes"));
}

Result<ModelCard> card_from_json(const Json& json) {
  if (json.object() == nullptr) return std::unexpected(bad_file(kCardFile, "is not an object"));
  ModelCard card;
  for (const auto& [key, field] : kTextFields) {
    const Json* member = json.find(key);
    if (member == nullptr || member->string() == nullptr) {
      return std::unexpected(bad_file(kCardFile, "'" + std::string(key) + "' is not a string"));
    }
    card.*field = *member->string();
  }
  COEVAL_ASSIGN(card.kind, kind_from(json));
  if (card.decides()) {
    COEVAL_ASSIGN(card.threshold, threshold_from(json));
  }
  if (card.kind == "multiclass") {
    COEVAL_ASSIGN(card.classes, classes_from(json));
    COEVAL_ASSIGN(card.cost_matrix, cost_matrix_from(json, card.classes.size()));
  }
  if (const Json* calibration = json.find("calibration")) {
    auto map = stats::calibration_from_json(*calibration);
    if (!map) return std::unexpected(bad_file(kCardFile, map.error().message));
    card.calibration = std::move(*map);
  }
  for (const auto& [key, value] : *json.object()) {
    if (!is_own_key(key)) card.details.set(key, value);
  }
  return card;
}

Result<Json> parse_file(const char* name, const std::string& bytes) {
  auto json = data::parse_json(bytes, {.max_bytes = std::size_t{1} << 30, .max_depth = 64});
  if (!json) return std::unexpected(bad_file(name, json.error().message));
  return std::move(*json);
}

Status check_golden(const ServedModel& served, std::span<const GoldenRow> golden) {
  if (golden.empty()) return std::unexpected(bad_file(kGoldenFile, "has no rows"));
  const std::size_t outputs = served.card.outputs();
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const std::string row = "row " + std::to_string(i);
    if (golden[i].row.size() != served.runtime.width()) {
      return std::unexpected(bad_file(kGoldenFile, row + " has another width than the model file"));
    }
    std::vector<float> margins(outputs), scores(outputs);
    if (golden[i].scores.size() != outputs) {
      return std::unexpected(
          bad_file(kGoldenFile, row + " has another number of scores than the model file"));
    }
    COEVAL_TRY(served.predict(golden[i].row, margins, scores));
    for (std::size_t k = 0; k < outputs; ++k) {
      if (same_bits(margins[k], golden[i].margins[k]) && same_bits(scores[k], golden[i].scores[k]))
        continue;
      return std::unexpected(bad_file(kGoldenFile, row + " scores " + std::to_string(scores[k]) +
                                                       " instead of " +
                                                       std::to_string(golden[i].scores[k])));
    }
  }
  return {};
}

Status check_width(const Encoder& encoder, const Runtime& runtime, const char* model_file) {
  if (encoder.width() == runtime.width()) return {};
  return std::unexpected(bad_file(kEncoderFile, "has " + std::to_string(encoder.width()) +
                                                    " columns, " + model_file + " has " +
                                                    std::to_string(runtime.width())));
}

Result<Runtime> read_runtime(std::string_view bytes, std::size_t outputs, const Openers& openers) {
  auto runtime = Runtime::read(bytes, openers);
  if (!runtime) {
    Error error = std::move(runtime).error();
    error.message = std::string(model_file_of(bytes)) + ": " + error.message;
    return std::unexpected(std::move(error));
  }
  if (runtime->outputs() != outputs || runtime->scores() != outputs) {
    return fail(Code::unsupported,
                std::string(model_file_of(bytes)) + ": a model with " +
                    std::to_string(runtime->outputs()) + " outputs cannot be served here, " +
                    std::to_string(outputs) + " are needed",
                "a model of kind = \"multiclass\" has one for each class, all others have one");
  }
  return std::move(*runtime);
}

using Contents = std::array<std::string, std::tuple_size_v<FileNames>>;

struct Folder {
  Contents contents;
  std::string manifest_id;
};

std::string checksums(const Contents& contents) {
  const FileNames files = files_with(model_file_of(contents[0]));
  std::string sums;
  for (std::size_t i = 0; i < files.size(); ++i) {
    sums += data::sha256_hex(contents[i]) + "  " + files[i] + "\n";
  }
  return sums;
}

Status check_sums(const Contents& contents, const std::string& stated) {
  const std::string computed = checksums(contents);
  if (computed == stated) return {};
  // One line a file, so the first line that differs names the file.
  std::size_t at = 0;
  for (const char* file : files_with(model_file_of(contents[0]))) {
    const std::size_t end = computed.find('\n', at) + 1;
    const std::string_view line = std::string_view(computed).substr(at, end - at);
    if (stated.size() != computed.size()) break;
    if (stated.compare(at, end - at, line) != 0) {
      return std::unexpected(bad_file(file, std::string("fails its checksum in ") + kSumsFile));
    }
    at = end;
  }
  return std::unexpected(bad_file(kSumsFile, "is damaged"));
}

/// The first of the names that is there; the usual one when none is.
const char* model_file_in(const std::string& path) {
  std::error_code ignored;
  for (const ModelFormat format : kModelFormats) {
    if (std::filesystem::exists(path + "/" + file_name(format), ignored)) return file_name(format);
  }
  return file_name(kModelFormats[0]);
}

Result<Folder> read_folder(const std::string& path) {
  Folder folder;
  const FileNames files = files_with(model_file_in(path));
  for (std::size_t i = 0; i < files.size(); ++i) {
    COEVAL_ASSIGN(folder.contents[i], read_whole_file(path + "/" + files[i]));
  }
  COEVAL_ASSIGN(const std::string sums, read_whole_file(path + "/" + kSumsFile));
  COEVAL_TRY(check_sums(folder.contents, sums));
  folder.manifest_id = data::sha256_hex(sums);
  return folder;
}

Result<std::shared_ptr<ServedModel>> assemble(const Contents& contents, const Openers& openers) {
  const auto& [model, encoder_text, card_text, metrics_text, golden_bytes] = contents;
  auto served = std::make_shared<ServedModel>();
  COEVAL_ASSIGN(const Json card, parse_file(kCardFile, card_text));
  COEVAL_ASSIGN(served->card, card_from_json(card));
  if (data::sha256_hex(model) != served->card.bits_id) {
    return std::unexpected(bad_file(model_file_of(model), std::string("is not the one of ") +
                                                              kCardFile + ", whose bits_id is " +
                                                              served->card.bits_id));
  }
  COEVAL_ASSIGN(served->runtime, read_runtime(model, served->card.outputs(), openers));
  COEVAL_ASSIGN(const Json encoder_json, parse_file(kEncoderFile, encoder_text));
  auto encoder = Encoder::from_json(encoder_json);
  if (!encoder) return std::unexpected(bad_file(kEncoderFile, encoder.error().message));
  served->encoder = std::move(*encoder);
  COEVAL_TRY(check_width(served->encoder, served->runtime, model_file_of(model)));
  COEVAL_ASSIGN(served->metrics, parse_file(kMetricsFile, metrics_text));
  auto golden = read_golden(golden_bytes);
  if (!golden) return std::unexpected(bad_file(kGoldenFile, golden.error().message));
  COEVAL_TRY(check_golden(*served, *golden));
  return served;
}

Status check_registered(const ServedModel& served, const RegisteredFolder& registered) {
  const struct {
    const char* what;
    const std::string &registered, &found;
  } ids[] = {{"bits id", registered.bits_id, served.card.bits_id},
             {"IR hash", registered.ir_hash, served.card.ir_hash},
             {"manifest id", registered.manifest_id, served.manifest_id}};
  for (const auto& id : ids) {
    if (id.registered.empty() || id.registered == id.found) continue;
    return fail(Code::bad_model,
                std::string("the folder is not the one that was registered: its files were changed"
                            " since, ") +
                    id.what + " " + id.found + " instead of " + id.registered,
                kRestoreAdvice);
  }
  return {};
}

Status write_folder(const std::string& folder, const Contents& contents) {
  COEVAL_ASSIGN(NewFolder target, NewFolder::create(folder));
  const FileNames files = files_with(model_file_of(contents[0]));
  for (std::size_t i = 0; i < files.size(); ++i) COEVAL_TRY(target.write(files[i], contents[i]));
  COEVAL_TRY(target.write(kSumsFile, checksums(contents)));
  return std::move(target).publish();
}

}  // namespace

std::size_t ModelCard::decided(std::span<const float> scores) const {
  return classes.empty() ? 0 : stats::decided_class(scores, cost_matrix);
}

void calibrate(const std::optional<stats::CalibrationMap>& calibration, std::span<float> scores) {
  if (!calibration) return;
  for (float& score : scores)
    score = static_cast<float>(calibration->apply(static_cast<double>(score)));
}

Status ServedModel::predict(std::span<const float> rows, std::span<float> margins,
                            std::span<float> scores) const {
  COEVAL_TRY(runtime.predict(rows, margins, scores));
  calibrate(card.calibration, scores);
  return {};
}

Status save_model(const std::string& folder, const ModelCard& card, const Encoder& encoder,
                  std::string_view model_bytes, const data::Json& metrics,
                  std::span<const GoldenRow> golden, const Openers& openers) {
  ModelCard complete = card;
  if (complete.bits_id.empty()) complete.bits_id = data::sha256_hex(model_bytes);
  for (const GoldenRow& row : golden) {
    if (row.row.size() != encoder.width()) {
      return std::unexpected(bad_file(kGoldenFile, "a row has another width than the encoder"));
    }
    if (row.margins.size() != complete.outputs() || row.scores.size() != complete.outputs())
      return std::unexpected(bad_file(kGoldenFile, "a row has too few or too many scores"));
  }
  const Contents contents = {std::string(model_bytes), encoder.to_json().dump_pretty() + "\n",
                             card_to_json(complete).dump_pretty() + "\n",
                             metrics.dump_pretty() + "\n",
                             write_golden(encoder.width(), complete.outputs(), golden)};
  auto loadable = assemble(contents, openers);
  if (!loadable) {
    return std::unexpected(std::move(loadable).error().within("while saving '" + folder + "'"));
  }
  return write_folder(folder, contents);
}

Result<std::shared_ptr<const ServedModel>> load_model(const std::string& folder,
                                                      const RegisteredFolder& registered,
                                                      const Openers& openers) {
  const auto within = [&](Error error) {
    return std::unexpected(std::move(error).within("while loading the model in '" + folder + "'"));
  };
  auto read = read_folder(folder);
  if (!read) return within(std::move(read).error());
  auto served = assemble(read->contents, openers);
  if (!served) return within(std::move(served).error());
  (*served)->manifest_id = std::move(read->manifest_id);
  if (auto same = check_registered(**served, registered); !same)
    return within(std::move(same).error());
  return served;
}

}  // namespace coeval::models
