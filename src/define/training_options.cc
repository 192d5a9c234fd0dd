#include "define/training_options.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "define/build.h"

namespace coeval::define {

namespace {

std::string number(double value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string line(std::string_view key, std::string_view value) {
  return "  " + std::string(key) + " " + std::string(value) + "\n";
}

std::string threshold_ir(const ThresholdRule& rule) {
  switch (rule.kind) {
    case ThresholdRule::Kind::fixed:
      return {};
    case ThresholdRule::Kind::least_cost:
      return line("threshold_rule",
                  "cost " + number(rule.false_positive) + " " + number(rule.false_negative));
    case ThresholdRule::Kind::precision:
      return line("threshold_rule", "precision " + number(rule.floor));
    case ThresholdRule::Kind::recall:
      return line("threshold_rule", "recall " + number(rule.floor));
  }
  return {};
}

std::string search_ir(const Search& search) {
  if (search.trials == 0) return {};
  std::string text = line("search", std::to_string(search.trials) + " trials of " + search.metric);
  text += line("search_budget", std::to_string(search.time_budget_us) + "us");
  if (search.max_latency_ns > 0)
    text += line("search_max_latency", std::to_string(search.max_latency_ns) + "ns");
  for (const auto& range : search.space)
    text +=
        line("search_range", range.param + " " + number(range.least) + " " + number(range.most));
  return text;
}

std::string weights_ir(const TrainingOptions& options) {
  std::string text;
  if (options.weight) text += line("weights", canonical(*options.weight));
  const ClassWeights& weights = options.class_weights;
  if (weights.given())
    text += line("class_weights", weights.balanced ? "balanced"
                                                   : "negative " + number(weights.negative) +
                                                         " positive " + number(weights.positive));
  auto monotone = options.monotone;
  std::ranges::sort(monotone, {}, &Monotone::input);
  for (const auto& each : monotone)
    text += line("monotone", each.input + (each.direction > 0 ? " increasing" : " decreasing"));
  return text;
}

}  // namespace

std::string_view name(Calibration calibration) {
  switch (calibration) {
    case Calibration::none:
      return "none";
    case Calibration::automatic:
      return "auto";
    case Calibration::platt:
      return "platt";
    case Calibration::isotonic:
      return "isotonic";
  }
  return "none";
}

std::string training_options_ir(const TrainingOptions& options) {
  std::string text = weights_ir(options);
  if (options.calibration != Calibration::none)
    text += line("calibration", name(options.calibration));
  text += threshold_ir(options.threshold_rule);
  std::vector<std::string> slices;
  for (const auto& slice : options.slices) slices.push_back(canonical(*slice.expr));
  std::ranges::sort(slices);
  for (const auto& slice : slices) text += line("slice", slice);
  const Resampling& resampling = options.resampling;
  if (resampling.unit == Resampling::Unit::row || resampling.unit == Resampling::Unit::day)
    text += line("resample", resampling.name);
  else if (resampling.expr)
    text += line("resample", "by " + canonical(*resampling.expr));
  if (options.rolling.folds > 0)
    text += line("rolling", std::to_string(options.rolling.folds) + " folds of " +
                                std::to_string(options.rolling.step_us) + "us");
  if (options.core_hour_price != TrainingOptions{}.core_hour_price)
    text += line("core_hour_price", number(options.core_hour_price));
  return text + search_ir(options.search);
}

}  // namespace coeval::define
