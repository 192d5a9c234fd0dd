#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace coeval::exact {

/// The exact sum of terms ±v·2^p, v below 2^125, p from 0: an integer as long as it takes. What one
/// unit is worth is the owner's to know. (semantics: A1 A2)
///
/// The limbs in use are a window over the number's places: five of them lie inline and slide to
/// where the terms are, a longer window is on the heap and is given back when the terms that needed
/// it have left. Places above kLimbs limbs are a mistake of the caller. Up to 2^63 terms.
class LongSum {
 public:
  static constexpr std::size_t kLimbs = 72;
  __extension__ using Magnitude = unsigned __int128;

  LongSum() = default;
  LongSum(const LongSum& other);
  LongSum& operator=(const LongSum& other);
  LongSum(LongSum&& other) noexcept;
  LongSum& operator=(LongSum&& other) noexcept;
  ~LongSum() = default;

  /// Adds magnitude · 2^position, or takes it away.
  void change(Magnitude magnitude, int position, bool negative);
  void combine(const LongSum& other, bool negate);

  bool is_zero() const;
  bool is_negative() const;
  /// The limbs in use, two's complement; the lowest is limb first_limb() of the number.
  std::span<const std::uint64_t> limbs() const { return {data(), size_}; }
  std::size_t first_limb() const { return first_; }

  /// The sum that is the two's complement number `limbs`, lowest first, in units of 2^(64·first).
  /// At least one limb, all within kLimbs − 1.
  static LongSum of_limbs(std::span<const std::uint64_t> limbs, std::size_t first);

  /// Canonical bytes, as ExactSum's.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

  friend bool operator==(const LongSum& a, const LongSum& b);

 private:
  static constexpr std::size_t kInline = 5;

  std::uint64_t* data() { return heap_ ? heap_.get() : inline_.data(); }
  const std::uint64_t* data() const { return heap_ ? heap_.get() : inline_.data(); }
  void cover(std::size_t first, std::size_t end);
  void rebase(std::size_t first, std::size_t size);
  void keep_headroom();
  void trim();
  void shrink();

  std::array<std::uint64_t, kInline> inline_{};
  std::unique_ptr<std::uint64_t[]> heap_;  // of capacity_ limbs
  std::uint16_t first_ = 0, size_ = 0, capacity_ = kInline;
};

}  // namespace coeval::exact
