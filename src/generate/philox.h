#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace coeval::generate {

using PhiloxBlock = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

/// Philox4x32-10: 128 random bits as a function of a counter and a key, without any state.
/// Determinism: integers only. Known answers: philox_test.cc.
/// Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
constexpr PhiloxBlock philox(PhiloxBlock counter, PhiloxKey key) {
  constexpr std::uint64_t kFirst = 0xD2511F53, kSecond = 0xCD9E8D57;
  constexpr std::uint32_t kGolden = 0x9E3779B9, kRootOfThree = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = kFirst * counter[0], second = kSecond * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(first)};
    key = {key[0] + kGolden, key[1] + kRootOfThree};
  }
  return counter;
}

/// What a block is drawn for. Each has counters of its own, so that no two draws share a block. The
/// numbers are part of what a seed gives: never change one.
enum class Purpose : std::uint32_t {
  card = 1,
  terminal = 2,
  card_count = 3,
  payment = 4,
  payment_more = 5,
  terminals_compromised = 6,
  cards_compromised = 7,
  multiplied = 8,
  payment_label = 9,
  document = 20,
  click_session = 21,
  click_noise = 22,
  click = 23,
  user = 30,
  item = 31,
  user_factors = 32,
  item_factors = 33,
  exposure = 34,
  customer = 40,
  customer_month = 41,
  customer_events = 42,
  series = 50,
  series_weekly = 51,
  series_point = 52,
  series_gap = 53,
};

/// All random numbers of a seed, each found by what it is for and up to 96 bits that say of whom.
/// Threading: safe from any thread. Determinism: a function of seed, purpose and the three words.
class Draws {
 public:
  explicit constexpr Draws(std::uint64_t seed)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)} {}
  constexpr PhiloxBlock at(Purpose purpose, std::uint32_t a, std::uint32_t b = 0,
                           std::uint32_t c = 0) const {
    return philox({a, b, c, static_cast<std::uint32_t>(purpose)}, key_);
  }
  /// Of one of more than 2^32.
  constexpr PhiloxBlock of(Purpose purpose, std::int64_t whom, std::uint32_t c = 0) const {
    const auto bits = static_cast<std::uint64_t>(whom);
    return at(purpose, static_cast<std::uint32_t>(bits), static_cast<std::uint32_t>(bits >> 32), c);
  }

 private:
  PhiloxKey key_;
};

/// Uniform in (0, 1), never an end: the middle of one of 2^32 equal parts.
constexpr double to_unit(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }
/// The same with 52 bits.
constexpr double to_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(high) << 32 | low) >> 12;
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}
/// Uniform in 0 … n − 1; no number is more likely than another by more than n / 2^32.
constexpr std::uint32_t below(std::uint32_t word, std::uint32_t n) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(word) * n >> 32);
}

}  // namespace coeval::generate
