#include "stats/linear_fit.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/check.h"
#include "exact/maths.h"
#include "stats/symmetric_matrix.h"

namespace coeval::stats {
namespace {

constexpr std::size_t kMostLanes = 8, kRowsOfLane = 4096;
constexpr std::size_t kLaneBytes = std::size_t{64} << 20;  ///< of all lanes' matrices together
constexpr double kDamping = 1e-12, kMostDamping = 1e-3;
constexpr double kSlope = 1e-4;  ///< of the promised fall that a step must reach
constexpr int kHalvings = 40;
constexpr int kRounds = 20, kSweeps = 1000;

/// The loss at some coefficients, with its derivatives. Place 0 is the intercept's.
struct Moments {
  explicit Moments(std::size_t size) : gradient(size), hessian(size) {}
  double loss = 0;
  std::vector<double> gradient;
  SymmetricMatrix hessian;

  void clear() {
    loss = 0;
    gradient.assign(gradient.size(), 0.0);
    hessian.clear();
  }
  void add(const Moments& other) {
    loss += other.loss;
    for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += other.gradient[i];
    hessian.add(other.hessian);
  }
};

/// A row's loss at a margin, with its first and second derivative.
struct RowLoss {
  double loss, slope, curvature;
};

RowLoss loss_at(LinearLoss loss, double margin, double label) {
  if (loss == LinearLoss::squared) {
    const double off = margin - label;
    return {0.5 * off * off, off, 1};
  }
  const double e = exact::exp(-std::abs(margin));  // no overflow on either side
  const double p = margin >= 0 ? 1 / (1 + e) : e / (1 + e);
  return {exact::log1p(e) + std::max(margin, 0.0) - label * margin, p - label,
          e / ((1 + e) * (1 + e))};
}

/// Room for one row of the design: numbers behind a 1 for the intercept, places of other ones.
struct RowRoom {
  explicit RowRoom(const LinearDesign& design)
      : dense(design.numbers() + 1, 1.0), ones(design.columns().size()) {}
  std::vector<double> dense;
  std::vector<std::uint32_t> ones;
};

class Fitting {
 public:
  Fitting(const LinearDesign& design, const LinearRows& rows, const LinearOptions& options,
          WorkerPool& pool)
      : design_(design),
        rows_(rows),
        options_(options),
        pool_(pool),
        size_(design.size() + 1),
        now_(size_),
        next_(size_),
        at_(size_),
        is_plain_(options.l1 == 0 &&
                  std::ranges::count(options.directions, 0) == std::ssize(options.directions)) {
    const std::size_t room = kLaneBytes / (size_ * size_ * sizeof(double));
    const std::size_t lanes =
        std::min({kMostLanes, room, std::max<std::size_t>(1, rows.rows() / kRowsOfLane)});
    lanes_.assign(std::max<std::size_t>(1, lanes), Moments(size_));
  }

  Result<LinearSolution> run() {
    COEVAL_TRY(start());
    evaluate(at_, now_);
    LinearSolution solution;
    double value = objective(at_, now_);
    while (true) {
      solution.gap = gap();
      solution.converged = solution.gap <= options_.tolerance;
      if (solution.converged || solution.iterations == options_.max_iterations) break;
      ++solution.iterations;
      std::vector<double> to;
      COEVAL_ASSIGN(to, is_plain_ ? newton_step() : proximal_step());
      if (!walk(to, value)) break;  // as low as float64 can tell
    }
    solution.objective = value;
    solution.intercept = at_[0];
    solution.coefficients.assign(at_.begin() + 1, at_.end());
    return solution;
  }

 private:
  Status start() {
    double sum = 0;
    for (std::size_t row = 0; row < rows_.rows(); ++row)
      sum += rows_.weight(row) * rows_.labels[row];
    const double mean = sum / design_.weight();
    if (options_.loss == LinearLoss::squared) {
      double squares = 0;
      for (std::size_t row = 0; row < rows_.rows(); ++row) {
        const double off = rows_.labels[row] - mean;
        squares += rows_.weight(row) * off * off;
      }
      const double spread = std::sqrt(squares / design_.weight());
      label_scale_ = spread > 0 ? spread : 1;
      at_[0] = mean;
      return {};
    }
    for (const double label : rows_.labels)
      if (label != 0 && label != 1)
        return fail(Code::training_failed,
                    "a logistic regression's labels are 0 and 1, not " + std::to_string(label));
    if (!(mean > 0) || !(mean < 1))
      return fail(Code::no_rows, "the training rows with weight have one class only",
                  "move the split, so that it trains on both");
    at_[0] = exact::log(mean / (1 - mean));
    return {};
  }

  double l2_of(std::size_t place) const { return place == 0 ? 0 : options_.l2; }
  int direction_of(std::size_t place) const {
    return place == 0 || options_.directions.empty() ? 0 : options_.directions[place - 1];
  }

