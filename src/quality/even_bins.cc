#include "quality/even_bins.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <type_traits>

#include "exact/byte_codec.h"
#include "quality/number_loops.h"

namespace coeval::quality {

namespace {

// 2^k and 2^-k are float64 values.
constexpr int kLeastLevel = -1023, kMostLevel = 1023;
constexpr int kNumberBits = 53;

double power_of_two(int k) { return std::ldexp(1.0, k); }

// Below 2^53 in size, as the level is chosen. What is lost where the product is subnormal is found
// by comparing with the value itself.
inline std::int64_t bin_of(double value, double scale, double unit) {
  const auto towards_zero = static_cast<std::int64_t>(value * scale);
  return towards_zero - static_cast<std::int64_t>(value < static_cast<double>(towards_zero) * unit);
}
inline std::int64_t bin_of(std::int64_t value, int level) { return value >> std::min(level, 63); }

int least_level_of(double size) {
  if (size == 0) return kLeastLevel;
  return std::max(kLeastLevel, std::ilogb(size) - (kNumberBits - 1));
}
int least_level_of(std::uint64_t size) {
  return std::max(0, static_cast<int>(std::bit_width(size)) - kNumberBits);
}
std::uint64_t size_of(std::int64_t value) {
  return value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
}

template <class Value>
int level_from(Value least, Value greatest, std::int64_t most_bins, int level) {
  while (level < kMostLevel &&
         even_bin_of(greatest, level) - even_bin_of(least, level) >= most_bins)
    ++level;
  return level;
}

}  // namespace

std::int64_t even_bin_of(double value, int level) {
  return bin_of(value, power_of_two(-level), power_of_two(level));
}
std::int64_t even_bin_of(std::int64_t value, int level) { return bin_of(value, level); }

int even_level_of(double least, double greatest, std::int64_t most_bins) {
  const int finest = least_level_of(std::max(std::abs(least), std::abs(greatest)));
  // A range of 2^e takes more than most_bins of 2^(e − bits of most_bins − 1).
  const double half_range = greatest / 2 - least / 2;
  const int bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(most_bins)));
  const int from = half_range == 0 ? finest : std::ilogb(half_range) - bits;
  return level_from(least, greatest, most_bins, std::max(finest, from));
}
int even_level_of(std::int64_t least, std::int64_t greatest, std::int64_t most_bins) {
  return level_from(least, greatest, most_bins,
                    least_level_of(std::max(size_of(least), size_of(greatest))));
}

template <class Value>
std::int64_t EvenBins<Value>::number_of(Value value) const {
  if constexpr (std::is_same_v<Value, double>)
    return bin_of(value, scale_, unit_);
  else
    return bin_of(value, level_);
}

template <class Value>
void EvenBins<Value>::add(std::span<const std::int64_t> values, Value least, Value greatest) {
  if (values.empty()) return;
  cover(least, greatest);
  std::uint64_t* const counts = counts_.data();
  if constexpr (std::is_same_v<Value, double>) {
    constexpr std::size_t kBlock = 1024;
    std::array<std::int32_t, kBlock> places;
    const auto first = static_cast<double>(first_);
    for (std::size_t at = 0; at < values.size(); at += kBlock) {
      const auto block = values.subspan(at, std::min(kBlock, values.size() - at));
      quickest_number_loops().even_places(block.data(), block.size(), scale_, unit_, first,
                                          places.data());
      for (std::size_t i = 0; i < block.size(); ++i) ++counts[places[i]];
    }
  } else {
    const int level = std::min(level_, 63);
    const std::int64_t first = first_;
    for (const std::int64_t value : values) ++counts[(value >> level) - first];
  }
}

template <class Value>
void EvenBins<Value>::add_times(Value value, std::int64_t times) {
  cover(value, value);
  counts_[static_cast<std::size_t>(number_of(value) - first_)] += static_cast<std::uint64_t>(times);
}

