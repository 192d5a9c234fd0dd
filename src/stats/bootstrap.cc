#include "stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "base/check.h"
#include "exact/exact_sum.h"
#include "exact/ratio.h"
#include "stats/bootstrap_draws.h"
#include "stats/distances.h"

namespace coeval::stats {

namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostRows = std::size_t{1} << 27;
constexpr int kMostReplicates = 1'000'000;

// numpy.quantile's default (type 7 of Hyndman & Fan 1996).
double quantile(const std::vector<double>& ascending, double q) {
  const double place = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  const double part = place - static_cast<double>(below);
  return ascending[below] + part * (ascending[above] - ascending[below]);
}

double improvement_of(double challenger, double champion, Better better) {
  return better == Better::higher ? challenger - champion : champion - challenger;
}

}  // namespace

Status check_options(const BootstrapOptions& options, std::size_t rows) {
  if (options.replicates < 1 || options.replicates > kMostReplicates)
    return fail(Code::bad_toml_value,
                "a bootstrap of " + std::to_string(options.replicates) + " replicates",
                "state a number from 1 to 1,000,000; 2,000 is the default");
  if (!(options.level > 0 && options.level < 1))
    return fail(Code::bad_toml_value,
                "the level of an interval is not between 0 and 1: " + std::to_string(options.level),
                "state a share such as 0.95");
  if (rows >= kMostRows)
    return fail(
        Code::unsupported,
        "a bootstrap of " + std::to_string(rows) + " rows, of which 134,217,727 are allowed",
        "compare on a later part of the split, or on a sample of units");
  return {};
}

UnitIndex index_units(Units units, std::size_t rows) {
  COEVAL_CHECK(units.empty() || units.size() == rows);
  UnitIndex index;
  index.of_row.resize(rows);
  if (units.empty()) {
    index.ids.resize(rows);
    std::iota(index.ids.begin(), index.ids.end(), std::int64_t{0});
    std::iota(index.of_row.begin(), index.of_row.end(), 0u);
    return index;
  }
  index.ids.assign(units.begin(), units.end());
  std::ranges::sort(index.ids);
  index.ids.erase(std::ranges::unique(index.ids).begin(), index.ids.end());
  for (std::size_t row = 0; row < rows; ++row)
    index.of_row[row] = static_cast<std::uint32_t>(std::ranges::lower_bound(index.ids, units[row]) -
                                                   index.ids.begin());
  return index;
}

void for_each_block(const BootstrapOptions& options, WorkerPool* pool,
                    const std::function<void(std::size_t)>& run) {
  const std::size_t blocks = (static_cast<std::size_t>(options.replicates) + kLanes - 1) / kLanes;
  if (pool != nullptr) return pool->run(blocks, run);
  for (std::size_t block = 0; block < blocks; ++block) run(block);
}

std::vector<double> defined_replicates(double value, const std::vector<double>& replicates) {
  std::vector<double> defined;
  for (const double replicate : replicates)
    if (!std::isnan(replicate)) defined.push_back(replicate);
  const std::size_t all = replicates.size();
  if (std::isnan(value) || (all - defined.size()) * 10 > all) return {};
  std::ranges::sort(defined);
  return defined;
}

Interval interval_of(const std::vector<double>& ascending, double level) {
  if (ascending.empty()) return {kUndefined, kUndefined};
  return {quantile(ascending, (1 - level) / 2), quantile(ascending, (1 + level) / 2)};
}

void summarise(Improvement& improvement, double level) {
  const auto defined = defined_replicates(improvement.value, improvement.replicates);
  improvement.interval = interval_of(defined, level);
  improvement.p_value = kUndefined;
  if (defined.empty()) return;
  const auto zero = std::ranges::equal_range(defined, 0.0);
  const auto not_above = zero.end() - defined.begin(), not_below = defined.end() - zero.begin();
  improvement.p_value = std::min(1.0, 2 * static_cast<double>(1 + std::min(not_above, not_below)) /
                                          static_cast<double>(1 + defined.size()));
}

double normal_p_value(const Improvement& improvement) {
  const auto defined = defined_replicates(improvement.value, improvement.replicates);
  if (defined.size() < 2) return kUndefined;
  if (improvement.value == 0) return 1;
  exact::ExactSum sum, squares;
  for (const double replicate : defined) sum.add(replicate);
  const double mean = sum.mean(std::ssize(defined));
  for (const double replicate : defined) squares.add((replicate - mean) * (replicate - mean));
  const double variance = squares.mean(std::ssize(defined) - 1);
  if (!(variance > 0)) return 0;
  return chi_square_tail(improvement.value * improvement.value / variance, 1);
}

