#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "define/project.h"

namespace coeval::define {

/// What an aggregate's arguments may be. A boolean counts as 0 or 1 where a number is taken.
/// `scalar` is anything but a list or a duration.
enum class Over : std::uint8_t {
  rows,
  rows_or_anything,
  number,
  two_numbers,
  condition,
  ordered,  ///< anything but a list
  anything,
  scalar
};

/// The constant that an aggregate takes as its last argument.
enum class AggregateConstant : std::uint8_t { none, place, fraction, half_life, many };

/// The type of an aggregate's value; `sum` is int64, float64 for floats, decimal(18,s) for
/// decimals.
enum class AggregateResult : std::uint8_t { int64, float64, boolean, sum, as_argument, list };

/// One aggregate of views. (semantics: A7)
struct AggregateFunction {
  std::string_view name;
  Aggregation kind;
  Over over;
  AggregateConstant constant;
  AggregateResult result;
  std::string_view signature;
  std::string_view doc;
  std::size_t argument_count() const {
    if (over == Over::rows) return 0;
    return (over == Over::two_numbers ? 2 : 1) + (constant == AggregateConstant::none ? 0 : 1);
  }
};
std::span<const AggregateFunction> aggregate_functions();
const AggregateFunction* find_aggregate(std::string_view name);

/// Whether the aggregate answers by a sketch where there are more distinct values than the cap.
/// (semantics: A4)
bool may_be_approximate(Aggregation kind);

/// How far back lag() may look, and how many elements last_k() and top_k() may give.
inline constexpr std::int64_t kMaxLag = 1000;

/// Names of all aggregates, for suggestions.
std::vector<std::string> aggregate_names();

}  // namespace coeval::define
