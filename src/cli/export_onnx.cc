#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "adapters/onnxruntime/onnx_session.h"
#include "cli/commands.h"
#include "cli/exports.h"
#include "data/hash.h"
#include "models/boundary_rows.h"
#include "models/golden_file.h"
#include "models/lightgbm_model.h"
#include "models/onnx_export.h"
#include "models/xgboost_model.h"
#include "stores/files.h"
#include "training/registered_model.h"

namespace coeval::cli {

namespace {

using Texts = std::map<std::string, std::string>;

constexpr std::size_t kBoundaryRows = 4096;

// What differs between the model as it is served and the exported file as ONNX Runtime runs it.
struct Comparison {
  std::size_t rows = 0, margins_differ = 0, scores_differ = 0;
  double largest_margin = 0, largest_score = 0;  // of the differences
  std::string runtime;                           // "onnxruntime 1.32.0"

  data::Json json() const {
    data::Json json{data::Json::Object{}};
    json.set("runtime", runtime);
    json.set("rows", rows);
    json.set("margins_differ", margins_differ);
    json.set("scores_differ", scores_differ);
    json.set("largest_margin_difference", largest_margin);
    json.set("largest_score_difference", largest_score);
    return json;
  }
  std::string text() const {
    return std::to_string(rows) + " rows in " + runtime + ": " + std::to_string(margins_differ) +
           " margins and " + std::to_string(scores_differ) + " scores differ in bits, at most by " +
           data::Json(largest_margin).dump() + " and " + data::Json(largest_score).dump();
  }
};

// A version, its file, and what its export is made of.
struct Exported {
  stores::ModelVersion version;
  replay::AuditedModel found;
  std::string model;        // the trainer's file
  std::vector<float> rows;  // to compare on: golden ones, then those at the model's boundaries

  Result<std::string> onnx(const Texts& texts) const {
    const auto& calibration = found.served->card.calibration;
    if (const auto* linear = found.served->runtime.linear())
      return models::linear_to_onnx(*linear, calibration, texts);
    COEVAL_ASSIGN(const auto forest, source());
    return models::forest_to_onnx(forest, calibration, texts);
  }
  Result<models::SourceForest> source() const {
    return models::is_lightgbm(model) ? models::read_lightgbm(model) : models::read_xgboost(model);
  }
};

Status add_rows(const std::string& folder, Exported& exported) {
  COEVAL_ASSIGN(const std::string stored, stores::read_file(folder + "/golden.bin"));
  COEVAL_ASSIGN(const auto golden, models::read_golden(stored));
  for (const auto& row : golden)
    exported.rows.insert(exported.rows.end(), row.row.begin(), row.row.end());
  std::vector<float> boundary;
  if (const auto* linear = exported.found.served->runtime.linear()) {
    boundary = models::boundary_rows(*linear, kBoundaryRows);
  } else {
    COEVAL_ASSIGN(const auto forest, exported.source());
    boundary = models::boundary_rows(forest, kBoundaryRows);
  }
  exported.rows.insert(exported.rows.end(), boundary.begin(), boundary.end());
  return {};
}

Result<Exported> open_version(Context& context, const std::string& name) {
  COEVAL_ASSIGN(const auto meta, context.open_meta_for_reading());
  Exported exported;
  COEVAL_ASSIGN(exported.version, context.pick_version(*meta, name));
  const auto& version = exported.version;
  COEVAL_ASSIGN(exported.found, context.find_version(*meta, version.model, version.version));
  const std::string folder = context.state_folder + "/" + version.folder;
  const auto& runtime = exported.found.served->runtime;
  if (runtime.outputs() != 1)
    return fail(Code::unsupported,
                version.model + "@v" + std::to_string(version.version) +
                    " has several classes, whose export to ONNX is not in this version",
                "the trainer's own file is in " + folder);
  if (runtime.forest() == nullptr && runtime.linear() == nullptr)
    return fail(
        Code::unsupported,
        version.model + "@v" + std::to_string(version.version) + " is an ONNX model already",
        "its file is " + folder + "/model.onnx, without its calibration");
  COEVAL_ASSIGN(exported.model, training::model_bytes(folder, version.bits_id));
  COEVAL_TRY(add_rows(folder, exported));
  return exported;
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

double distance(float a, float b) {
  return std::abs(static_cast<double>(a) - static_cast<double>(b));
}

Result<Comparison> compare(const Context& context, const Exported& exported,
                           const std::string& onnx) {
  Comparison found;
  COEVAL_ASSIGN(const std::string version,
                adapters::onnxruntime_version(context.installation.onnxruntime_folder));
  found.runtime = "onnxruntime " + version;
  COEVAL_ASSIGN(const auto session, context.openers.onnx(onnx));
  const auto& served = *exported.found.served;
  found.rows = exported.rows.size() / served.runtime.width();
  std::vector<float> margins(found.rows), scores(found.rows), their_margins(found.rows),
      their_scores(found.rows);
  COEVAL_TRY(served.predict(exported.rows, margins, scores));
  COEVAL_TRY(session->predict(exported.rows, their_margins, their_scores));
  for (std::size_t i = 0; i < found.rows; ++i) {
    found.margins_differ += same_bits(margins[i], their_margins[i]) ? 0 : 1;
    found.scores_differ += same_bits(scores[i], their_scores[i]) ? 0 : 1;
    found.largest_margin = std::max(found.largest_margin, distance(margins[i], their_margins[i]));
    found.largest_score = std::max(found.largest_score, distance(scores[i], their_scores[i]));
  }
  return found;
}

Texts texts_of(const Exported& exported) {
  const auto& card = exported.found.served->card;
  const auto decides = card.decides()
                           ? std::pair("coeval.threshold", data::Json(card.threshold).dump())
                           : std::pair("coeval.kind", card.kind);
  return {{"coeval.model", exported.version.model},
          {"coeval.version", std::to_string(exported.version.version)},
          {"coeval.bits_id", card.bits_id},
          {"coeval.recipe_id", card.recipe_id},
          {decides.first, decides.second},
          {"coeval.inputs", exported.found.served->encoder.to_json().dump()}};
}

Result<data::Json> write_onnx(Context& context, const std::string& name, const std::string& path) {
  COEVAL_ASSIGN(const Exported exported, open_version(context, name));
  Texts texts = texts_of(exported);
  COEVAL_ASSIGN(std::string onnx, exported.onnx(texts));
  data::Json told{data::Json::Object{}};
  told.set("model", exported.version.model).set("version", exported.version.version);
  if (!context.in.no_check) {
    COEVAL_ASSIGN(const Comparison compared, compare(context, exported, onnx));
    context.terminal.say(compared.text());
    texts["coeval.compared"] = compared.json().dump();
    COEVAL_ASSIGN(onnx, exported.onnx(texts));
    told.set("compared", compared.json());
  }
  COEVAL_TRY(stores::write_file_atomically(path, onnx));
  told.set("file", path).set("sha256", data::sha256_hex(onnx));
  return told;
}

}  // namespace

int export_onnx(Context& context) {
  if (context.in.words.size() != 2) return context.report(export_usage("onnx"));
  const auto told = write_onnx(context, context.in.words[0], context.in.words[1]);
  if (!told) return context.report(told.error());
  if (context.terminal.json())
    context.terminal.print_json(*told);
  else
    context.terminal.print(*told->find("model")->string() + "@v" +
                           std::to_string(*told->find("version")->integer()) + " is in " +
                           context.in.words[1]);
  return 0;
}

}  // namespace coeval::cli
