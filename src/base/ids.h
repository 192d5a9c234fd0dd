#pragma once

#include <compare>
#include <cstdint>

namespace coeval {

/// Place of a record in the log of one partition: dense, from 0. A position is a moment: what
/// stands before it has happened, what stands at or after it has not.
struct Position {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Position, Position) = default;
};

}  // namespace coeval
