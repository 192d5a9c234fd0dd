#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "generate/generator.h"

namespace coeval::generate {

struct SeriesOptions {
  std::uint64_t seed = 1;
  std::int64_t series = 1'000;
  std::int64_t days = 730;  ///< points of each series, one a day
  double gaps = 0;          ///< share of points that are left out
};

/// Daily series with trend, season and noise. A piece is a series, its points in order.
///
/// mean(t) = level · (1 + weekly(t mod 7) + yearly · sin(2π (t / 365.25 + phase))) + trend · t:
/// level exp(N(4, 0.7²)), weekly seven times N(0, 0.15²), yearly U(0, 0.3), trend N(0, (level /
/// 2000)²). A value is N(mean(t), (noise · level)²) with noise U(0.05, 0.2): the mean is the best
/// forecast of a value's square error, and no noise is shared between points.
///
/// Columns: ts (midnight), series, region, plan (level + trend · t: what one could have planned,
/// with neither season), value, above_plan (value > plan), true_mean, true_deviation. Errors:
/// out_of_range.
Result<std::unique_ptr<Generator>> make_series(const SeriesOptions& options);

}  // namespace coeval::generate
