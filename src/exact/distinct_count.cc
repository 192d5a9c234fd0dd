#include "exact/distinct_count.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "exact/byte_codec.h"
#include "exact/register_places.h"

namespace coeval::exact {

namespace {

constexpr int kIndexBits = RegisterPlaces::kIndexBits;
constexpr std::size_t kRegisters = std::size_t{1} << kIndexBits;
constexpr std::size_t kRankBits = 64 - kIndexBits;  // of the hash, from which ranks are made
constexpr std::size_t kMostRank = kRankBits + 1;

// Σ of x^(2^k)·2^(k−1): what registers that are still 0 say.
double sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double sum = x, weight = 1.0, before = 0.0;
  while (sum != before) {
    before = sum;
    x *= x;
    sum += x * weight;
    weight *= 2;
  }
  return sum;
}

// (1 − x − Σ (1 − x^(2^−k))²·2^−k) / 3: what registers that are full say.
double tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double sum = 1.0 - x, weight = 1.0, before = 0.0;
  while (sum != before) {
    before = sum;
    x = std::sqrt(x);
    weight /= 2;
    sum -= (1.0 - x) * (1.0 - x) * weight;
  }
  return sum / 3;
}

double estimate(const std::vector<std::uint8_t>& registers) {
  std::array<std::int32_t, kMostRank + 1> with_rank{};
  for (const std::uint8_t rank : registers) ++with_rank[rank];
  constexpr double kSize = kRegisters;
  double z = kSize * tau(1.0 - static_cast<double>(with_rank[kMostRank]) / kSize);
  for (std::size_t rank = kRankBits; rank >= 1; --rank)
    z = (z + static_cast<double>(with_rank[rank])) / 2;
  z += kSize * sigma(static_cast<double>(with_rank[0]) / kSize);
  constexpr double kTwiceLn2 = 1.3862943611198906;
  return kSize * kSize / kTwiceLn2 / z;
}

}  // namespace

template <class Key>
void DistinctCount<Key>::add(Key key) {
  if (is_approximate()) return add_to_registers(key);
  values_.add_once(key);
  if (values_.is_over_cap()) give_up_exactness();
}

template <class Key>
void DistinctCount<Key>::add_all(std::span<const Key> keys) {
  std::size_t at = 0;
  for (; at < keys.size() && !is_approximate(); ++at) add(keys[at]);
  if constexpr (std::is_same_v<Key, std::int64_t>) {
    constexpr std::size_t kBlock = 256;
    std::array<std::uint64_t, kBlock> places;
    for (; at < keys.size(); at += std::min(kBlock, keys.size() - at)) {
      const auto block = keys.subspan(at, std::min(kBlock, keys.size() - at));
      quickest_register_places().find(block.data(), block.size(), places.data());
      raise({places.data(), block.size()});
    }
    return;
  }
  std::uint8_t* const registers = registers_.data();
  for (; at < keys.size(); ++at) {
    const std::uint64_t hash = KeyForm<Key>::hash(keys[at]);
    std::uint8_t& highest = registers[hash >> kRankBits];
    const auto rank =
        static_cast<std::uint8_t>(std::countl_zero(hash << kIndexBits | kRegisters >> 1) + 1);
    if (rank > highest) [[unlikely]]
      highest = rank;
  }
}

// Each place is a register times 256 plus a rank.
template <class Key>
void DistinctCount<Key>::raise(std::span<const std::uint64_t> places) {
  std::uint8_t* const registers = registers_.data();
  for (const std::uint64_t place : places) {
    std::uint8_t& highest = registers[place >> 8];
    const auto rank = static_cast<std::uint8_t>(place);
    if (rank > highest) [[unlikely]]
      highest = rank;
  }
}

template <class Key>
void DistinctCount<Key>::add_to_registers(Key key) {
  const std::uint64_t hash = KeyForm<Key>::hash(key);
  std::uint8_t& highest = registers_[hash >> kRankBits];
  const auto rank =
      static_cast<std::uint8_t>(std::countl_zero(hash << kIndexBits | kRegisters >> 1) + 1);
  highest = std::max(highest, rank);
}

template <class Key>
void DistinctCount<Key>::give_up_exactness() {
  registers_.assign(kRegisters, 0);
  values_.each([&](Key key, std::int64_t) { add_to_registers(key); });
  values_.clear();
}

template <class Key>
void DistinctCount<Key>::merge(const DistinctCount& other) {
  COEVAL_CHECK(values_.cap() == other.values_.cap());
  if (&other == this) return;
  if (other.is_approximate() && !is_approximate()) give_up_exactness();
  other.values_.each([&](Key key, std::int64_t) { add(key); });
  for (std::size_t i = 0; i < other.registers_.size(); ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

template <class Key>
void DistinctCount<Key>::clear() {
  values_.clear();
  registers_.clear();
}

template <class Key>
std::int64_t DistinctCount<Key>::count() const {
  const auto cap = static_cast<std::int64_t>(values_.cap());
  if (!is_approximate()) return static_cast<std::int64_t>(values_.size());
  const double estimated = estimate(registers_);
  constexpr double kMost = 9.2e18;
  return std::max(cap + 1, static_cast<std::int64_t>(std::min(estimated, kMost) + 0.5));
}

// u8 whether approximate; then the values, ascending, or the registers.
template <class Key>
void DistinctCount<Key>::append_bytes(std::string& out) const {
  out.push_back(is_approximate() ? 1 : 0);
  if (!is_approximate()) return values_.append_bytes(out);
  for (const std::uint8_t rank : registers_) out.push_back(static_cast<char>(rank));
}

template <class Key>
bool DistinctCount<Key>::read_bytes(std::string_view& bytes) {
  DistinctCount read(values_.cap());
  std::string_view rest = bytes;
  std::uint8_t approximate = 0;
  if (!read_u8(rest, approximate) || approximate > 1) return false;
  if (approximate == 0) {
    if (!read.values_.read_bytes(rest, [](Key, std::int64_t count) { return count == 1; }))
      return false;
  } else {
    if (rest.size() < kRegisters) return false;
    for (const char c : rest.substr(0, kRegisters)) {
      const auto rank = static_cast<std::uint8_t>(c);
      if (rank > kMostRank) return false;
      read.registers_.push_back(rank);
    }
    rest.remove_prefix(kRegisters);
  }
  *this = std::move(read);
  bytes = rest;
  return true;
}

template class DistinctCount<std::int64_t>;
template class DistinctCount<Key128>;

}  // namespace coeval::exact
