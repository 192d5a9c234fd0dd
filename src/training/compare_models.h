#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/worker_pool.h"
#include "training/evidence.h"

namespace coeval::training {

/// Two models on the same rows, as they would be served.
struct ModelPair {
  std::span<const float> candidate, champion;  ///< scores
  double candidate_threshold = 0.5, champion_threshold = 0.5;
  std::span<const std::uint8_t> labels;
  std::span<const std::int64_t> units;  ///< what is drawn together; none: each row
  std::string unit;                     ///< its name, for the report
};

/// The paired bootstrap of one metric that gates name, 2,000 replicates (200 of
/// calibration_error, which must be computed anew for each), one fixed seed. The same bits for
/// any number of threads. Errors: those of stats::compare_….
Result<Comparison> compare_models(const std::string& metric, const ModelPair& pair,
                                  WorkerPool& pool);

}  // namespace coeval::training
