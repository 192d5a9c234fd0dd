#include "training/param_space.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "exact/maths.h"

namespace coeval::training {
namespace {

constexpr std::array kXgboost = {
    std::pair{"eta", std::array{0.02, 0.3}},
    std::pair{"max_depth", std::array{3.0, 10.0}},
    std::pair{"min_child_weight", std::array{0.5, 50.0}},
    std::pair{"subsample", std::array{0.5, 1.0}},
    std::pair{"colsample_bytree", std::array{0.4, 1.0}},
    std::pair{"lambda", std::array{0.1, 30.0}},
};
constexpr std::array kLightgbm = {
    std::pair{"learning_rate", std::array{0.02, 0.3}},
    std::pair{"num_leaves", std::array{7.0, 255.0}},
    std::pair{"min_data_in_leaf", std::array{5.0, 200.0}},
    std::pair{"feature_fraction", std::array{0.4, 1.0}},
    std::pair{"lambda_l2", std::array{0.01, 30.0}},
};
constexpr std::array kLinearModel = {
    std::pair{"l1", std::array{0.01, 100.0}},
    std::pair{"l2", std::array{0.01, 1000.0}},
};
constexpr std::array<std::string_view, 6> kWhole = {"max_depth", "num_leaves",   "min_data_in_leaf",
                                                    "max_bin",   "bagging_freq", "max_iterations"};
/// Shares between 0 and 1 are looked for evenly.
constexpr std::array<std::string_view, 9> kLinear = {
    "subsample",        "colsample_bytree", "colsample_bylevel",
    "colsample_bynode", "max_depth",        "max_delta_step",
    "feature_fraction", "bagging_fraction", "feature_fraction_bynode"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::count(names, name) > 0;
}

SpaceDimension dimension(std::string param, double least, double most) {
  const bool linear = contains(kLinear, param) || least <= 0;
  const bool whole = contains(kWhole, param);
  return {std::move(param), least, most, whole, !linear};
}

template <class Defaults>
std::vector<SpaceDimension> space_of(const Defaults& defaults, const define::Search& search) {
  std::vector<SpaceDimension> space;
  for (const auto& [param, range] : defaults) {
    const auto own = std::ranges::find(search.space, param, &define::Search::Range::param);
    if (own == search.space.end()) space.push_back(dimension(param, range[0], range[1]));
  }
  for (const auto& range : search.space)
    space.push_back(dimension(range.param, range.least, range.most));
  std::ranges::sort(space, {}, &SpaceDimension::param);
  return space;
}

/// Six digits: no result depends on more, and a person reads them.
std::string number_text(double value) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::general, 6);
  return {buffer.data(), end.ptr};
}

/// SplitMix64 over a counter. Source: Steele, Lea & Flood 2014.
class Draws {
 public:
  Draws(std::uint64_t seed, int trial)
      : state_(mixed(seed ^ mixed(static_cast<std::uint64_t>(trial) + 1))) {}
  /// In [0, 1), 53 bits.
  double uniform() {
    state_ += 0x9E3779B97F4A7C15ULL;
    return static_cast<double>(mixed(state_) >> 11) * 0x1p-53;
  }
  /// Sum of twelve: near enough to normal for where to look.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum;
  }

 private:
  static std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
    return x ^ (x >> 31);
  }
  std::uint64_t state_;
};

constexpr std::size_t kCandidates = 24;

/// The density of some numbers in [0, 1], with one broad prior among them.
class Density {
 public:
  explicit Density(std::vector<double> centres) : centres_(std::move(centres)) {
    const auto count = static_cast<double>(centres_.size());
    width_ = std::max(0.05, 0.5 / std::max(count, 1.0));
  }
  double at(double x) const {
    double sum = 1;  // the prior: even over [0, 1]
    for (const double centre : centres_) {
      const double z = (x - centre) / width_;
      sum += exact::exp(-0.5 * z * z) / (width_ * 2.5066282746310002);
    }
    return sum / static_cast<double>(centres_.size() + 1);
  }
  double draw(Draws& draws) const {
    const auto pick =
        static_cast<std::size_t>(draws.uniform() * static_cast<double>(centres_.size() + 1));
    const double even = draws.uniform();
    const double around = draws.normal();
    if (pick >= centres_.size()) return even;
    return std::clamp(centres_[pick] + width_ * around, 0.0, 1.0);
  }

 private:
  std::vector<double> centres_;
  double width_ = 1;
};

}  // namespace

std::vector<SpaceDimension> search_space(const define::Model& model) {
  const define::Search& search = model.training.search;
  if (model.trainer == "lightgbm") return space_of(kLightgbm, search);
  if (model.trainer == "linear") return space_of(kLinearModel, search);
  return space_of(kXgboost, search);
}

std::vector<std::pair<std::string, std::string>> params_at(std::span<const SpaceDimension> space,
                                                           const SpacePoint& point) {
  std::vector<std::pair<std::string, std::string>> params;
  for (std::size_t i = 0; i < space.size(); ++i) {
    const SpaceDimension& each = space[i];
    double value = each.least + (each.most - each.least) * point[i];
    if (each.logarithmic) {
      const double from = exact::log(each.least);
      value = exact::exp(from + (exact::log(each.most) - from) * point[i]);
    }
    value = std::clamp(value, each.least, each.most);
    params.emplace_back(each.param,
                        each.whole ? std::to_string(std::llround(value)) : number_text(value));
  }
  return params;
}

SpacePoint next_point(std::size_t dimensions, std::uint64_t seed, int trial,
                      std::span<const TriedPoint> tried) {
  Draws draws(seed, trial);
  SpacePoint point(dimensions);
  if (tried.size() < static_cast<std::size_t>(kRandomTrials)) {
    for (double& place : point) place = draws.uniform();
    return point;
  }
  std::vector<TriedPoint> order(tried.begin(), tried.end());
  std::ranges::stable_sort(order, {},
                           [](const TriedPoint& each) { return std::pair(each.tier, each.loss); });
  const std::size_t good = std::max<std::size_t>(2, order.size() / 4);
  for (std::size_t i = 0; i < dimensions; ++i) {
    std::vector<double> best, rest;
    for (std::size_t k = 0; k < order.size(); ++k)
      (k < good ? best : rest).push_back(order[k].point[i]);
    const Density of_best(std::move(best)), of_rest(std::move(rest));
    double ratio = -1;
    for (std::size_t k = 0; k < kCandidates; ++k) {
      const double place = of_best.draw(draws);
      const double here = of_best.at(place) / of_rest.at(place);
      if (here <= ratio) continue;
      ratio = here;
      point[i] = place;
    }
  }
  return point;
}

}  // namespace coeval::training
