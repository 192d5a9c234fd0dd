#include "stats/calibration.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "exact/exact_sum.h"
#include "exact/maths.h"
#include "exact/ratio.h"
#include "stats/score_groups.h"

namespace coeval::stats {
namespace {

constexpr int kMostSteps = 100, kMostHalvings = 40;
constexpr double kLeastStep = 1e-12;
constexpr std::size_t kMostKnots = 1'000'000;

double interpolated(const CalibrationMap& map, double score) {
  if (score <= map.scores.front()) return map.values.front();
  if (score >= map.scores.back()) return map.values.back();
  const auto above =
      static_cast<std::size_t>(std::ranges::upper_bound(map.scores, score) - map.scores.begin());
  const double x = map.scores[above - 1], y = map.values[above - 1];
  const double rise = (map.values[above] - y) / (map.scores[above] - x);
  return std::min(y + (score - x) * rise, map.values[above]);
}

// The groups with weight; an error where there is nothing to fit.
Result<std::vector<ScoreGroup>> groups_to_fit(const BinaryRows& rows) {
  const bool finite = is_measurable(rows) &&
                      std::ranges::all_of(rows.scores, [](float s) { return std::isfinite(s); });
  if (!finite)
    return fail(Code::no_rows,
                "the scores cannot be calibrated: a score is not finite, or a weight is not a "
                "finite number of at least 0",
                "look for rows that the model gives no score, and at the weight column");
  std::vector<ScoreGroup> groups = score_groups(rows);
  std::erase_if(groups, [](const ScoreGroup& g) { return !(g.positives + g.negatives > 0); });
  const bool positives = std::ranges::any_of(groups, [](const auto& g) { return g.positives > 0; });
  const bool negatives = std::ranges::any_of(groups, [](const auto& g) { return g.negatives > 0; });
  if (!positives || !negatives)
    return fail(Code::no_rows,
                groups.empty() ? "there are no rows with weight to calibrate on"
                               : "the rows to calibrate on have one class only",
                "choose dates of the calibration slice with labels of both kinds");
  if (groups.size() < 2)
    return fail(Code::no_rows, "all rows to calibrate on have the same score",
                "a model with one score has nothing to calibrate; look at its features");
  return groups;
}

// Rows of one scaled score: weights by class.
struct Point {
  double x, positives, negatives;
};

// Cross-entropy's sum at slope·x + intercept, with its derivatives.
struct Slopes {
  double loss = 0;
  double by_slope = 0, by_intercept = 0;
  double slope_slope = 0, slope_intercept = 0, intercept_intercept = 0;
};

struct Sigmoid {
  double slope = 0, intercept = 0;
};

class PlattLoss {
 public:
  explicit PlattLoss(std::span<const Point> points) : points_(points) {
    exact::ExactSum positives, negatives;
    for (const Point& point : points) {
      positives.add(point.positives);
      negatives.add(point.negatives);
    }
    const double p = positives.round(), n = negatives.round();
    positive_target_ = (p + 1) / (p + 2);
    negative_target_ = 1 / (n + 2);
    start_ = {0, exact::log((n + 1) / (p + 1))};
  }

  const Sigmoid& start() const { return start_; }

  Slopes at(const Sigmoid& s) const {
    exact::ExactSum sums[6];
    for (const Point& point : points_) {
      const double minus = s.slope * point.x + s.intercept;  // −raw
      const double e = exact::exp(-std::abs(minus));
      const double p = minus >= 0 ? e / (1 + e) : 1 / (1 + e);
      const double weight = point.positives + point.negatives;
      const double target = point.positives * positive_target_ + point.negatives * negative_target_;
      // softplus(raw) − target·raw
      sums[0].add(weight * (std::max(-minus, 0.0) + exact::log1p(e)));
      sums[0].add(target * minus);
      const double slope = target - weight * p, bend = weight * (e / ((1 + e) * (1 + e)));
      sums[1].add(slope * point.x);
      sums[2].add(slope);
      sums[3].add(bend * point.x * point.x);
      sums[4].add(bend * point.x);
      sums[5].add(bend);
    }
    return {sums[0].round(), sums[1].round(), sums[2].round(),
            sums[3].round(), sums[4].round(), sums[5].round()};
  }

