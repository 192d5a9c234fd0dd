#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::generate {

/// When the label of a payment is known: so long after it.
struct LabelDelay {
  bool log_normal = false;  ///< else always `days`
  double days = 7;          ///< of a log-normal delay the median
  double sigma = 0.6;       ///< standard deviation of its logarithm
};

/// What changes for good on a day.
enum class DriftKind : std::uint8_t {
  amounts,   ///< mean and deviation of every card's amounts × 1.5
  volume,    ///< payments a day of every card × 1.5
  attack,    ///< terminals compromised each day × 3
  disguise,  ///< amounts of compromised cards × 2, no longer × 5
};
struct Drift {
  std::int64_t day = 0;
  DriftKind kind = DriftKind::amounts;
};

struct FraudOptions {
  std::uint64_t seed = 1;
  std::int64_t days = 183;
  std::int64_t cards = 5'000;
  std::int64_t terminals = 10'000;
  LabelDelay label_delay;
  double unreported = 0;    ///< share of frauds whose label says otherwise
  double late = 0;          ///< share of payments that become known after they happened
  double duplicates = 0;    ///< share of payments that come twice
  double out_of_order = 0;  ///< share of payments whose row stands up to an hour from its place
  std::vector<Drift> drifts;
  /// From this day on rows have a column more.
  std::optional<std::int64_t> schema_change_day;
};

/// Reads "7d", "36h", "lognormal", "lognormal:6d", "lognormal:6d:0.8". Errors: usage.
Result<LabelDelay> parse_label_delay(std::string_view text);
/// Reads "120:volume". Errors: usage.
Result<Drift> parse_drift(std::string_view text);
/// Errors: out_of_range, with the option's name.
Status check(const FraudOptions& options);

}  // namespace coeval::generate