  void evaluate(const std::vector<double>& at, Moments& out) {
    pool_.run(lanes_.size(), [&](std::size_t lane) {
      const std::size_t all = rows_.rows(), lanes = lanes_.size();
      lanes_[lane].clear();
      add_rows(at, all * lane / lanes, all * (lane + 1) / lanes, lanes_[lane]);
    });
    out.clear();
    for (const Moments& lane : lanes_) out.add(lane);
  }

  void add_rows(const std::vector<double>& at, std::size_t from, std::size_t to,
                Moments& moments) const {
    RowRoom room(design_);
    for (std::size_t row = from; row < to; ++row) {
      const double weight = rows_.weight(row);
      if (weight == 0) continue;
      const std::size_t ones = design_.write(rows_.values.subspan(row * rows_.width, rows_.width),
                                             std::span(room.dense).subspan(1), room.ones);
      double margin = 0;
      for (std::size_t i = 0; i < room.dense.size(); ++i) margin += at[i] * room.dense[i];
      for (std::size_t i = 0; i < ones; ++i) margin += at[room.ones[i] + 1];
      const RowLoss of = loss_at(options_.loss, margin, rows_.labels[row]);
      moments.loss += weight * of.loss;
      add_row(room, ones, weight * of.slope, weight * of.curvature, moments);
    }
  }

  static void add_row(const RowRoom& room, std::size_t ones, double slope, double curvature,
                      Moments& moments) {
    const std::size_t dense = room.dense.size();
    for (std::size_t i = 0; i < dense; ++i) {
      moments.gradient[i] += slope * room.dense[i];
      const double scaled = curvature * room.dense[i];
      double* cells = moments.hessian.row(i);
      for (std::size_t k = 0; k <= i; ++k) cells[k] += scaled * room.dense[k];
    }
    for (std::size_t i = 0; i < ones; ++i) {
      const std::size_t place = room.ones[i] + 1;
      moments.gradient[place] += slope;
      double* cells = moments.hessian.row(place);
      for (std::size_t k = 0; k < dense; ++k) cells[k] += curvature * room.dense[k];
      for (std::size_t k = 0; k <= i; ++k) cells[room.ones[k] + 1] += curvature;
    }
  }

  double penalty(const std::vector<double>& at) const {
    double sizes = 0, squares = 0;
    for (std::size_t i = 1; i < size_; ++i) {
      sizes += std::abs(at[i]);
      squares += at[i] * at[i];
    }
    return options_.l1 * sizes + options_.l2 / 2 * squares;
  }
  double objective(const std::vector<double>& at, const Moments& moments) const {
    return moments.loss + penalty(at);
  }

  // How far 0 is from the subgradient, where the loss falls by `slope`.
  double violation(std::size_t place, double value, double slope) const {
    const double s = slope + l2_of(place) * value;
    if (place == 0) return std::abs(s);
    if (value > 0) return std::abs(s + options_.l1);
    if (value < 0) return std::abs(s - options_.l1);
    const int direction = direction_of(place);
    const double up = direction < 0 ? 0 : -(s + options_.l1);
    const double down = direction > 0 ? 0 : s - options_.l1;
    return std::max({up, down, 0.0});
  }

  double gap() const {
    double most = 0;
    for (std::size_t i = 0; i < size_; ++i)
      most = std::max(most, violation(i, at_[i], now_.gradient[i]));
    return most / (design_.weight() * label_scale_);
  }

  double damping_unit() const {
    double most = 0;
    for (std::size_t i = 0; i < size_; ++i) most = std::max(most, now_.hessian.at(i, i));
    return most > 0 ? most : 1;
  }

  // Solves the Hessian of some places, with l2 and a little of its diagonal, for `right`.
  bool solve(const std::vector<std::size_t>& places, std::vector<double>& right) const {
    const double unit = damping_unit();
    const std::vector<double> given = right;
    for (double damping = kDamping; damping <= kMostDamping; damping *= 1000) {
      SymmetricMatrix matrix(places.size());
      for (std::size_t i = 0; i < places.size(); ++i) {
        for (std::size_t k = 0; k <= i; ++k)
          matrix.at(i, k) = now_.hessian.at(places[i], places[k]);
        matrix.at(i, i) += l2_of(places[i]) + damping * unit;
      }
      right = given;
      if (solve_positive(matrix, right) &&
          std::ranges::all_of(right, [](double each) { return std::isfinite(each); }))
        return true;
    }
    return false;
  }

  Result<std::vector<double>> newton_step() const {
    std::vector<std::size_t> places(size_);
    std::vector<double> step(size_);
    for (std::size_t i = 0; i < size_; ++i) {
      places[i] = i;
      step[i] = -(now_.gradient[i] + l2_of(i) * at_[i]);
    }
    if (!solve(places, step))
      return fail(Code::training_failed, "the regression's equations cannot be solved",
                  "give it a larger l2, or leave out inputs that are near to infinite");
    for (std::size_t i = 0; i < size_; ++i) step[i] += at_[i];
    return step;
  }

