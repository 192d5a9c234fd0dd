#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "define/expr.h"

namespace coeval::define {

/// What is wrong with the constants that a function is called with.
struct ArgumentProblem {
  std::size_t argument = 0;
  std::string message, advice;
};

/// Limits on how a value is cut into parts.
inline constexpr std::int64_t kMaxBuckets = 1'000'000'000;
/// Decimals that round() can keep, or digits before the point that it can drop.
inline constexpr std::int64_t kMaxRoundDigits = 15;

/// Looks at the constants of a call whose arguments have their types: units that exist, boundaries
/// that ascend, numbers within their limits.
std::optional<ArgumentProblem> check_constants(Op op, const std::vector<ExprPtr>& args);

/// Compiles the pattern of `like` and `regexp_like`, whose arguments are literals. Errors:
/// bad_call.
Result<std::shared_ptr<const TextPattern>> compile_pattern(Op op, const std::vector<ExprPtr>& args);

}  // namespace coeval::define
