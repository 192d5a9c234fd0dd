#include "generate/place_order.h"

#include <array>
#include <cstddef>

namespace coeval::generate {

namespace {

constexpr std::uint32_t kBits = 9, kMask = (1u << kBits) - 1;

// One pass: `from` in the order of nine bits of their places.
void pass(std::span<const std::uint32_t> places, std::uint32_t shift,
          std::span<const std::uint32_t> from, std::span<std::uint32_t> to) {
  std::array<std::uint32_t, kMask + 2> begin{};
  for (const std::uint32_t place : places) ++begin[(place >> shift & kMask) + 1];
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  for (const std::uint32_t index : from) to[begin[places[index] >> shift & kMask]++] = index;
}

}  // namespace

std::vector<std::uint32_t> order_by_place(std::span<const std::uint32_t> places) {
  std::vector<std::uint32_t> order(places.size()), other(places.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::uint32_t>(i);
  pass(places, 0, order, other);
  pass(places, kBits, other, order);
  return order;
}

}  // namespace coeval::generate