  Result<std::vector<double>> proximal_step() {
    now_.hessian.mirror();
    damping_ = kDamping * damping_unit();
    std::vector<double> to = at_, slopes = now_.gradient;
    double enough = 0.1 * gap() * design_.weight() * label_scale_;
    for (int round = 0; round < kRounds; ++round) {
      descend(to, slopes, enough);
      if (polish(to, slopes)) break;
      enough *= 0.1;
    }
    return to;
  }

  // Coordinate descent on the quadratic model, whose slopes at `to` are kept.
  void descend(std::vector<double>& to, std::vector<double>& slopes, double enough) const {
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      double worst = 0;
      for (std::size_t i = 0; i < size_; ++i) {
        const double off = violation(i, to[i], slopes[i]);
        worst = std::max(worst, off);
        if (off == 0) continue;
        const double moved = best_at(i, to[i], slopes[i]) - to[i];
        to[i] += moved;
        const double* cells = now_.hessian.row(i);
        for (std::size_t k = 0; k < size_; ++k) slopes[k] += moved * cells[k];
      }
      if (worst <= enough) return;
    }
  }

  double best_at(std::size_t place, double value, double slope) const {
    const double curvature = now_.hessian.at(place, place) + damping_;
    const double pull = curvature * value - slope;
    if (place == 0) return pull / curvature;
    const double shrunk = std::max(std::abs(pull) - options_.l1, 0.0);
    const double best = std::copysign(shrunk / (curvature + options_.l2), pull);
    const int direction = direction_of(place);
    if (direction > 0) return std::max(best, 0.0);
    return direction < 0 ? std::min(best, 0.0) : best;
  }

  // The exact minimum of the quadratic model, if `to` has found which coefficients are 0 and the
  // others' signs: then true.
  bool polish(std::vector<double>& to, std::vector<double>& slopes) const {
    std::vector<std::size_t> places = {0};
    for (std::size_t i = 1; i < size_; ++i)
      if (to[i] != 0) places.push_back(i);
    std::vector<double> exact(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::size_t place = places[i];
      const double* cells = now_.hessian.row(place);
      double pull = -now_.gradient[place];
      for (std::size_t k = 0; k < size_; ++k) pull += cells[k] * at_[k];
      const double l1 = place == 0 ? 0 : std::copysign(options_.l1, to[place]);
      exact[i] = pull - l1;
    }
    if (!solve(places, exact)) return false;
    for (std::size_t i = 1; i < places.size(); ++i)
      if (!(exact[i] * to[places[i]] > 0)) return false;
    for (std::size_t i = 0; i < places.size(); ++i) to[places[i]] = exact[i];
    slopes = now_.gradient;
    for (std::size_t i = 0; i < size_; ++i) {
      const double moved = to[i] - at_[i];
      if (moved == 0) continue;
      const double* cells = now_.hessian.row(i);
      for (std::size_t k = 0; k < size_; ++k) slopes[k] += moved * cells[k];
    }
    const double enough = options_.tolerance * design_.weight() * label_scale_;
    for (std::size_t i = 1; i < size_; ++i)
      if (to[i] == 0 && violation(i, 0, slopes[i]) > enough) return false;
    return true;
  }

  // Goes towards `to` as far as the objective falls as it should. False when it does not at all.
  bool walk(const std::vector<double>& to, double& value) {
    double slope = penalty(to) - penalty(at_);
    for (std::size_t i = 0; i < size_; ++i) slope += now_.gradient[i] * (to[i] - at_[i]);
    double share = 1;
    for (int halving = 0; halving < kHalvings; ++halving, share /= 2) {
      std::vector<double> place(size_);
      for (std::size_t i = 0; i < size_; ++i)
        place[i] = share == 1 ? to[i] : at_[i] + share * (to[i] - at_[i]);
      evaluate(place, next_);
      const double reached = objective(place, next_);
      const double slack = 1e-12 * (1 + std::abs(value));
      if (!(reached <= value + kSlope * share * std::min(slope, 0.0) + slack)) continue;
      const bool moved = place != at_;
      at_ = std::move(place);
      std::swap(now_, next_);
      value = reached;
      return moved;
    }
    return false;
  }

  const LinearDesign& design_;
  const LinearRows& rows_;
  const LinearOptions& options_;
  WorkerPool& pool_;
  const std::size_t size_;
  Moments now_, next_;
  std::vector<double> at_;
  const bool is_plain_;
  std::vector<Moments> lanes_;
  double label_scale_ = 1, damping_ = 0;
};

}  // namespace

Result<LinearSolution> fit_linear(const LinearDesign& design, const LinearRows& rows,
                                  const LinearOptions& options, WorkerPool& pool) {
  COEVAL_CHECK(rows.values.size() == rows.rows() * rows.width);
  COEVAL_CHECK(rows.weights.empty() || rows.weights.size() == rows.rows());
  COEVAL_CHECK(options.directions.empty() || options.directions.size() == design.size());
  return Fitting(design, rows, options, pool).run();
}

}  // namespace coeval::stats