namespace {

// The four sums of a pair of ratios.
using Sums = std::array<double, 4>;

double ratio_of(double numerator, double denominator, RatioForm form) {
  if (!(denominator > 0)) return kUndefined;
  const double ratio = numerator / denominator;
  return form == RatioForm::root ? std::sqrt(ratio) : ratio;
}

Sums terms_of(const RatioRows& challenger, const RatioRows& champion, std::size_t row) {
  const auto denominator = [row](const RatioRows& of) {
    return of.denominators.empty() ? 1.0 : of.denominators[row];
  };
  return {challenger.numerators[row], denominator(challenger), champion.numerators[row],
          denominator(champion)};
}

double whole_ratio(const RatioRows& rows, RatioForm form) {
  exact::ExactSum numerator, denominator;
  for (const double term : rows.numerators) numerator.add(term);
  for (std::size_t i = 0; i < rows.numerators.size(); ++i)
    denominator.add(rows.denominators.empty() ? 1 : rows.denominators[i]);
  if (!(denominator.round() > 0)) return kUndefined;
  const double ratio = exact::ratio(numerator, denominator).value_or(kUndefined);
  return form == RatioForm::root ? std::sqrt(ratio) : ratio;
}

// Σ weight·sum over the units, lane by lane.
void add_block(const std::vector<Sums>& sums, const UnitIndex& index, std::uint64_t seed,
               std::size_t block, std::array<std::array<double, kLanes>, 4>& totals) {
  alignas(64) std::uint8_t weights[kLanes];
  alignas(64) double as_double[kLanes];
  for (std::size_t unit = 0; unit < sums.size(); ++unit) {
    draw_weights(seed, index.ids[unit], block, weights);
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      as_double[lane] = static_cast<double>(static_cast<std::int32_t>(weights[lane]));
    for (std::size_t part = 0; part < 4; ++part) {
      const double term = sums[unit][part];
      double* total = totals[part].data();
      for (std::size_t lane = 0; lane < kLanes; ++lane) total[lane] += as_double[lane] * term;
    }
  }
}

// Replicates of a block, those that are asked for.
std::size_t lanes_of(const Improvement& improvement, std::size_t block) {
  return std::min(kLanes, improvement.replicates.size() - block * kLanes);
}

}  // namespace

Result<Improvement> compare_ratios(const RatioRows& challenger, const RatioRows& champion,
                                   Better better, RatioForm form, Units units,
                                   const BootstrapOptions& options, WorkerPool* pool) {
  const std::size_t rows = challenger.numerators.size();
  COEVAL_CHECK(champion.numerators.size() == rows);
  COEVAL_CHECK(challenger.denominators.empty() || challenger.denominators.size() == rows);
  COEVAL_CHECK(champion.denominators.empty() || champion.denominators.size() == rows);
  COEVAL_TRY(check_options(options, rows));
  const UnitIndex index = index_units(units, rows);
  std::vector<Sums> sums(index.ids.size(), Sums{});
  for (std::size_t row = 0; row < rows; ++row) {
    const Sums terms = terms_of(challenger, champion, row);
    for (std::size_t part = 0; part < 4; ++part) sums[index.of_row[row]][part] += terms[part];
  }
  Improvement found;
  found.units = std::ssize(index.ids);
  found.challenger = whole_ratio(challenger, form);
  found.champion = whole_ratio(champion, form);
  found.value = improvement_of(found.challenger, found.champion, better);
  found.replicates.assign(static_cast<std::size_t>(options.replicates), kUndefined);
  for_each_block(options, pool, [&](std::size_t block) {
    std::array<std::array<double, kLanes>, 4> totals{};
    add_block(sums, index, options.seed, block, totals);
    for (std::size_t lane = 0; lane < lanes_of(found, block); ++lane)
      found.replicates[block * kLanes + lane] =
          improvement_of(ratio_of(totals[0][lane], totals[1][lane], form),
                         ratio_of(totals[2][lane], totals[3][lane], form), better);
  });
  summarise(found, options.level);
  return found;
}

Result<Improvement> compare_by(std::size_t rows,
                               const std::function<MetricPair(std::span<const double>)>& metric,
                               Better better, Units units, const BootstrapOptions& options,
                               WorkerPool* pool) {
  COEVAL_TRY(check_options(options, rows));
  const UnitIndex index = index_units(units, rows);
  Improvement found;
  found.units = std::ssize(index.ids);
  const MetricPair whole = metric(std::vector<double>(rows, 1.0));
  found.challenger = whole.challenger;
  found.champion = whole.champion;
  found.value = improvement_of(whole.challenger, whole.champion, better);
  found.replicates.assign(static_cast<std::size_t>(options.replicates), kUndefined);
  for_each_block(options, pool, [&](std::size_t block) {
    std::vector<Lanes> weights(index.ids.size());
    for (std::size_t unit = 0; unit < weights.size(); ++unit)
      draw_weights(options.seed, index.ids[unit], block, weights[unit].data());
    std::vector<double> of_rows(rows);
    for (std::size_t lane = 0; lane < lanes_of(found, block); ++lane) {
      for (std::size_t row = 0; row < rows; ++row)
        of_rows[row] = static_cast<double>(weights[index.of_row[row]][lane]);
      const MetricPair pair = metric(of_rows);
      found.replicates[block * kLanes + lane] =
          improvement_of(pair.challenger, pair.champion, better);
    }
  });
  summarise(found, options.level);
  return found;
}

