#include "stats/ranked_scores.h"

#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "base/check.h"

namespace coeval::stats {
namespace {

constexpr std::uint32_t kSign = 0x8000'0000u;
constexpr std::uint32_t kNanKey = UINT32_MAX;
constexpr int kDigitBits = 11;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;

/// Unsigned order of the keys = order of the scores.
std::uint32_t key_of(float score) {
  if (std::isnan(score)) return kNanKey;
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0f);  // −0 becomes +0
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}

float score_of(std::uint32_t key) {
  if (key == kNanKey) return std::nanf("");
  return std::bit_cast<float>((key & kSign) != 0 ? key ^ kSign : ~key);
}

/// One stable counting pass over the digit that begins at `shift`.
void sort_by_digit(const std::vector<std::uint64_t>& from, std::vector<std::uint64_t>& to,
                   int shift) {
  std::array<std::size_t, kDigits> next{};
  const auto digit = [&](std::uint64_t entry) { return entry >> shift & (kDigits - 1); };
  for (const std::uint64_t entry : from) ++next[digit(entry)];
  std::size_t place = 0;
  for (std::size_t& count : next) place += std::exchange(count, place);
  for (const std::uint64_t entry : from) to[next[digit(entry)]++] = entry;
}

}  // namespace

RankedScores::RankedScores(std::span<const float> scores, std::span<const std::uint8_t> labels)
    : entries_(scores.size()) {
  COEVAL_CHECK(scores.size() == labels.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool positive = labels[i] != 0;
    positives_ += positive;
    entries_[i] = std::uint64_t{key_of(scores[i])} << 1 | (positive ? 1u : 0u);
  }
  std::vector<std::uint64_t> other(entries_.size());
  // Bit 0 is the label, which must not order ties.
  for (int shift = 1; shift < 33; shift += kDigitBits) {
    sort_by_digit(entries_, other, shift);
    entries_.swap(other);
  }
}

std::vector<std::uint32_t> order_of_scores(std::span<const float> scores) {
  COEVAL_CHECK(scores.size() < std::size_t{1} << 32);
  std::vector<std::uint64_t> entries(scores.size()), other(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i)
    entries[i] = std::uint64_t{key_of(scores[i])} << 32 | i;
  for (int shift = 32; shift < 64; shift += kDigitBits) {
    sort_by_digit(entries, other, shift);
    entries.swap(other);
  }
  std::vector<std::uint32_t> order(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) order[i] = static_cast<std::uint32_t>(entries[i]);
  return order;
}

bool RankedScores::has_nan() const { return !entries_.empty() && entries_.back() >> 1 == kNanKey; }

float RankedScores::score(std::int64_t rank) const {
  return score_of(static_cast<std::uint32_t>(entries_[static_cast<std::size_t>(rank)] >> 1));
}

bool RankedScores::ties_with_previous(std::int64_t rank) const {
  const auto place = static_cast<std::size_t>(rank);
  return rank > 0 && entries_[place] >> 1 == entries_[place - 1] >> 1;
}

}  // namespace coeval::stats
