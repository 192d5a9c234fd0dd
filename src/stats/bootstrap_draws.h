#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "exact/key_hash.h"
#include "stats/bootstrap.h"

namespace coeval::stats {

// The weights of the bootstrap: a counter-based generator, nothing is kept between draws.
//
// Unit u has the stream base = mix(mix(seed) + u), words mix(base + (j + 1)·2^64/φ) for j = 0, 1 …
// (SplitMix64). Word j holds the draws of the replicates 4j … 4j + 3, lowest 16 bits first. A draw
// x becomes the number of bounds c_k ≤ x, c_k = 2^16·P(Poisson(1) ≤ k) rounded: a weight from 0 to
// 8, with mean exactly 1 and variance 1 − 3·10^-5.

/// So many replicates are drawn and counted at once: their weights of one unit fill a cache line.
inline constexpr std::size_t kLanes = 64;
inline constexpr std::uint32_t kMostWeight = 8;
using Lanes = std::array<std::uint8_t, kLanes>;

inline constexpr std::array<std::uint16_t, kMostWeight> kPoissonBounds = {
    24109, 48219, 60273, 64292, 65296, 65497, 65531, 65535};

/// The weights of `unit` in the replicates [64·block, 64·block + 64).
inline void draw_weights(std::uint64_t seed, std::int64_t unit, std::uint64_t block,
                         std::uint8_t* weights) {
  constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;
  constexpr std::size_t kWords = kLanes / 4;
  const std::uint64_t base = exact::mix(exact::mix(seed) + static_cast<std::uint64_t>(unit));
  std::uint64_t words[kWords];
  for (std::size_t i = 0; i < kWords; ++i)
    words[i] = exact::mix(base + (block * kWords + i + 1) * kStep);
  // Eight draws at a time. Vectors compare signed numbers, whose order is that of unsigned ones
  // that differ in the highest bit.
  using Shorts [[gnu::vector_size(16)]] = std::int16_t;
  using Bytes [[gnu::vector_size(8)]] = std::uint8_t;
  constexpr std::uint64_t kSigns = 0x8000'8000'8000'8000;
  static_assert(std::endian::native == std::endian::little, "the lowest 16 bits come first");
  for (std::size_t i = 0; i < kWords; i += 2) {
    const auto draws = std::bit_cast<Shorts>(std::array{words[i] ^ kSigns, words[i + 1] ^ kSigns});
    Shorts counts = {};
    for (const std::uint16_t bound : kPoissonBounds)
      counts -= draws >= static_cast<std::int16_t>(bound ^ 0x8000);
    const Bytes bytes = __builtin_convertvector(counts, Bytes);
    std::memcpy(weights + 4 * i, &bytes, sizeof bytes);
  }
}

/// The units of rows: distinct numbers in ascending order, and which of them each row has.
struct UnitIndex {
  std::vector<std::int64_t> ids;
  std::vector<std::uint32_t> of_row;
};
UnitIndex index_units(Units units, std::size_t rows);

Status check_options(const BootstrapOptions& options, std::size_t rows);

/// Calls run(block) for each block of kLanes replicates, on the pool where there is one.
void for_each_block(const BootstrapOptions& options, WorkerPool* pool,
                    const std::function<void(std::size_t)>& run);

/// The defined replicates in ascending order; none where too few are, or the value is not.
std::vector<double> defined_replicates(double value, const std::vector<double>& replicates);
/// Their percentile interval; NaN of none.
Interval interval_of(const std::vector<double>& ascending, double level);
/// Fills interval and p_value from value and replicates.
void summarise(Improvement& improvement, double level);

}  // namespace coeval::stats
