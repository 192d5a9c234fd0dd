#include "models/onnx_calibration.h"

#include <cstdint>
#include <vector>

namespace coeval::models {
namespace {

constexpr std::int64_t kToFloat32 = 1, kToInt64 = 7, kToFloat64 = 11;

std::string add_platt(OnnxGraph& graph, const stats::CalibrationMap& map,
                      const std::string& score) {
  const std::string scaled = graph.add("Mul", {score, graph.constant(map.slope)});
  return add_sigmoid(graph, graph.add("Add", {scaled, graph.constant(map.intercept)}));
}

std::string table(OnnxGraph& graph, const std::vector<double>& values, const std::string& places) {
  const auto size = static_cast<std::int64_t>(values.size());
  return graph.add("Gather", {graph.constant<double>(values, {size}), places});
}

std::string between_knots(OnnxGraph& graph, const stats::CalibrationMap& map,
                          const std::string& score, std::int64_t knots) {
  std::vector<double> rises;
  for (std::size_t i = 0; i + 1 < map.scores.size(); ++i)
    rises.push_back((map.values[i + 1] - map.values[i]) / (map.scores[i + 1] - map.scores[i]));
  const std::string all = graph.constant<double>(map.scores, {1, knots});
  const std::string not_above = graph.cast(graph.add("LessOrEqual", {all, score}), kToInt64);
  const std::string one = graph.constant<std::int64_t>(1);
  const std::int64_t axis = 1;
  const std::string count =
      graph.add("ReduceSum", {not_above, graph.constant<std::int64_t>({&axis, 1}, {1})});
  const std::string above =
      graph.add("Clip", {count, one, graph.constant<std::int64_t>(knots - 1)});
  const std::string below = graph.add("Sub", {above, one});
  const std::string run = graph.add("Sub", {score, table(graph, map.scores, below)});
  const std::string rise = graph.add("Mul", {run, table(graph, rises, below)});
  return graph.add("Min", {graph.add("Add", {table(graph, map.values, below), rise}),
                           table(graph, map.values, above)});
}

// The knot up to a score is found by counting those that are not above it.
std::string add_isotonic(OnnxGraph& graph, const stats::CalibrationMap& map,
                         const std::string& score) {
  const auto knots = static_cast<std::int64_t>(map.scores.size());
  const std::string first = graph.constant(map.values.front());
  std::string value = first;
  if (knots > 1) value = between_knots(graph, map, score, knots);
  const std::string low = graph.add("LessOrEqual", {score, graph.constant(map.scores.front())});
  const std::string high = graph.add("GreaterOrEqual", {score, graph.constant(map.scores.back())});
  value = graph.add("Where", {high, graph.constant(map.values.back()), value});
  value = graph.add("Where", {low, first, value});
  return graph.add("Where", {graph.add("IsNaN", {score}), score, value});
}

}  // namespace

std::string add_sigmoid(OnnxGraph& graph, const std::string& x) {
  const std::string one = graph.constant(1.0);
  return graph.add("Div", {one, graph.add("Add", {one, graph.add("Exp", {x})})});
}

void add_score(OnnxGraph& graph, const std::optional<stats::CalibrationMap>& calibration,
               const std::string& raw_score) {
  if (!calibration) {
    graph.add_as("score", "Identity", {raw_score});
    return;
  }
  const std::string wide = graph.cast(raw_score, kToFloat64);
  const bool platt = calibration->kind == stats::CalibrationMap::Kind::platt;
  const std::string calibrated =
      platt ? add_platt(graph, *calibration, wide) : add_isotonic(graph, *calibration, wide);
  graph.add_as("score", "Cast", {calibrated}, {{"to", OnnxGraph::integer(kToFloat32)}});
}

}  // namespace coeval::models
