#include "exact/long_sum.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "exact/byte_codec.h"

namespace coeval::exact {

namespace {

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

std::uint64_t sign_of(std::uint64_t top_limb) { return top_limb >> 63 != 0 ? kAllOnes : 0; }

// Whether a term or another sum can be added above this top limb without reaching its sign bit:
// both are below 2^61 there.
bool has_headroom(std::uint64_t top_limb) {
  const auto top = static_cast<std::int64_t>(top_limb);
  constexpr std::int64_t kBound = std::int64_t{1} << 61;
  return top < kBound && top >= -kBound;
}

// a += b, or a -= b; b is sign-extended to a's length.
void add_at(std::span<std::uint64_t> a, std::span<const std::uint64_t> b, bool negative) {
  const std::uint64_t flip = negative ? kAllOnes : 0;
  const std::uint64_t sign = sign_of(b.back()) ^ flip;
  std::uint64_t carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::uint64_t term = i < b.size() ? b[i] ^ flip : sign;
    if (i >= b.size() && ((carry == 0 && term == 0) || (carry == 1 && term == kAllOnes))) return;
    const bool first = __builtin_add_overflow(a[i], term, &a[i]);
    const bool second = __builtin_add_overflow(a[i], carry, &a[i]);
    carry = first || second ? 1 : 0;
  }
}

// limbs += term, or limbs −= term, of which limbs holds the three places and `size` in all.
inline void change_at(std::uint64_t* limbs, std::size_t size,
                      const std::array<std::uint64_t, 3>& term, bool negative) {
  using Word128 = LongSum::Magnitude;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < term.size(); ++i) {
    const Word128 sum =
        negative ? Word128{limbs[i]} - term[i] - carry : Word128{limbs[i]} + term[i] + carry;
    limbs[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64) & 1;
  }
  for (std::size_t i = term.size(); carry != 0 && i < size; ++i) {
    limbs[i] = negative ? limbs[i] - 1 : limbs[i] + 1;
    carry = limbs[i] == (negative ? kAllOnes : 0) ? 1 : 0;
  }
}

}  // namespace

LongSum::LongSum(const LongSum& other)
    : inline_(other.inline_), first_(other.first_), size_(other.size_) {
  if (!other.heap_) return;
  capacity_ = size_;
  heap_ = std::make_unique_for_overwrite<std::uint64_t[]>(capacity_);
  std::copy_n(other.data(), size_, heap_.get());
}

LongSum& LongSum::operator=(const LongSum& other) {
  if (this != &other) *this = LongSum(other);
  return *this;
}

LongSum::LongSum(LongSum&& other) noexcept { *this = std::move(other); }

LongSum& LongSum::operator=(LongSum&& other) noexcept {
  if (this == &other) return *this;
  inline_ = other.inline_;
  heap_ = std::move(other.heap_);
  first_ = std::exchange(other.first_, 0);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, kInline);
  return *this;
}

void LongSum::change(Magnitude magnitude, int position, bool negative) {
  if (magnitude == 0) return;
  const auto first = static_cast<std::size_t>(position / 64);
  const int shift = position % 64;
  const auto low = static_cast<std::uint64_t>(magnitude);
  const auto high = static_cast<std::uint64_t>(magnitude >> 64);
  // Three limbs; the highest is below 2^(125 + 63 − 128), which keeps within the headroom.
  const std::array<std::uint64_t, 3> term = {
      low << shift, shift == 0 ? high : high << shift | low >> (64 - shift),
      shift == 0 ? 0 : high >> (64 - shift)};
  if (first < first_ || first + 3 > std::size_t{first_} + size_) [[unlikely]]
    cover(first, first + 3);
  change_at(data() + (first - first_), size_ - (first - first_), term, negative);
  keep_headroom();
  if (heap_) shrink();
}

void LongSum::combine(const LongSum& other, bool negate) {
  if (other.size_ == 0) return;
  const LongSum same = &other == this ? other : LongSum();
  const LongSum& term = &other == this ? same : other;
  cover(term.first_, std::size_t{term.first_} + term.size_);
  const std::size_t offset = std::size_t{term.first_} - first_;
  add_at(std::span(data() + offset, size_ - offset), term.limbs(), negate);
  keep_headroom();
  if (heap_) shrink();
}

// Makes the window reach over limbs [first, end) too.
void LongSum::cover(std::size_t first, std::size_t end) {
  if (size_ != 0 && first >= first_ && end <= std::size_t{first_} + size_) return;
  trim();
  if (size_ != 0) {
    first = std::min<std::size_t>(first, first_);
    end = std::max<std::size_t>(end, std::size_t{first_} + size_);
  }
  COEVAL_CHECK(end <= kLimbs);
  rebase(first, end - first);
}

