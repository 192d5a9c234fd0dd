#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "models/encoder.h"
#include "models/golden_file.h"
#include "models/runtime.h"
#include "stats/calibration.h"

namespace coeval::models {

/// A model as a directory:
///   model.ubj      the trainer's own file; bits id = sha256 of it. Named by what it contains:
///                  model.xgboost.json for XGBoost's JSON, model.lightgbm.txt for LightGBM's text,
///                  model.linear.json for our linear models, model.onnx
///   encoder.json   frozen dictionaries
///   model.json     name, ir_hash, recipe_id, bits_id, dataset_id, threshold, calibration, input
///   names and types,
///                  split, parameters, engine version, created; of a regression its kind, and no
///                  threshold; of a multiclass model its kind and classes, and no threshold
///   metrics.json   per split part
///   golden.bin     64 encoded rows and their margins and scores, checked at load (see
///                  golden_file.h)
///   sha256sums     of all these, in the format of `sha256sum --check`
/// The manifest id, sha256 of the file sha256sums, stands for every byte of the folder. It is kept
/// outside, by who registers the model: a folder can vouch for its damage, not for its forgery.
struct ModelCard {
  std::string name, ir_hash, ir, recipe_id, bits_id, dataset_id, engine;
  double threshold = 0.5;  ///< of a binary model
  data::Json details;      ///< the rest of model.json, kept as it is: an object or null
  std::optional<stats::CalibrationMap> calibration =
      {};  ///< of the score, before anything reads it
  /// Or "regression", whose scores are numbers and decide nothing, "ranking", whose scores order
  /// the rows of a query and decide nothing, or "multiclass".
  std::string kind = "binary";
  std::vector<std::string> classes = {};  ///< of a multiclass model, in the order of its scores
  std::vector<double> cost_matrix = {};   ///< likewise, as in define::Model

  bool decides() const { return kind == "binary"; }
  /// The place of the score that is answered: of a multiclass model the decided class.
  std::size_t decided(std::span<const float> scores) const;
  /// Margins of a row, and scores: one, or one of each class.
  std::size_t outputs() const { return classes.empty() ? 1 : classes.size(); }
  /// What a score decides: score ≥ threshold, compared as doubles; false where nothing is decided.
  bool decision(float score) const { return decides() && static_cast<double>(score) >= threshold; }
};

/// Writes all files, fsynced; the folder appears by rename, complete or not at all. The bits id is
/// computed here; a card that states another is refused, and so is a model without golden rows or
/// one that does not reproduce them: what load_model would refuse is never written. Errors:
/// bad_model, unsupported; io when `folder` already holds files; disk_full.
Status save_model(const std::string& folder, const ModelCard& card, const Encoder& encoder,
                  std::string_view model_bytes, const data::Json& metrics,
                  std::span<const GoldenRow> golden, const Openers& openers = {});

/// A loaded model, ready to serve. Immutable.
struct ServedModel {
  ModelCard card;
  Encoder encoder;
  Runtime runtime;
  data::Json metrics;
  std::string manifest_id;

  /// Runtime::predict, and then the calibration: rows × width() floats in; card.outputs() margins
  /// and scores, which are answered, out for each row.
  Status predict(std::span<const float> rows, std::span<float> margins,
                 std::span<float> scores) const;
};

/// Each score through the map, rounded once to float32; nothing happens without one.
void calibrate(const std::optional<stats::CalibrationMap>& calibration, std::span<float> scores);

/// What was written down about a folder when it was made. An empty text was not, and is not
/// compared.
struct RegisteredFolder {
  std::string manifest_id, bits_id, ir_hash;
};

/// Loads; checks every file's checksum, bits_id against the file, every golden row bit for bit, and
/// the folder against what was registered.
/// Errors: no_such_file (the folder, or naming a file of it); bad_model naming the file, or saying
/// that the folder is not the registered one; missing_component for an ONNX model without an
/// opener.
Result<std::shared_ptr<const ServedModel>> load_model(const std::string& folder,
                                                      const RegisteredFolder& registered = {},
                                                      const Openers& openers = {});

}  // namespace coeval::models
