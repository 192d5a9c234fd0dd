#include "replay/order.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

namespace coeval::replay {

namespace {

constexpr int kDigitBits = 11;
constexpr std::size_t kBuckets = 1u << kDigitBits;

struct Keyed {
  std::uint64_t key;
  std::int64_t row;
};

// One stable pass by the digit at `shift`.
void scatter(std::span<const Keyed> from, std::span<Keyed> to, int shift) {
  std::array<std::size_t, kBuckets> place{};
  for (const auto& item : from) ++place[item.key >> shift & (kBuckets - 1)];
  std::size_t next = 0;
  for (auto& slot : place) next += std::exchange(slot, next);
  for (const auto& item : from) to[place[item.key >> shift & (kBuckets - 1)]++] = item;
}

}  // namespace

std::vector<std::int64_t> stable_order(std::span<const std::int64_t> keys) {
  std::vector<std::int64_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  if (std::is_sorted(keys.begin(), keys.end())) return order;
  const auto [low, high] = std::minmax_element(keys.begin(), keys.end());
  const auto base = static_cast<std::uint64_t>(*low);
  const std::uint64_t range = static_cast<std::uint64_t>(*high) - base;
  std::vector<Keyed> items(keys.size()), scratch(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i)
    items[i] = {static_cast<std::uint64_t>(keys[i]) - base, static_cast<std::int64_t>(i)};
  for (int shift = 0; shift < 64 && (range >> shift) != 0; shift += kDigitBits) {
    scatter(items, scratch, shift);
    items.swap(scratch);
  }
  for (std::size_t i = 0; i < items.size(); ++i) order[i] = items[i].row;
  return order;
}

}  // namespace coeval::replay