 private:
  std::span<const Point> points_;
  double positive_target_ = 0, negative_target_ = 0;
  Sigmoid start_;
};

// Newton's step; where the curvature has vanished, along the gradient.
Sigmoid newton_step(const Slopes& at) {
  const double determinant =
      at.slope_slope * at.intercept_intercept - at.slope_intercept * at.slope_intercept;
  if (!(determinant > 0)) return {-at.by_slope, -at.by_intercept};
  return {
      -(at.intercept_intercept * at.by_slope - at.slope_intercept * at.by_intercept) / determinant,
      -(at.slope_slope * at.by_intercept - at.slope_intercept * at.by_slope) / determinant};
}

std::optional<Sigmoid> least_loss(const PlattLoss& loss) {
  Sigmoid here = loss.start();
  Slopes at = loss.at(here);
  for (int step = 0; step < kMostSteps; ++step) {
    const Sigmoid move = newton_step(at);
    double size = 1;
    Sigmoid next;
    for (int halving = 0; halving < kMostHalvings; ++halving, size /= 2) {
      next = {here.slope + size * move.slope, here.intercept + size * move.intercept};
      const Slopes there = loss.at(next);
      // Near the end the losses differ by less than their rounding.
      if (there.loss > at.loss + 1e-13 * std::abs(at.loss)) continue;
      at = there;
      break;
    }
    const double moved = size * std::max(std::abs(move.slope), std::abs(move.intercept));
    const double whole = 1 + std::max(std::abs(next.slope), std::abs(next.intercept));
    here = next;
    if (moved <= kLeastStep * whole) return here;
  }
  return std::nullopt;
}

struct Pool {
  std::size_t first = 0, end = 0;  ///< of the groups
  double positives = 0, weight = 0;
};

// Pools of groups, ascending in their shares of positives.
std::vector<Pool> pools_of(std::span<const ScoreGroup> groups) {
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    Pool pool{i, i + 1, groups[i].positives, groups[i].positives + groups[i].negatives};
    while (!pools.empty() &&
           pools.back().positives * pool.weight >= pool.positives * pools.back().weight) {
      pool.first = pools.back().first;
      pool.positives += pools.back().positives;
      pool.weight += pools.back().weight;
      pools.pop_back();
    }
    pools.push_back(pool);
  }
  return pools;
}

double share_of(std::span<const ScoreGroup> groups) {
  exact::ExactSum positives, weight;
  for (const ScoreGroup& group : groups) {
    positives.add(group.positives);
    weight.add(group.positives);
    weight.add(group.negatives);
  }
  return exact::ratio(positives, weight).value_or(0);
}

// n rows without an event do not say that there are none: (0 + ½)/(n + 1). Never so small that a
// float32 would round its complement to 1.
double least_probability(const BinaryRows& rows) {
  const auto count = rows.weights.empty()
                         ? std::ssize(rows.scores)
                         : std::ranges::count_if(rows.weights, [](double w) { return w > 0; });
  return std::max(1 / (2 * static_cast<double>(count) + 2), 0x1p-24);
}

std::unexpected<Error> bad_map(std::string what) {
  return fail(Code::bad_model, "the calibration of a model " + std::move(what),
              "build the model again");
}

Result<double> finite_member(const data::Json& json, const char* name) {
  const data::Json* member = json.find(name);
  const double* real = member == nullptr ? nullptr : member->real();
  if (real == nullptr || !std::isfinite(*real))
    return bad_map(std::string("has no finite number '") + name + "'");
  return *real;
}

Result<std::vector<double>> finite_members(const data::Json& json, const char* name) {
  const data::Json* member = json.find(name);
  const data::Json::Array* array = member == nullptr ? nullptr : member->array();
  if (array == nullptr || array->empty() || array->size() > kMostKnots)
    return bad_map(std::string("has no list '") + name + "' of 1 to 1,000,000 numbers");
  std::vector<double> numbers;
  for (const data::Json& element : *array) {
    const double* real = element.real();
    if (real == nullptr || !std::isfinite(*real))
      return bad_map(std::string("has something else than finite numbers in '") + name + "'");
    numbers.push_back(*real);
  }
  return numbers;
}

}  // namespace

