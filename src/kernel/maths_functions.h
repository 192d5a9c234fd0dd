#pragma once

#include <span>

#include "define/expr.h"
#include "kernel/block_functions.h"

namespace coeval::kernel {

/// fn_sign … fn_haversine_km. Domain errors are NaN or infinite by IEEE; an integer that does not
/// fit is null and counted. (semantics: A6 V5)
Slice maths_function(const define::Expr& expr, std::span<const Slice> args,
                     const BlockContext& block);

/// The mean radius of the Earth by the IUGG, which haversine_km takes for its radius.
inline constexpr double kEarthRadiusKm = 6371.0088;

/// The nearest number with so many decimals (−15 to 15), halves away from zero, decided by x's
/// exact value and rounded once. NaN and ±∞ stay.
double round_to(double x, std::int64_t digits);
/// x as a whole number: towards zero, down, up.
double whole_part(double x);
double floor_of(double x);
double ceil_of(double x);
/// Great-circle distance of two points in degrees.
double haversine_km(double latitude1, double longitude1, double latitude2, double longitude2);

}  // namespace coeval::kernel
