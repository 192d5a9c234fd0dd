#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <span>
#include <string_view>
#include <type_traits>

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
struct Slice {
  const std::uint8_t* booleans = nullptr;
  const std::int64_t* integers = nullptr;
  const double* reals = nullptr;
  const std::string_view* strings = nullptr;
  const std::uint8_t* valid = nullptr;

  template <class T>
  const T* lane() const {
    if constexpr (std::is_same_v<T, std::uint8_t>) return booleans;
    if constexpr (std::is_same_v<T, std::int64_t>) return integers;
    if constexpr (std::is_same_v<T, double>) return reals;
    if constexpr (std::is_same_v<T, std::string_view>) return strings;
  }
  static Slice of(const std::uint8_t* v, const std::uint8_t* valid) {
    return {v, nullptr, nullptr, nullptr, valid};
  }
  static Slice of(const std::int64_t* v, const std::uint8_t* valid) {
    return {nullptr, v, nullptr, nullptr, valid};
  }
  static Slice of(const double* v, const std::uint8_t* valid) {
    return {nullptr, nullptr, v, nullptr, valid};
  }
  static Slice of(const std::string_view* v, const std::uint8_t* valid) {
    return {nullptr, nullptr, nullptr, v, valid};
  }
};

/// Text that the functions over one block of rows may make together. A block that needs more is
/// evaluated again in halves, down to single rows.
inline constexpr std::size_t kTextBudgetBytes = std::size_t{64} << 20;

/// Memory of one block's temporaries; all of it is taken back at once. One row takes no allocation.
class Arena {
 public:
  template <class T>
  T* take(std::size_t count) {
    return static_cast<T*>(pool_.allocate(count * sizeof(T), alignof(T)));
  }
  /// Bytes of a text, or null when the budget is spent: then the block's result is void.
  char* take_text(std::size_t bytes) {
    text_bytes_ += bytes;
    return is_spent() ? nullptr : take<char>(bytes);
  }
  /// Starts a block.
  void clear(bool limited) {
    pool_.release();
    text_bytes_ = 0;
    limited_ = limited;
  }
  bool is_spent() const { return limited_ && text_bytes_ > kTextBudgetBytes; }

 private:
  std::size_t text_bytes_ = 0;
  bool limited_ = false;
  alignas(16) std::byte first_[2048];
  std::pmr::monotonic_buffer_resource pool_{first_, sizeof(first_)};
};

}  // namespace coeval::kernel
