#include "quality/binade_counts.h"

#include <algorithm>
#include <bit>

#include "exact/byte_codec.h"
#include "quality/number_loops.h"

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
    place = static_cast<std::uint16_t>(sums_.size());
    sums_.emplace_back();
    counts_.resize(counts_.size() + kSteps);
  }
  return place;
}

BinadeCounts::Limbs& BinadeCounts::limbs_of(int base) {
  const auto found = std::ranges::find(limbs_, base, &Limbs::base);
  if (found != limbs_.end()) return *found;
  return limbs_.emplace_back(Limbs{.base = base});
}

void BinadeCounts::add(std::span<const std::int64_t> values) {
  std::uint64_t* counts = counts_.data();
  for (const std::int64_t value : values) {
    const auto bits = static_cast<std::uint64_t>(value);
    const std::size_t top = bits >> kFractionBits;
    std::size_t place = index_[top];
    if (place == 0) [[unlikely]] {
      place = place_of(top);
      counts = counts_.data();
    }
    ++counts[place << kStepBits | (bits >> (kFractionBits - kStepBits) & (kSteps - 1))];
  }
}

void BinadeCounts::add_with_sums(std::span<const std::int64_t> values, double size) {
  add(values);
  const auto greatest = static_cast<int>(std::bit_cast<std::uint64_t>(size) >> kFractionBits);
  const int base = greatest - LimbSums::kRange;
  const auto add_limbs = quickest_number_loops().add_limbs;
  LimbSums sums;
  if (base > 0 && add_limbs != nullptr && add_limbs(values.data(), values.size(), base, sums)) {
    Limbs& limbs = limbs_of(base);
    limbs.low += sums.low;
    limbs.high += sums.high;
    for (std::size_t i = 0; i < sums.squares.size(); ++i) limbs.squares[i] += sums.squares[i];
    return;
  }
  for (const std::int64_t value : values) {
    const auto bits = static_cast<std::uint64_t>(value);
    const std::size_t top = bits >> kFractionBits;
    const std::uint64_t leading = (top & kInfinity) == 0 ? 0 : kFraction + 1;
    const std::uint64_t significand = (bits & kFraction) | leading;
    Sums& its = sums_[index_[top]];
    its.values += significand;
    its.squares += Unsigned128{significand} * significand;
  }
}

void BinadeCounts::add_times(double value, std::int64_t times) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  counts_of(place_of(bits >> kFractionBits))[bits >> (kFractionBits - kStepBits) & (kSteps - 1)] +=
      static_cast<std::uint64_t>(times);
}

void BinadeCounts::merge(const BinadeCounts& other) {
  for (std::size_t top = 0; top < other.index_.size(); ++top) {
    if (other.index_[top] == 0) continue;
    const std::size_t place = place_of(top);
    const std::uint64_t* const theirs = other.counts_of(other.index_[top]);
    std::uint64_t* const ours = counts_of(place);
    for (std::size_t step = 0; step < kSteps; ++step) ours[step] += theirs[step];
    sums_[place].values += other.sums_[other.index_[top]].values;
    sums_[place].squares += other.sums_[other.index_[top]].squares;
  }
  for (const Limbs& theirs : other.limbs_) {
    Limbs& ours = limbs_of(theirs.base);
    ours.low += theirs.low;
    ours.high += theirs.high;
    for (std::size_t i = 0; i < ours.squares.size(); ++i) ours.squares[i] += theirs.squares[i];
  }
}

void BinadeCounts::settle(exact::ExactSum& sum, exact::SquareSum& squares) {
  exact::LongSum all, all_squares;
  for (std::size_t top = 0; top < index_.size(); ++top) {
    Sums& sums = sums_[index_[top]];
    if (sums.values == 0) continue;
    const auto exponent = static_cast<int>(top & kInfinity);
    const int position = exponent == 0 ? 0 : exponent - 1;  // of the last bit, from 2^-1074
    all.change(sums.values, position, top >= kExponents);
    all_squares.change(sums.squares, 2 * position, false);
    sums = {};
  }
  for (const Limbs& limbs : limbs_) {
    const int position = limbs.base - 1;
    const auto change = [&](exact::Int128 value, int at) {
      const auto bits = static_cast<Unsigned128>(value);
      if (value != 0) all.change(value < 0 ? -bits : bits, at, value < 0);
    };
    change(limbs.low, position);
    change(limbs.high, position + 2 * LimbSums::kBits);
    for (std::size_t i = 0; i < limbs.squares.size(); ++i) {
      if (limbs.squares[i] == 0) continue;
      const int twice = static_cast<int>(i) % 2;  // of two different limbs, i being odd
      all_squares.change(limbs.squares[i],
                         2 * position + LimbSums::kBits * static_cast<int>(i) + twice, false);
    }
  }
  limbs_.clear();
  if (!all.is_zero()) sum.merge(exact::ExactSum::of_limbs(all.limbs(), all.first_limb(), 0, 0, 0));
  squares.merge(exact::SquareSum(std::move(all_squares)));
}

void BinadeCounts::each(const std::function<void(double, double, std::int64_t)>& bin) const {
  const auto tell = [&](std::size_t top, std::size_t step) {
    const std::uint64_t count = counts_of(index_[top])[step];
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
    const std::uint64_t* const counts = counts_of(index_[top]);
    for (std::size_t step = 0; step < kSteps; ++step) {
      if (counts[step] == 0) continue;
      const std::size_t number = top << kStepBits | step;
      exact::append_count(listed, static_cast<std::int64_t>(number - before));
      exact::append_count(listed, static_cast<std::int64_t>(counts[step]));
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
    read.counts_of(read.place_of(top))[static_cast<std::size_t>(number) & (kSteps - 1)] =
        static_cast<std::uint64_t>(count);
  }
  *this = std::move(read);
  return true;
}

}  // namespace coeval::quality