namespace {

// Numerators and denominators of all metrics, by unit: [unit · width + 2 · metric].
std::vector<double> sums_by_unit(std::span<const RatioRows> metrics, const UnitIndex& index) {
  const std::size_t width = 2 * metrics.size();
  std::vector<double> sums(index.ids.size() * width);
  for (std::size_t row = 0; row < index.of_row.size(); ++row) {
    double* of_unit = sums.data() + index.of_row[row] * width;
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      of_unit[2 * m] += metrics[m].numerators[row];
      of_unit[2 * m + 1] += metrics[m].denominators.empty() ? 1 : metrics[m].denominators[row];
    }
  }
  return sums;
}

// Σ weight·sum over the units: [part · kLanes + lane].
void add_block(const std::vector<double>& sums, const UnitIndex& index, std::uint64_t seed,
               std::size_t block, std::vector<double>& totals) {
  const std::size_t width = totals.size() / kLanes;
  alignas(64) std::uint8_t weights[kLanes];
  alignas(64) double as_double[kLanes];
  for (std::size_t unit = 0; unit < index.ids.size(); ++unit) {
    draw_weights(seed, index.ids[unit], block, weights);
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      as_double[lane] = static_cast<double>(static_cast<std::int32_t>(weights[lane]));
    for (std::size_t part = 0; part < width; ++part) {
      const double term = sums[unit * width + part];
      double* total = totals.data() + part * kLanes;
      for (std::size_t lane = 0; lane < kLanes; ++lane) total[lane] += as_double[lane] * term;
    }
  }
}

}  // namespace

Result<std::vector<Estimate>> estimate_ratios(std::span<const RatioRows> metrics, std::size_t rows,
                                              Units units, const BootstrapOptions& options,
                                              WorkerPool* pool) {
  for (const RatioRows& metric : metrics) {
    COEVAL_CHECK(metric.numerators.size() == rows);
    COEVAL_CHECK(metric.denominators.empty() || metric.denominators.size() == rows);
  }
  COEVAL_TRY(check_options(options, rows));
  const UnitIndex index = index_units(units, rows);
  const std::vector<double> sums = sums_by_unit(metrics, index);
  const auto count = static_cast<std::size_t>(options.replicates);
  std::vector<std::vector<double>> replicates(metrics.size(), std::vector<double>(count));
  for_each_block(options, pool, [&](std::size_t block) {
    std::vector<double> totals(2 * metrics.size() * kLanes);
    add_block(sums, index, options.seed, block, totals);
    const std::size_t lanes = std::min(kLanes, count - block * kLanes);
    for (std::size_t m = 0; m < metrics.size(); ++m)
      for (std::size_t lane = 0; lane < lanes; ++lane)
        replicates[m][block * kLanes + lane] = ratio_of(
            totals[2 * m * kLanes + lane], totals[(2 * m + 1) * kLanes + lane], RatioForm::plain);
  });
  std::vector<Estimate> found(metrics.size());
  for (std::size_t m = 0; m < metrics.size(); ++m) {
    found[m].value = whole_ratio(metrics[m], RatioForm::plain);
    found[m].units = std::ssize(index.ids);
    found[m].interval =
        interval_of(defined_replicates(found[m].value, replicates[m]), options.level);
  }
  return found;
}

Result<Estimate> estimate_by(std::size_t rows, double value,
                             const std::function<double(std::span<const double>)>& metric,
                             Units units, const BootstrapOptions& options, WorkerPool* pool) {
  const auto both = [&](std::span<const double> weights) { return MetricPair{metric(weights), 0}; };
  COEVAL_ASSIGN(const Improvement found,
                compare_by(rows, both, Better::higher, units, options, pool));
  return Estimate{
      .value = value,
      .interval = interval_of(defined_replicates(value, found.replicates), options.level),
      .units = found.units};
}

Outcome outcome_of(const Interval& primary, std::span<const Interval> protected_slices,
                   double margin) {
  COEVAL_CHECK(margin >= 0);
  const auto blocks = [margin](const Interval& interval) { return !(interval.lower >= -margin); };
  if (blocks(primary) || std::ranges::any_of(protected_slices, blocks)) return Outcome::block;
  return primary.lower > 0 ? Outcome::promote : Outcome::not_shown_better;
}

}  // namespace coeval::stats