double CalibrationMap::apply(double score) const {
  if (std::isnan(score)) return score;
  if (kind == Kind::isotonic) return interpolated(*this, score);
  return 1 / (1 + exact::exp(slope * score + intercept));
}

Result<CalibrationMap> fit_platt(const BinaryRows& rows) {
  COEVAL_ASSIGN(const std::vector<ScoreGroup> groups, groups_to_fit(rows));
  const auto lowest = static_cast<double>(groups.front().score),
             highest = static_cast<double>(groups.back().score);
  const double middle = lowest / 2 + highest / 2, half = highest / 2 - lowest / 2;
  std::vector<Point> points;
  for (const ScoreGroup& group : groups)
    points.push_back(
        {(static_cast<double>(group.score) - middle) / half, group.positives, group.negatives});
  const auto found = least_loss(PlattLoss(points));
  if (!found)
    return fail(Code::training_failed,
                "Platt's calibration has not converged after 100 Newton steps",
                "calibrate on more rows, or use isotonic calibration");
  CalibrationMap map;
  map.slope = found->slope / half;
  map.intercept = found->intercept - found->slope * (middle / half);
  return map;
}

Result<CalibrationMap> fit_isotonic(const BinaryRows& rows) {
  COEVAL_ASSIGN(const std::vector<ScoreGroup> groups, groups_to_fit(rows));
  CalibrationMap map;
  map.kind = CalibrationMap::Kind::isotonic;
  const double least = least_probability(rows);
  const auto add = [&](float score, double value) {
    map.scores.push_back(static_cast<double>(score));
    map.values.push_back(std::clamp(value, least, 1 - least));
  };
  for (const Pool& pool : pools_of(groups)) {
    double value = share_of(std::span(groups).subspan(pool.first, pool.end - pool.first));
    if (!map.values.empty()) value = std::max(value, map.values.back());
    add(groups[pool.first].score, value);
    if (pool.end - pool.first > 1) add(groups[pool.end - 1].score, value);
  }
  return map;
}

Result<CalibrationMap> fit_calibration(const BinaryRows& rows) {
  std::int64_t count = std::ssize(rows.scores);
  if (!rows.weights.empty())
    count = std::ranges::count_if(rows.weights, [](double weight) { return weight > 0; });
  return count < kIsotonicRows ? fit_platt(rows) : fit_isotonic(rows);
}

data::Json to_json(const CalibrationMap& map) {
  data::Json json;
  if (map.kind == CalibrationMap::Kind::platt) {
    json.set("kind", "platt");
    json.set("slope", map.slope);
    json.set("intercept", map.intercept);
    return json;
  }
  json.set("kind", "isotonic");
  json.set("scores", data::Json::Array(map.scores.begin(), map.scores.end()));
  json.set("values", data::Json::Array(map.values.begin(), map.values.end()));
  return json;
}

Result<CalibrationMap> calibration_from_json(const data::Json& json) {
  const data::Json* kind = json.find("kind");
  const std::string* name = kind == nullptr ? nullptr : kind->string();
  CalibrationMap map;
  if (name != nullptr && *name == "platt") {
    COEVAL_ASSIGN(map.slope, finite_member(json, "slope"));
    COEVAL_ASSIGN(map.intercept, finite_member(json, "intercept"));
    return map;
  }
  if (name == nullptr || *name != "isotonic")
    return bad_map("is of no kind that this version knows: platt or isotonic");
  map.kind = CalibrationMap::Kind::isotonic;
  COEVAL_ASSIGN(map.scores, finite_members(json, "scores"));
  COEVAL_ASSIGN(map.values, finite_members(json, "values"));
  if (map.scores.size() != map.values.size())
    return bad_map("has " + std::to_string(map.scores.size()) + " scores and " +
                   std::to_string(map.values.size()) + " values");
  if (std::ranges::adjacent_find(map.scores, std::greater_equal{}) != map.scores.end())
    return bad_map("has scores that do not ascend");
  if (!std::ranges::is_sorted(map.values) || map.values.front() < 0 || map.values.back() > 1)
    return bad_map("has values that descend or lie outside [0, 1]");
  return map;
}

}  // namespace coeval::stats
