#pragma once

namespace coeval::generate {

/// The x below which a standard normal variable lies with probability p.
/// Error: 1e-15 of x or so. Special values: p must be in (0, 1).
/// Determinism: + − × ÷ and sqrt of float64, and in the tails exact::log: the same bits everywhere.
/// Source: Wichura 1988, algorithm AS 241 (PPND16).
double normal_quantile(double p);

}  // namespace coeval::generate
