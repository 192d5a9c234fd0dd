#include "kernel/answer_columns.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "kernel/string_table.h"

namespace coeval::kernel {

namespace {

using data::Column;
using data::Type;

template <class T, class Convert>
std::vector<std::byte> narrowed(std::span<const std::uint64_t> cells, Convert convert) {
  std::vector<std::byte> out(cells.size() * sizeof(T));
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const T value = convert(cells[i]);
    std::memcpy(out.data() + i * sizeof(T), &value, sizeof(T));
  }
  return out;
}

Column boolean_column(std::span<const std::uint64_t> cells, std::vector<std::uint8_t> validity) {
  std::vector<std::uint8_t> bits((cells.size() + 7) / 8);
  for (std::size_t i = 0; i < cells.size(); ++i)
    bits[i / 8] = static_cast<std::uint8_t>(bits[i / 8] | (cells[i] & 1) << i % 8);
  return Column::boolean(std::move(bits), std::move(validity),
                         static_cast<std::int64_t>(cells.size()));
}

// Each distinct string once, in the order in which they come first. Null cells have no bits.
Column string_column(std::span<const std::uint64_t> cells, std::vector<std::uint8_t> validity) {
  std::unordered_map<std::uint64_t, std::int32_t> codes;
  data::ColumnBuilder dictionary(Type::string);
  std::vector<std::int32_t> coded;
  coded.reserve(cells.size());
  for (const std::uint64_t bits : cells) {
    const auto [place, fresh] = codes.try_emplace(bits, static_cast<std::int32_t>(codes.size()));
    if (fresh) dictionary.append_string(bits == 0 ? "" : string_of_bits(bits)->text);
    coded.push_back(place->second);
  }
  return Column::coded(std::move(coded), std::make_shared<const Column>(dictionary.finish()),
                       std::move(validity));
}

Column column_of(Type type, std::vector<std::byte> bytes, std::vector<std::uint8_t> validity,
                 std::size_t rows) {
  const std::span cells(reinterpret_cast<const std::uint64_t*>(bytes.data()), rows);
  switch (type) {
    case Type::string:
      return string_column(cells, std::move(validity));
    case Type::boolean:
      return boolean_column(cells, std::move(validity));
    case Type::int32:
    case Type::date:
      bytes = narrowed<std::int32_t>(cells,
                                     [](std::uint64_t v) { return static_cast<std::int32_t>(v); });
      break;
    case Type::float32:
      bytes = narrowed<float>(
          cells, [](std::uint64_t v) { return static_cast<float>(std::bit_cast<double>(v)); });
      break;
    default:
      break;
  }
  return Column::fixed(type, std::move(bytes), std::move(validity),
                       static_cast<std::int64_t>(rows));
}

void clear_bit(std::vector<std::uint8_t>& bitmap, std::size_t row, std::size_t rows) {
  if (bitmap.empty()) bitmap.assign((rows + 7) / 8, 0xFF);
  bitmap[row / 8] = static_cast<std::uint8_t>(bitmap[row / 8] & ~(1u << row % 8));
}

// A bit for each row that is not null; nothing when none is.
std::vector<std::uint8_t> validity_of(std::span<const std::uint64_t> nulls, std::size_t rows) {
  if (std::ranges::all_of(nulls, [](std::uint64_t word) { return word == 0; })) return {};
  std::vector<std::uint8_t> bitmap((rows + 7) / 8);
  for (std::size_t i = 0; i < bitmap.size(); ++i)
    bitmap[i] = static_cast<std::uint8_t>(~(nulls[i / 8] >> i % 8 * 8));
  return bitmap;
}

}  // namespace

AnswerColumns::AnswerColumns(const define::View& view, std::size_t rows) : rows_(rows) {
  const std::size_t features = view.feature_count();
  nulls_.resize(features);
  for (std::size_t i = 0; i < features; ++i) {
    types_.push_back(view.feature_type(i));
    bytes_.emplace_back(rows * sizeof(std::uint64_t));
    values_.push_back(reinterpret_cast<std::uint64_t*>(bytes_.back().data()));
  }
}

std::vector<Column> AnswerColumns::finish() {
  std::vector<Column> columns;
  columns.reserve(types_.size());
  for (std::size_t i = 0; i < types_.size(); ++i)
    columns.push_back(column_of(types_[i], std::move(bytes_[i]), validity_of(nulls_[i], rows_), rows_));
  return columns;
}

Column to_column(Type type, std::span<const Cell> cells) {
  std::vector<std::byte> bytes(cells.size() * sizeof(std::uint64_t));
  std::vector<std::uint8_t> validity;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::memcpy(bytes.data() + i * sizeof(std::uint64_t), &cells[i].bits, sizeof(std::uint64_t));
    if (!cells[i].valid) clear_bit(validity, i, cells.size());
  }
  return column_of(type, std::move(bytes), std::move(validity), cells.size());
}

}  // namespace coeval::kernel