template <class Value>
void EvenBins<Value>::cover(Value least, Value greatest) {
  if (is_empty()) {
    counts_.assign(kMost, 0);
    least_ = least;
    greatest_ = greatest;
    const int level = even_level_of(least, greatest, kMost);
    return move_to(level, even_bin_of(least, level));
  }
  if (least >= least_ && greatest <= greatest_) return;
  least_ = std::min(least_, least);
  greatest_ = std::max(greatest_, greatest);
  const int level = std::max(level_, even_level_of(least_, greatest_, kMost));
  const std::int64_t first = even_bin_of(least_, level), last = even_bin_of(greatest_, level);
  if (level == level_ && first >= first_ && last < first_ + kMost) return;
  move_to(level, first);
}

// The bins that are left have their numbers from `first` on.
template <class Value>
void EvenBins<Value>::move_to(int level, std::int64_t first) {
  std::vector<std::uint64_t> moved(static_cast<std::size_t>(kMost), 0);
  const int shift = std::clamp(level - level_, 0, 63);  // none before the first value
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] != 0)
      moved[static_cast<std::size_t>(((first_ + static_cast<std::int64_t>(i)) >> shift) - first)] +=
          counts_[i];
  counts_ = std::move(moved);
  level_ = level;
  first_ = first;
  scale_ = power_of_two(-level);
  unit_ = power_of_two(level);
}

template <class Value>
void EvenBins<Value>::merge(const EvenBins& other) {
  if (other.is_empty()) return;
  cover(other.least_, other.greatest_);
  const int shift = std::min(level_ - other.level_, 63);
  other.each([&](std::int64_t number, std::int64_t count) {
    counts_[static_cast<std::size_t>((number >> shift) - first_)] +=
        static_cast<std::uint64_t>(count);
  });
}

template <class Value>
void EvenBins<Value>::each(const std::function<void(std::int64_t, std::int64_t)>& bin) const {
  for (std::size_t i = 0; i < counts_.size(); ++i)
    if (counts_[i] != 0)
      bin(first_ + static_cast<std::int64_t>(i), static_cast<std::int64_t>(counts_[i]));
}

// The least and the greatest value, from which the level follows; then the bins between them.
template <class Value>
void EvenBins<Value>::append_bytes(std::string& out) const {
  out.push_back(is_empty() ? 0 : 1);
  if (is_empty()) return;
  exact::append_u64(out, std::bit_cast<std::uint64_t>(least_));
  exact::append_u64(out, std::bit_cast<std::uint64_t>(greatest_));
  const std::int64_t last = number_of(greatest_);
  for (std::int64_t number = number_of(least_); number <= last; ++number)
    exact::append_count(
        out, static_cast<std::int64_t>(counts_[static_cast<std::size_t>(number - first_)]));
}

template <class Value>
bool EvenBins<Value>::read_bytes(std::string_view& bytes) {
  EvenBins read;
  std::uint8_t filled = 0;
  if (!exact::read_u8(bytes, filled) || filled > 1) return false;
  if (filled == 1) {
    std::uint64_t least = 0, greatest = 0;
    if (!exact::read_u64(bytes, least) || !exact::read_u64(bytes, greatest)) return false;
    const auto low = std::bit_cast<Value>(least), high = std::bit_cast<Value>(greatest);
    if constexpr (std::is_same_v<Value, double>)
      if (!std::isfinite(low) || !std::isfinite(high)) return false;
    if (!(low <= high)) return false;
    read.cover(low, high);
    const std::int64_t last = read.number_of(high);
    for (std::int64_t number = read.number_of(low); number <= last; ++number) {
      std::int64_t count = 0;
      if (!exact::read_count(bytes, count)) return false;
      if (count == 0 && (number == last || number == read.first_)) return false;
      read.counts_[static_cast<std::size_t>(number - read.first_)] =
          static_cast<std::uint64_t>(count);
    }
  }
  *this = std::move(read);
  return true;
}

template class EvenBins<double>;
template class EvenBins<std::int64_t>;

}  // namespace coeval::quality
