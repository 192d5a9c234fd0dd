#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/cell_text.h"
#include "data/column.h"

namespace coeval::data {

/// Numbers the strings of a column: the same string has the same code in every batch.
class StringCoder {
 public:
  StringCoder();
  /// The code of a string seen before, or -1. The text need not be UTF-8: what is found is.
  std::int32_t find(std::string_view text);
  /// Gives the string that find() just did not find the next code.
  std::int32_t add(std::string_view text);
  std::size_t size() const { return entries_.size(); }
  std::string_view text(std::int32_t code) const {
    const auto at = static_cast<std::size_t>(code);
    const auto begin = static_cast<std::size_t>(offsets_[at]);
    return std::string_view(bytes_).substr(begin,
                                           static_cast<std::size_t>(offsets_[at + 1]) - begin);
  }
  /// Whether searches have become long: texts made to collide, or bad luck.
  bool is_slow() const { return longest_search_ > kLongestSearch; }
  /// All strings so far; the same object until there is a new one. At least one entry.
  std::shared_ptr<const Column> dictionary();

 private:
  static constexpr std::uint32_t kLongestSearch = 64;
  struct Key {
    std::uint64_t low = 0, high = 0;  // all of a text of at most 16 bytes, or hashes of it
    std::uint32_t size = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct Slot {
    std::uint32_t hash = 0;
    std::int32_t code = -1;
  };
  static Key key_of(std::string_view text);
  void grow();

  std::vector<Slot> slots_;
  std::vector<Key> entries_;
  std::vector<std::int32_t> offsets_ = {0};
  std::string bytes_;
  std::shared_ptr<const Column> published_;
  Key sought_;
  std::uint64_t sought_hash_ = 0;
  std::size_t free_ = 0;  // the slot where sought_ belongs
  std::uint32_t longest_search_ = 0;
};

/// One column that is filled row by row; a row may be written again, and the last writing counts,
/// until the next row is begun.
class TextColumn {
 public:
  /// Strings are coded as long as they repeat.
  TextColumn(Type type, bool code_strings);
  Type type() const { return type_; }

  /// Room for so many rows.
  void reserve(std::size_t rows);
  void put_null(std::size_t row);
  void put_boolean(std::size_t row, bool value) {
    values_[row] = static_cast<std::byte>(value);
    present_[row] = 1;
  }
  /// The caller has checked that it fits int32 where that is the type.
  void put_integer(std::size_t row, std::int64_t value) {
    const auto narrow = static_cast<std::int32_t>(value);
    if (width_ == 4)
      std::memcpy(values_.data() + row * 4, &narrow, 4);
    else
      std::memcpy(values_.data() + row * 8, &value, 8);
    present_[row] = 1;
  }
  /// Rounds to float32 where that is the type.
  void put_real(std::size_t row, double value) {
    const auto narrow = static_cast<float>(value);
    if (width_ == 4)
      std::memcpy(values_.data() + row * 4, &narrow, 4);
    else
      std::memcpy(values_.data() + row * 8, &value, 8);
    present_[row] = 1;
  }
  /// False when the text is not UTF-8.
  bool put_string(std::size_t row, std::string_view text);
  /// A list, packed.
  void put_list(std::size_t row, std::string_view packed);
  /// The value must be of the column's type.
  void put(std::size_t row, const Cell& cell);
  void put(std::size_t row, const Value& value);

  /// Makes a column of the first rows and begins anew.
  Column finish(std::size_t rows);

 private:
  void append_bytes(std::size_t row, std::string_view text);
  void put_code(std::size_t row, std::int32_t code) {
    codes_[row] = code;
    present_[row] = 1;
  }
  // Whether strings repeat often enough for codes to pay.
  bool repeats(std::size_t row) const;
  void stop_coding(std::size_t rows);
  std::vector<std::uint8_t> validity(std::size_t rows) const;

  Type type_;
  std::size_t width_;
  std::size_t capacity_ = 0;
  std::size_t rows_before_ = 0;    // of the batches that are finished
  std::vector<std::byte> values_;  // a boolean is a byte
  std::vector<std::uint8_t> present_;
  bool any_null_ = false;
  std::optional<StringCoder> coder_;
  std::vector<std::int32_t> codes_;
  std::vector<std::int32_t> offsets_;  // of plain strings and lists, rows + 1
  std::string bytes_;
};

}  // namespace coeval::data
