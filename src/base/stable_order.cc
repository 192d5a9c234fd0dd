#include "base/stable_order.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>

#include "base/large_allocator.h"

namespace coeval {

namespace {

// A bucket holds about so many rows, if keys are spread evenly.
constexpr std::size_t kRowsPerBucket = 16;

// Keys less this are ordered as themselves, and shifted they number buckets.
struct Buckets {
  std::uint64_t low;
  int shift;
  std::size_t count;
  std::size_t of(std::int64_t key) const {
    return static_cast<std::size_t>((static_cast<std::uint64_t>(key) - low) >> shift);
  }
};

Buckets buckets_for(std::span<const std::int64_t> keys) {
  const auto [low, high] = std::minmax_element(keys.begin(), keys.end());
  Buckets buckets{static_cast<std::uint64_t>(*low), 0, 0};
  const std::uint64_t range = static_cast<std::uint64_t>(*high) - buckets.low;
  const std::size_t most = std::max<std::size_t>(keys.size() / kRowsPerBucket, 1);
  while (range >> buckets.shift > most) ++buckets.shift;
  buckets.count = static_cast<std::size_t>(range >> buckets.shift) + 1;
  return buckets;
}

// Rows whose keys are nearly in order, as those of a history are: few moves. Others by comparisons.
void sort_rows(std::span<std::int64_t> rows, std::span<const std::int64_t> keys) {
  const auto key = [&](std::int64_t row) { return keys[static_cast<std::size_t>(row)]; };
  if (rows.size() > 4 * kRowsPerBucket) {
    std::ranges::stable_sort(rows, std::less(), key);
    return;
  }
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::int64_t row = rows[i], mine = key(row);
    std::size_t place = i;
    for (; place > 0 && key(rows[place - 1]) > mine; --place) rows[place] = rows[place - 1];
    rows[place] = row;
  }
}

}  // namespace

std::vector<std::int64_t> stable_order(std::span<const std::int64_t> keys) {
  auto order = make_reserved<std::int64_t>(keys.size());
  order.resize(keys.size());
  std::iota(order.begin(), order.end(), 0);
  if (std::is_sorted(keys.begin(), keys.end())) return order;
  const Buckets buckets = buckets_for(keys);
  std::vector<std::size_t> end(buckets.count);
  for (const std::int64_t key : keys) ++end[buckets.of(key)];
  std::size_t next = 0;
  for (auto& slot : end) next += std::exchange(slot, next);  // where each begins
  for (std::size_t row = 0; row < keys.size(); ++row)
    order[end[buckets.of(keys[row])]++] = static_cast<std::int64_t>(row);
  std::size_t begin = 0;
  for (const std::size_t last : end) {
    sort_rows(std::span(order).subspan(begin, last - begin), keys);
    begin = last;
  }
  return order;
}

}  // namespace coeval
