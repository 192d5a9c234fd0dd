#include "kernel/linear_plan.h"

#include <algorithm>

namespace coeval::kernel {

std::optional<LinearPlan> linear_plan(const AggregatePlan& plan) {
  using define::Aggregation;
  const bool is_count = plan.kind == Aggregation::count, is_mean = plan.kind == Aggregation::mean;
  const bool is_sum = plan.kind == Aggregation::sum && plan.result == data::Type::int64;
  if (!is_count && (plan.linear < 0 || !(is_mean || is_sum))) return std::nullopt;
  return LinearPlan{is_count, is_mean, static_cast<std::uint32_t>(plan.measure.part_bit),
                    static_cast<std::uint32_t>(std::max(plan.linear, 0))};
}

std::vector<LinearPlan> linear_plans(const RecordLayout& layout) {
  std::vector<LinearPlan> plans;
  for (const auto& plan : layout.aggregates) {
    const auto linear = linear_plan(plan);
    if (!linear) return {};
    plans.push_back(*linear);
  }
  return plans;
}

}  // namespace coeval::kernel
