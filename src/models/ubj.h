#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace coeval::models {

/// A value of an XGBoost model file, which is Universal Binary JSON or JSON (xgboost_json.h). Views
/// point into the bytes it was read from, which must outlive it.
class Ubj {
 public:
  enum class Kind : std::uint8_t { null, boolean, integer, real, string, array, object };

  Kind kind() const { return kind_; }
  /// A string as it is written: from JSON with its escapes.
  std::string_view string() const { return bytes_; }

  /// Member of an object, or null pointer.
  const Ubj* find(std::string_view key) const;
  const std::vector<std::pair<std::string_view, Ubj>>& members() const { return members_; }

  /// Elements of an array, however it is stored. Elements of a typed array are decoded on demand.
  std::size_t size() const {
    return marker_ != 0 ? count_ : !tokens_.empty() ? tokens_.size() : elements_.size();
  }
  /// Nothing when the element is of another kind, or the array is untyped and it is not a number.
  std::optional<std::int64_t> integer_at(std::size_t index) const;
  std::optional<float> real_at(std::size_t index) const;
  /// All elements of an array: nothing unless each is an integer that T holds. Typed arrays, which
  /// are most of a file, are decoded in one go.
  template <class T>
  std::optional<std::vector<T>> integers() const;
  /// Likewise of reals.
  std::optional<std::vector<float>> reals() const;
  /// Elements of an untyped array; empty for one of numbers alone that is typed or from JSON.
  const std::vector<Ubj>& elements() const { return elements_; }

 private:
  friend class UbjReader;
  friend class XgboostJsonReader;
  Kind kind_ = Kind::null;
  char marker_ = 0;           ///< of a typed array's elements; 0 = untyped
  std::int64_t integer_ = 0;  ///< integer, boolean
  double real_ = 0;
  std::string_view bytes_;  ///< string, or the payload of a typed array
  std::size_t count_ = 0;
  std::vector<std::string_view> tokens_;  ///< numbers as JSON writes them
  std::vector<Ubj> elements_;
  std::vector<std::pair<std::string_view, Ubj>> members_;
};

/// Reads exactly one value. Memory stays within a constant factor of the input's size.
/// Errors: bad_model with the byte offset of the first fault; nesting deeper than 64 is one.
Result<Ubj> read_ubj(std::string_view bytes);

}  // namespace coeval::models
