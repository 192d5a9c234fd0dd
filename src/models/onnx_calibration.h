#pragma once

#include <optional>
#include <string>

#include "models/onnx_graph.h"
#include "stats/calibration.h"

namespace coeval::models {

/// Adds 1 / (1 + e^x) of a value in float64; returns its name.
std::string add_sigmoid(OnnxGraph& graph, const std::string& x);

/// Makes the output "score" of a raw score in float32: the steps of CalibrationMap::apply in
/// float64, rounded once, or the raw score itself where there is no map. Isotonic calibration
/// compares each score with every knot.
void add_score(OnnxGraph& graph, const std::optional<stats::CalibrationMap>& calibration,
               const std::string& raw_score);

}  // namespace coeval::models
