#pragma once

#include <memory>

#include "base/error.h"
#include "generate/fraud_options.h"
#include "generate/generator.h"

namespace coeval::generate {

/// Card payments with fraud by the rules of the Fraud Detection Handbook. A piece is a day; its
/// rows stand in the order in which they become known, those that come after midnight at its end.
///
/// Columns: ts, arrived_at (when the payment is known), transaction (of a duplicate that of its
/// original), card, terminal, amount; from options.schema_change_day on entry_mode, null before,
/// and absent from a file that ends before; fraud (what its label says), label_known_at,
/// true_fraud, true_probability (that fraud says true, see fraud_probability.h, times 1 −
/// unreported), scenario (0 none, 1 the amount, 2 the terminal, 3 the card: the last that holds).
/// Errors: out_of_range.
Result<std::unique_ptr<Generator>> make_fraud(const FraudOptions& options);

}  // namespace coeval::generate