// Gives the window another place and size, which holds the limbs in use.
void LongSum::rebase(std::size_t first, std::size_t size) {
  std::array<std::uint64_t, kLimbs> limbs;
  const std::size_t below = size_ == 0 ? 0 : first_ - first;
  std::fill_n(limbs.begin(), below, 0);
  std::copy_n(data(), size_, limbs.begin() + below);
  const std::uint64_t sign = size_ == 0 ? 0 : sign_of(limbs[below + size_ - 1]);
  std::fill(limbs.begin() + below + size_, limbs.begin() + size, sign);
  if (size <= kInline) {
    heap_.reset();
    capacity_ = kInline;
  } else if (size > capacity_ || !heap_) {
    capacity_ = static_cast<std::uint16_t>(size);
    heap_ = std::make_unique_for_overwrite<std::uint64_t[]>(capacity_);
  }
  std::copy_n(limbs.begin(), size, data());
  first_ = static_cast<std::uint16_t>(first);
  size_ = static_cast<std::uint16_t>(size);
}

void LongSum::keep_headroom() {
  if (has_headroom(data()[size_ - 1])) [[likely]]
    return;
  COEVAL_CHECK(std::size_t{first_} + size_ < kLimbs);
  rebase(first_, std::size_t{size_} + 1);
}

// Leaves out zero limbs below and sign limbs above; the top one keeps its headroom.
void LongSum::trim() {
  std::uint64_t* limbs = data();
  while (size_ > 0 && (size_ == 1 ? limbs[0] == 0
                                  : limbs[size_ - 1] == sign_of(limbs[size_ - 2]) &&
                                        has_headroom(limbs[size_ - 2])))
    --size_;
  std::size_t zeros = 0;
  while (zeros < size_ && limbs[zeros] == 0) ++zeros;
  if (zeros == 0) return;
  std::copy(limbs + zeros, limbs + size_, limbs);
  first_ = static_cast<std::uint16_t>(first_ + zeros);
  size_ = static_cast<std::uint16_t>(size_ - zeros);
}

// Gives the heap back when what is left is short.
void LongSum::shrink() {
  const std::uint64_t* limbs = data();
  const bool top_is_sign = limbs[size_ - 1] == sign_of(limbs[size_ - 2]);
  if (!top_is_sign && limbs[0] != 0) return;
  trim();
  if (size_ <= kInline) rebase(first_, size_);
}

bool LongSum::is_zero() const {
  return std::all_of(data(), data() + size_, [](std::uint64_t limb) { return limb == 0; });
}

bool LongSum::is_negative() const { return size_ > 0 && data()[size_ - 1] >> 63 != 0; }

LongSum LongSum::of_limbs(std::span<const std::uint64_t> limbs, std::size_t first) {
  LongSum sum;
  sum.rebase(first, limbs.size());
  std::ranges::copy(limbs, sum.data());
  sum.keep_headroom();
  return sum;
}

// u8 count of limbs; if any, u8 index of the first and the limbs of the two's complement number,
// with zero limbs at the low end and repeated sign limbs at the high end left out.
void LongSum::append_bytes(std::string& out) const {
  const std::uint64_t* limbs = data();
  std::size_t first = 0, last = size_;
  while (first < last && limbs[first] == 0) ++first;
  while (last > first + 1 && limbs[last - 1] == sign_of(limbs[last - 2])) --last;
  out.push_back(static_cast<char>(last - first));
  if (first == last) return;
  out.push_back(static_cast<char>(first_ + first));
  for (std::size_t i = first; i < last; ++i) append_u64(out, limbs[i]);
}

bool LongSum::read_bytes(std::string_view& bytes) {
  LongSum read;
  std::string_view rest = bytes;
  std::uint8_t size = 0, first = 0;
  if (!read_u8(rest, size) || (size > 0 && !read_u8(rest, first))) return false;
  if (std::size_t{first} + size > kLimbs - 4) return false;  // room for 2^63 more terms
  if (size > 0) {
    read.rebase(first, size);
    for (std::size_t i = 0; i < size; ++i)
      if (!read_u64(rest, read.data()[i])) return false;
    read.keep_headroom();
  }
  // Only the canonical spelling is accepted.
  std::string canonical;
  read.append_bytes(canonical);
  if (canonical != bytes.substr(0, bytes.size() - rest.size())) return false;
  *this = std::move(read);
  bytes = rest;
  return true;
}

bool operator==(const LongSum& a, const LongSum& b) {
  std::string left, right;
  a.append_bytes(left);
  b.append_bytes(right);
  return left == right;
}

}  // namespace coeval::exact
