#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernel/record_layout.h"

namespace coeval::kernel {

/// How a count, or a sum or mean of bits or 32-bit integers, is made of running sums alone.
struct LinearPlan {
  bool is_count = false;
  bool is_mean = false;
  std::uint32_t part = 0;  ///< the running sum that counts the events that take part
  std::uint32_t sum = 0;   ///< that of their values
};

/// The plan of one aggregate, or nothing when it is something else.
std::optional<LinearPlan> linear_plan(const AggregatePlan& plan);
/// The plans of all aggregates of a layout; none when one of them is something else.
std::vector<LinearPlan> linear_plans(const RecordLayout& layout);

}  // namespace coeval::kernel
