#pragma once

#include <cstdint>
#include <memory>

#include "base/error.h"
#include "generate/generator.h"

namespace coeval::generate {

struct ChurnOptions {
  std::uint64_t seed = 1;
  std::int64_t days = 720;  ///< how long customers are watched, from kStartUs
  std::int64_t customers = 20'000;
};

inline constexpr std::int64_t kMonthDays = 30;

/// Subscriptions that end, month by month of 30 days. A piece is a customer: one row at the end of
/// each month that it is there, from its sign-up (any moment of the days) to its end or that of the
/// days.
///
/// Each has a plan (basic 9, plus 19, pro 49 a month), a contract (monthly, yearly) and an
/// engagement that drifts: e ← 0.8 e + 0.6 N(0, 1). Usage of a month is Poisson(20 exp(0.5 e), at
/// most 100), tickets Poisson(0.3, and 1 where e < −0.5), revenue the price and 0.10 for each use
/// beyond 25. At the end of a month the customer leaves within the next one with the hazard 1 / (1
/// + exp(−(−2.9 − 0.8 e + 0.5 tickets − 0.02 months + 0.4 monthly − 0.3 pro))), months up to 24: so
/// the hazard depends on what rows tell, but for e, which only usage and tickets show.
///
/// Columns: ts, customer, signed_up_at, months, plan, contract, usage, tickets, revenue, churned
/// (null where the next month ends after the days: censored), true_probability (the hazard).
/// Errors: out_of_range.
Result<std::unique_ptr<Generator>> make_churn(const ChurnOptions& options);

}  // namespace coeval::generate
