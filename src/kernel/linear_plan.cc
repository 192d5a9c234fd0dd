#include "kernel/linear_plan.h"

#include <algorithm>

namespace coeval::kernel {

std::vector<LinearPlan> linear_plans(const RecordLayout& layout) {
  using define::Aggregation;
  std::vector<LinearPlan> plans;
  for (const auto& plan : layout.aggregates) {
    const bool is_count = plan.kind == Aggregation::count, is_mean = plan.kind == Aggregation::mean;
    const bool is_sum = plan.kind == Aggregation::sum && plan.result == data::Type::int64;
    if (!is_count && (plan.linear < 0 || !(is_mean || is_sum))) return {};
    plans.push_back({is_count, is_mean, static_cast<std::uint32_t>(plan.measure.part_bit),
                     static_cast<std::uint32_t>(std::max(plan.linear, 0))});
  }
  return plans;
}

}  // namespace coeval::kernel
