#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "data/value.h"

namespace coeval::kernel {

/// Rows that an expression is evaluated over at a time: small enough for the first-level cache.
inline constexpr std::int64_t kBlockRows = 1024;

/// How values lie in a block while an expression is evaluated.
enum class Lane : std::uint8_t { boolean, integer, real, string };
inline Lane lane_of(data::Type type) {
  if (data::is_list(type)) return Lane::string;  // its packed bytes
  switch (type) {
    case data::Type::boolean:
      return Lane::boolean;
    case data::Type::float32:
    case data::Type::float64:
      return Lane::real;
    case data::Type::string:
      return Lane::string;
    default:
      return Lane::integer;
  }
}

/// Values of one block: one lane is set, by the expression's type; every integer-like type is
/// int64, both floats are double, a boolean is a byte of 0 or 1. `valid` holds a byte of 0 or 1 a
/// row, or is null when nothing is null. Null rows hold any value. The memory belongs to the
/// block's arena or a column.
///
/// Two words, so that functions return it in registers.
struct Slice {
  union {
    const std::uint8_t* booleans = nullptr;
    const std::int64_t* integers;
    const double* reals;
    const std::string_view* strings;
  };
  const std::uint8_t* valid = nullptr;

  template <class T>
  const T* lane() const {
    if constexpr (std::is_same_v<T, std::uint8_t>) return booleans;
    if constexpr (std::is_same_v<T, std::int64_t>) return integers;
    if constexpr (std::is_same_v<T, double>) return reals;
    if constexpr (std::is_same_v<T, std::string_view>) return strings;
  }
  static Slice of(const std::uint8_t* v, const std::uint8_t* valid) {
    Slice out;
    out.booleans = v, out.valid = valid;
    return out;
  }
  static Slice of(const std::int64_t* v, const std::uint8_t* valid) {
    Slice out;
    out.integers = v, out.valid = valid;
    return out;
  }
  static Slice of(const double* v, const std::uint8_t* valid) {
    Slice out;
    out.reals = v, out.valid = valid;
    return out;
  }
  static Slice of(const std::string_view* v, const std::uint8_t* valid) {
    Slice out;
    out.strings = v, out.valid = valid;
    return out;
  }
};

/// Text that the functions over one block of rows may make together. A block that needs more is
/// evaluated again in halves, down to single rows.
inline constexpr std::size_t kTextBudgetBytes = std::size_t{64} << 20;

/// Memory that an arena keeps from one block to the next.
inline constexpr std::size_t kKeptBytes = std::size_t{1} << 20;

/// Memory of one block's temporaries; all of it is taken back at once, and used again for the next
/// block. One row takes no allocation. Trivial types only; nothing is given a value.
class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  template <class T>
  T* take(std::size_t count) {
    static_assert(std::is_trivially_destructible_v<T> && alignof(T) <= kAlignment);
    const std::size_t bytes = (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    if (bytes > left_) return static_cast<T*>(static_cast<void*>(grow(bytes)));
    std::byte* memory = next_;
    next_ += bytes;
    left_ -= bytes;
    return static_cast<T*>(static_cast<void*>(memory));
  }
  /// Bytes of a text, or null when the budget is spent: then the block's result is void.
  char* take_text(std::size_t bytes) {
    text_bytes_ += bytes;
    return is_spent() ? nullptr : take<char>(bytes);
  }
  /// Starts a block.
  void clear(bool limited) {
    text_bytes_ = 0;
    limited_ = limited;
    used_chunks_ = 0;
    next_ = first_;
    left_ = sizeof(first_);
    if (kept_bytes_ > kKeptBytes) forget();
  }
  bool is_spent() const { return limited_ && text_bytes_ > kTextBudgetBytes; }

 private:
  static constexpr std::size_t kAlignment = 16;
  struct Chunk {
    std::unique_ptr<std::byte[]> memory;
    std::size_t bytes;
  };

  // So many bytes of the next chunk that has them, or of a new one.
  std::byte* grow(std::size_t bytes);
  // Gives up the chunks that are beyond kKeptBytes.
  void forget();

  std::byte* next_ = first_;
  std::size_t left_ = sizeof(first_);
  std::size_t text_bytes_ = 0;
  bool limited_ = false;
  std::size_t used_chunks_ = 0;
  std::size_t kept_bytes_ = 0;
  std::vector<Chunk> chunks_;
  alignas(64) std::byte first_[2048];
};

}  // namespace coeval::kernel
