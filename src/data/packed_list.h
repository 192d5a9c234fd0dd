#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "data/value.h"

namespace coeval::data {

// A list is one run of bytes: its elements one after the other, little-endian. A boolean is a byte
// of 0 or 1; int32, float32 and date have 4 bytes, the others 8; a string is its length in 4 bytes,
// then its bytes. So lists are equal, bit for bit, where their bytes are, and whatever holds
// strings holds lists. A list has no null elements.

/// Appends one element, which is not null and of that type.
void append_element(std::string& bytes, Type element, const Value& value);

/// The elements of a packed list. The bytes must be those of a list, and must outlive it.
class ListView {
 public:
  ListView(std::string_view bytes, Type list) : bytes_(bytes), element_(element_of(list)) {}

  /// Complexity: of strings, linear in their number.
  std::size_t size() const;
  bool boolean(std::size_t i) const { return bytes_[i] != 0; }
  /// Any integer-like type, widened.
  std::int64_t integer(std::size_t i) const;
  /// Either float type, widened.
  double real(std::size_t i) const;
  /// Complexity: linear in i.
  std::string_view string(std::size_t i) const;
  Value value(std::size_t i) const;
  /// See kNullElement.
  bool is_null_element(std::size_t i) const;

 private:
  std::string_view bytes_;
  Type element_;
};

/// Whether the bytes are a list of the type: whole elements, as many as are declared.
bool is_packed_list(std::string_view bytes, Type list);

/// What stands for a null among the float32 elements of a list that a file holds, until the row is
/// set aside: a NaN, which no row that gets in has, of a payload that no arithmetic gives.
inline constexpr std::uint32_t kNullElement = 0x7FB0'4E55;

/// "[0.5, 1]", with texts in double quotes.
std::string list_text(std::string_view bytes, Type list);

/// Lists as Arrow lays them out: row i has the elements from offsets[i] up to offsets[i + 1]; null
/// rows have none. The validity is the column's.
struct ListParts {
  std::vector<std::int32_t> offsets;
  Column elements;
};
ListParts list_parts(const Column& lists);

}  // namespace coeval::data
