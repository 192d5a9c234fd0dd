#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "data/column.h"

namespace coeval::generate {

// Rows as structures become columns, one column at a time.

/// A column of fixed width: `value` gives a T of each row.
template <class T, class Row, class Value>
data::Column fixed_column(data::Type type, std::span<const Row> rows, Value value) {
  std::vector<std::byte> bytes(rows.size() * sizeof(T));
  std::byte* at = bytes.data();
  for (const Row& row : rows) {
    const T one = value(row);
    std::memcpy(at, &one, sizeof one);
    at += sizeof one;
  }
  return data::Column::fixed(type, std::move(bytes), {}, static_cast<std::int64_t>(rows.size()));
}

/// A bitmap of the rows for which `value` is true.
template <class Row, class Value>
std::vector<std::uint8_t> bits_of(std::span<const Row> rows, Value value) {
  std::vector<std::uint8_t> bits((rows.size() + 7) / 8);
  for (std::size_t i = 0; i < rows.size(); ++i)
    bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (value(rows[i]) ? 1u : 0u) << (i % 8));
  return bits;
}

/// A boolean column; `present` says of a row whether it is not null.
template <class Row, class Value>
data::Column boolean_column(std::span<const Row> rows, Value value,
                            std::vector<std::uint8_t> present = {}) {
  return data::Column::boolean(bits_of(rows, value), std::move(present),
                               static_cast<std::int64_t>(rows.size()));
}

/// Texts as a plain column, to be the dictionary of coded ones.
inline std::shared_ptr<const data::Column> dictionary_of(std::span<const std::string_view> texts) {
  data::ColumnBuilder builder(data::Type::string);
  for (const std::string_view text : texts) builder.append_string(text);
  return std::make_shared<const data::Column>(builder.finish());
}

/// A column of texts: `code` gives a place in the dictionary of each row.
template <class Row, class Code>
data::Column text_column(std::span<const Row> rows,
                         const std::shared_ptr<const data::Column>& dictionary, Code code,
                         std::vector<std::uint8_t> present = {}) {
  std::vector<std::int32_t> codes(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) codes[i] = static_cast<std::int32_t>(code(rows[i]));
  return data::Column::coded(std::move(codes), dictionary, std::move(present));
}

}  // namespace coeval::generate
