#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::generate {

/// Places are below this.
inline constexpr std::uint32_t kPlaces = 1u << 18;

/// The indexes of `places` by ascending place; equal places keep their order.
/// Complexity: linear (two counting passes of nine bits).
std::vector<std::uint32_t> order_by_place(std::span<const std::uint32_t> places);

}  // namespace coeval::generate
