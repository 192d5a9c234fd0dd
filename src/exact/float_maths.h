#pragma once

namespace coeval::exact {

// Elementary functions of float32 whose results are, for all 2^32 arguments, those of the GNU C
// library from 2.27 on, which XGBoost itself calls: a score that goes through a link must have its
// bits (semantics A6). They are within 0.51 and 0.82 ulp, not correctly rounded: where that library
// rounds the wrong way, so do they.
//
// Determinism, threading: as in maths.h. A NaN argument gives a NaN whose payload means nothing.

/// e^x. expf(−∞) = +0, expf(±0) = 1; +∞ above 88.72, +0 below −103.98.
float expf(float x);
/// Natural logarithm. logf(±0) = −∞, logf(1) = +0, NaN below 0.
float logf(float x);

}  // namespace coeval::exact
