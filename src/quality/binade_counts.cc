#include "quality/binade_counts.h"

#include <bit>

#include "exact/byte_codec.h"

namespace coeval::quality {

namespace {

constexpr int kFractionBits = 52;
constexpr std::uint64_t kFraction = (std::uint64_t{1} << kFractionBits) - 1;
constexpr std::size_t kExponents = 2048, kInfinity = kExponents - 1;

double real_of(std::uint64_t bits) { return std::bit_cast<double>(bits); }

}  // namespace

std::size_t BinadeCounts::place_of(std::size_t sign_and_exponent) {
  std::uint16_t& place = index_[sign_and_exponent];
  if (place == 0) [[unlikely]] {
    binades_.emplace_back();
    place = static_cast<std::uint16_t>(binades_.size());
  }
  return place - std::size_t{1};
}

void BinadeCounts::add(std::span<const std::int64_t> values, bool moments) {
  if (!moments) {
    for (const std::int64_t value : values) {
      const auto bits = static_cast<std::uint64_t>(value);
      Binade& binade = binades_[place_of(bits >> kFractionBits)];
      ++binade.counts[bits >> (kFractionBits - kStepBits) & (kSteps - 1)];
    }
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = static_cast<std::uint64_t>(values[i]);
    const std::size_t top = bits >> kFractionBits;
    Binade& binade = binades_[place_of(top)];
    const std::uint64_t leading = (top & kInfinity) == 0 ? 0 : kFraction + 1;
    const std::uint64_t significand = (bits & kFraction) | leading;
    ++binade.counts[bits >> (kFractionBits - kStepBits) & (kSteps - 1)];
    binade.sums[i & 1] += significand;
    binade.squares[i & 1] += Unsigned128{significand} * significand;
  }
}

void BinadeCounts::add_times(double value, std::int64_t times) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  binades_[place_of(bits >> kFractionBits)]
      .counts[bits >> (kFractionBits - kStepBits) & (kSteps - 1)] +=
      static_cast<std::uint64_t>(times);
}

void BinadeCounts::merge(const BinadeCounts& other) {
  for (std::size_t top = 0; top < other.index_.size(); ++top) {
    if (other.index_[top] == 0) continue;
    const Binade& theirs = other.binades_[other.index_[top] - std::size_t{1}];
    Binade& ours = binades_[place_of(top)];
    for (std::size_t step = 0; step < kSteps; ++step) ours.counts[step] += theirs.counts[step];
    for (std::size_t turn = 0; turn < 2; ++turn) {
      ours.sums[turn] += theirs.sums[turn];
      ours.squares[turn] += theirs.squares[turn];
    }
  }
}

void BinadeCounts::settle(exact::ExactSum& sum, exact::SquareSum& squares) {
  exact::LongSum all, all_squares;
  for (std::size_t top = 0; top < index_.size(); ++top) {
    if (index_[top] == 0) continue;
    Binade& binade = binades_[index_[top] - std::size_t{1}];
    const auto exponent = static_cast<int>(top & kInfinity);
    const int position = exponent == 0 ? 0 : exponent - 1;  // of the last bit, from 2^-1074
    for (std::size_t turn = 0; turn < 2; ++turn) {
      if (binade.sums[turn] == 0) continue;
      all.change(binade.sums[turn], position, top >= kExponents);
      all_squares.change(binade.squares[turn], 2 * position, false);
      binade.sums[turn] = binade.squares[turn] = 0;
    }
  }
  if (!all.is_zero()) sum.merge(exact::ExactSum::of_limbs(all.limbs(), all.first_limb(), 0, 0, 0));
  squares.merge(exact::SquareSum(std::move(all_squares)));
}

void BinadeCounts::each(const std::function<void(double, double, std::int64_t)>& bin) const {
  const auto tell = [&](std::size_t top, std::size_t step) {
    const std::uint64_t count = binades_[index_[top] - std::size_t{1}].counts[step];
    if (count == 0) return;
    const std::uint64_t first =
        std::uint64_t{top} << kFractionBits | std::uint64_t{step} << (kFractionBits - kStepBits);
    const std::uint64_t last = first | kFraction >> kStepBits;
    const bool negative = top >= kExponents;
    bin(real_of(negative ? last : first), real_of(negative ? first : last),
        static_cast<std::int64_t>(count));
  };
  for (std::size_t top = 2 * kExponents; top-- > kExponents;)
    if (index_[top] != 0)
      for (std::size_t step = kSteps; step-- > 0;) tell(top, step);
  for (std::size_t top = 0; top < kExponents; ++top)
    if (index_[top] != 0)
      for (std::size_t step = 0; step < kSteps; ++step) tell(top, step);
}

// How many bins have values; then of each, ascending by sign, exponent and step, how far its number
// lies from the one before, and its count.
void BinadeCounts::append_bytes(std::string& out) const {
  std::int64_t bins = 0;
  std::string listed;
  std::size_t before = 0;
  for (std::size_t top = 0; top < index_.size(); ++top) {
    if (index_[top] == 0) continue;
    const Binade& binade = binades_[index_[top] - std::size_t{1}];
    for (std::size_t step = 0; step < kSteps; ++step) {
      if (binade.counts[step] == 0) continue;
      const std::size_t number = top << kStepBits | step;
      exact::append_count(listed, static_cast<std::int64_t>(number - before));
      exact::append_count(listed, static_cast<std::int64_t>(binade.counts[step]));
      before = number;
      ++bins;
    }
  }
  exact::append_count(out, bins);
  out += listed;
}

bool BinadeCounts::read_bytes(std::string_view& bytes) {
  BinadeCounts read;
  std::int64_t bins = 0, number = 0;
  if (!exact::read_count(bytes, bins)) return false;
  for (std::int64_t i = 0; i < bins; ++i) {
    std::int64_t step = 0, count = 0;
    if (!exact::read_count(bytes, step) || !exact::read_count(bytes, count)) return false;
    if (count == 0 || (i > 0 && step == 0) || step >= 4096 << kStepBits) return false;
    number += step;
    const auto top = static_cast<std::size_t>(number) >> kStepBits;
    if (top >= 2 * kExponents || (top & kInfinity) == kInfinity) return false;
    read.binades_[read.place_of(top)].counts[static_cast<std::size_t>(number) & (kSteps - 1)] =
        static_cast<std::uint64_t>(count);
  }
  *this = std::move(read);
  return true;
}

}  // namespace coeval::quality
