#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "data/decimal.h"
#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "exact/ratio.h"
#include "kernel/kernel.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

// The answers of aggregates that are read from sums, whatever holds them. `Sums` has linear(i): a
// counter or narrow sum; wide(i): that of 64-bit integers; real(i); power(i). Slots are those of
// the record layout.

inline Cell integer_cell(std::int64_t value) { return {static_cast<std::uint64_t>(value), true}; }
inline Cell real_cell(double value) { return {std::bit_cast<std::uint64_t>(value), true}; }
inline Cell real_cell(std::optional<double> value) { return value ? real_cell(*value) : Cell{}; }

inline std::uint64_t decimal_unit(int scale) {
  return static_cast<std::uint64_t>(data::power_of_ten(scale));
}

/// The mean of values that were summed times 10^scale.
inline double mean_of(exact::Int128 sum, std::int64_t count, int scale) {
  if (scale == 0) return exact::mean(sum, count);
  return *exact::ratio(sum, exact::Int128{count} * data::power_of_ten(scale));
}

inline exact::FloatFormat format_of(data::Type type) {
  return type == data::Type::float32 ? exact::kFloat32 : exact::kFloat64;
}

/// A sum that its type cannot hold is null, and counted. (semantics: V5)
inline Cell sum_cell(data::Type result, exact::Int128 sum, EvaluationCounts& counts) {
  auto value = exact::to_int64(sum);
  if (value && result == data::Type::int32 && *value != static_cast<std::int32_t>(*value))
    value.reset();
  if (data::is_decimal(result) && !data::has_digits(sum, data::precision_of(result))) value.reset();
  if (value) return integer_cell(*value);
  ++counts.integer_overflows;
  return {};
}

/// The exact sum of integers that a measure has.
template <class Sums>
exact::Int128 integer_sum(const Sums& sums, const Measure& measure, int linear) {
  return linear >= 0 ? exact::Int128{sums.linear(static_cast<std::size_t>(linear))}
                     : sums.wide(static_cast<std::size_t>(measure.slot));
}

template <class Sums>
Cell ratio_cell(const AggregatePlan& plan, const Sums& sums) {
  const Measure &a = plan.measure, &b = plan.divisor;
  if (sums.linear(static_cast<std::size_t>(b.part_bit)) == 0) return {};
  const auto slot_a = static_cast<std::size_t>(a.slot), slot_b = static_cast<std::size_t>(b.slot);
  const bool real_a = a.storage == Storage::real, real_b = b.storage == Storage::real;
  if (real_a && real_b) return real_cell(exact::ratio(sums.real(slot_a), sums.real(slot_b)));
  const std::uint64_t unit_a = decimal_unit(plan.scale), unit_b = decimal_unit(plan.divisor_scale);
  if (real_a)
    return real_cell(
        exact::ratio(sums.real(slot_a), integer_sum(sums, b, plan.divisor_linear), unit_b));
  const exact::Int128 sum = integer_sum(sums, a, plan.linear);
  if (real_b) return real_cell(exact::ratio(sum, unit_a, sums.real(slot_b)));
  return real_cell(exact::ratio(sum, unit_a, integer_sum(sums, b, plan.divisor_linear), unit_b));
}

/// The sum or mean of 64-bit integers and reals.
template <class Sums>
Cell large_cell(const AggregatePlan& plan, const Sums& sums, std::int64_t count,
                EvaluationCounts& counts) {
  const bool mean = plan.kind == define::Aggregation::mean;
  const auto slot = static_cast<std::size_t>(plan.measure.slot);
  if (plan.measure.storage == Storage::real) {
    const auto sum = sums.real(slot);
    return real_cell(mean ? sum.mean(count) : sum.round(format_of(plan.result)));
  }
  const exact::Int128 sum = sums.wide(slot);
  return mean ? real_cell(mean_of(sum, count, plan.scale)) : sum_cell(plan.result, sum, counts);
}

/// `length_us`: of rate, the window's length; 0 over all time. (semantics: A7 V3)
template <class Sums>
Cell summed_cell(const AggregatePlan& plan, const Sums& sums, std::int64_t length_us,
                 EvaluationCounts& counts) {
  const std::int64_t count = sums.linear(static_cast<std::size_t>(plan.measure.part_bit));
  if (plan.kind == define::Aggregation::count) return integer_cell(count);
  if (count == 0) return {};
  if (plan.power >= 0)
    return real_cell(
        sums.power(static_cast<std::size_t>(plan.power)).answer(plan.kind, plan.scale));
  switch (plan.kind) {
    case define::Aggregation::any:
      return integer_cell(sums.linear(static_cast<std::size_t>(plan.linear)) > 0 ? 1 : 0);
    case define::Aggregation::all:
      return integer_cell(sums.linear(static_cast<std::size_t>(plan.linear)) == count ? 1 : 0);
    case define::Aggregation::ratio:
      return ratio_cell(plan, sums);
    case define::Aggregation::rate:
      return real_cell(exact::ratio(exact::Int128{count} * kHourUs, exact::Int128{length_us}));
    default:
      break;
  }
  if (plan.linear >= 0) {
    const std::int64_t sum = sums.linear(static_cast<std::size_t>(plan.linear));
    return plan.kind == define::Aggregation::mean ? real_cell(exact::mean(sum, count))
                                                  : sum_cell(plan.result, sum, counts);
  }
  return large_cell(plan, sums, count, counts);
}

}  // namespace coeval::kernel
