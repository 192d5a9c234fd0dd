#include "kernel/answer_columns.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "base/check.h"
#include "define/aggregates.h"
#include "kernel/collection_cells.h"
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

// Each distinct string or list once, in the order in which they come first; equal ones may be held
// at several places. Null cells have no bits.
Column string_column(Type type, std::span<const std::uint64_t> cells,
                     std::vector<std::uint8_t> validity) {
  std::unordered_map<std::uint64_t, std::int32_t> codes;
  std::unordered_map<std::string_view, std::int32_t> codes_of_texts;
  data::ColumnBuilder dictionary(type);
  std::vector<std::int32_t> coded;
  coded.reserve(cells.size());
  for (const std::uint64_t bits : cells) {
    const auto [place, fresh] = codes.try_emplace(bits, 0);
    if (fresh) {
      std::string_view text;
      if (bits != 0) text = string_of_bits(bits)->text;
      const auto next = static_cast<std::int32_t>(codes_of_texts.size());
      const auto [known, is_new] = codes_of_texts.try_emplace(text, next);
      if (is_new) dictionary.append_string(text);
      place->second = known->second;
    }
    coded.push_back(place->second);
  }
  return Column::coded(std::move(coded), std::make_shared<const Column>(dictionary.finish()),
                       std::move(validity));
}

Column list_column(Type type, std::span<const std::uint64_t> cells,
                   std::span<const std::uint8_t> validity) {
  data::ColumnBuilder builder(type);
  builder.reserve(static_cast<std::int64_t>(cells.size()));
  constexpr std::size_t kAhead = 16;
  for (std::size_t row = 0; row < cells.size(); ++row) {
    if (row + kAhead < cells.size()) ListArena::fetch(cells[row + kAhead]);
    if (validity.empty() || (validity[row / 8] >> row % 8 & 1) != 0)
      builder.append_string(ListArena::list_of_bits(cells[row]));
    else
      builder.append_null();
  }
  return builder.finish();
}

using Owner = std::shared_ptr<const void>;

// Cells of 64 bits go on to be read where they are, in memory that `owner` keeps.
Column column_of(Type type, std::span<const std::uint64_t> cells, const Owner& owner,
                 std::vector<std::uint8_t> validity, bool lists_in_arena = false) {
  const auto rows = static_cast<std::int64_t>(cells.size());
  if (data::has_bytes(type) && lists_in_arena) return list_column(type, cells, validity);
  if (data::has_bytes(type)) return string_column(type, cells, std::move(validity));
  switch (type) {
    case Type::boolean:
      return boolean_column(cells, std::move(validity));
    case Type::int32:
    case Type::date: {
      const auto narrow = [](std::uint64_t v) { return static_cast<std::int32_t>(v); };
      return Column::fixed(type, narrowed<std::int32_t>(cells, narrow), std::move(validity), rows);
    }
    case Type::float32: {
      const auto narrow = [](std::uint64_t v) {
        return static_cast<float>(std::bit_cast<double>(v));
      };
      return Column::fixed(type, narrowed<float>(cells, narrow), std::move(validity), rows);
    }
    default:
      break;
  }
  struct Buffers {
    Owner cells;
    std::vector<std::uint8_t> validity;
  };
  const auto buffers = std::make_shared<Buffers>(owner, std::move(validity));
  const std::uint8_t* bitmap = buffers->validity.empty() ? nullptr : buffers->validity.data();
  return Column::borrowed(type, rows, bitmap, cells.data(), nullptr, nullptr, nullptr, buffers);
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
  // A line apart, lest all columns begin at the same place of a cache.
  const std::size_t step = (rows / 8 + 2) * 8;
  cells_ = std::make_shared<LargeVector<std::uint64_t>>(features * step);
  for (std::size_t i = 0; i < features; ++i) {
    types_.push_back(view.feature_type(i));
    values_.push_back(cells_->data() + i * step);
  }
  approximate_ = approximate_features(view);
  sketched_.assign(approximate_.size(), std::vector<std::uint8_t>((rows + 7) / 8));
}

void AnswerColumns::put_approximate(std::size_t i, std::size_t first,
                                    std::span<const Cell* const> rows) {
  for (std::size_t row = 0; row < rows.size(); ++row) {
    auto& byte = sketched_[i][(first + row) / 8];
    const unsigned bit = rows[row][approximate_[i]].approximate ? 1u << (first + row) % 8 : 0;
    byte = static_cast<std::uint8_t>(byte | bit);
  }
}

void AnswerColumns::put_sketched(std::size_t feature, std::size_t first, std::uint64_t rows) {
  const auto place = std::ranges::find(approximate_, feature);
  COEVAL_CHECK(place != approximate_.end());
  auto& bits = sketched_[static_cast<std::size_t>(place - approximate_.begin())];
  const std::size_t begin = first / 8, size = std::min<std::size_t>(8, bits.size() - begin);
  for (std::size_t i = 0; i < size; ++i)
    bits[begin + i] = static_cast<std::uint8_t>(bits[begin + i] | rows >> 8 * i);
}

std::vector<Column> AnswerColumns::finish(bool lists_in_arena) {
  std::vector<Column> columns;
  columns.reserve(types_.size());
  for (std::size_t i = 0; i < types_.size(); ++i)
    columns.push_back(column_of(types_[i], {values_[i], rows_}, cells_,
                                validity_of(nulls_[i], rows_), lists_in_arena));
  for (auto& bits : sketched_)
    columns.push_back(Column::boolean(std::move(bits), {}, static_cast<std::int64_t>(rows_)));
  return columns;
}

std::vector<std::size_t> approximate_features(const define::View& view) {
  std::vector<std::size_t> features;
  for (std::size_t a = 0; a < view.aggregates.size(); ++a)
    for (std::size_t w = 0; w < view.windows.size(); ++w)
      if (define::may_be_approximate(view.aggregates[a].kind))
        features.push_back(a * view.windows.size() + w);
  return features;
}

Column to_column(Type type, std::span<const Cell> cells) {
  const auto bits = std::make_shared<std::vector<std::uint64_t>>();
  bits->reserve(cells.size());
  std::vector<std::uint8_t> validity;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    bits->push_back(cells[i].bits);
    if (!cells[i].valid) clear_bit(validity, i, cells.size());
  }
  return column_of(type, *bits, bits, std::move(validity));
}

}  // namespace coeval::kernel
