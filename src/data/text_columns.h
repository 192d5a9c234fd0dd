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

/// The first `size` bytes, 1 to 8, as a number of which they are the low ones. Eight must be
/// readable.
inline std::uint64_t load_padded(const char* at, std::size_t size) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  return word & ~std::uint64_t{0} >> (64 - 8 * size);
}

/// Numbers the strings of a column: the same string has the same code in every batch.
class StringCoder {
 public:
  StringCoder();
  /// The code of a string seen before, or -1. The text need not be UTF-8: what is found is.
  std::int32_t find(std::string_view text) { return find_key(key_of(text), text); }
  /// The same of a text behind whose first byte seven more are readable.
  std::int32_t find_padded(std::string_view text) {
    if (text.size() - 1 >= 8) return find(text);
    return find_key(
        {load_padded(text.data(), text.size()), 0, static_cast<std::uint32_t>(text.size())}, text);
  }
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
  // Of a text of at most 8 bytes itself; of others a hash, which says only what it may be.
  struct Slot {
    std::uint64_t word = 0;
    std::uint32_t size = 0;
    std::int32_t code = -1;
  };
  static Key key_of(std::string_view text);
  static std::uint64_t mixed(std::uint64_t low, std::uint64_t high) {
    const auto product =
        static_cast<unsigned __int128>(low ^ 0x9E3779B97F4A7C15u) * (high ^ 0xD6E8FEB86659FD93u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t word_of(const Key& key) {
    return key.size <= 8 ? key.low : mixed(key.low, key.high);
  }
  static std::uint64_t place_of(std::uint64_t word, std::uint32_t size) {
    const auto product =
        static_cast<unsigned __int128>(word ^ std::uint64_t{size} << 56) * 0xD6E8FEB86659FD93u;
    return static_cast<std::uint64_t>(product >> 64) ^ static_cast<std::uint64_t>(product);
  }
  std::int32_t find_key(const Key& key, std::string_view text) {
    const std::uint64_t word = word_of(key);
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = place_of(word, key.size) & mask;
    for (std::uint32_t search = 0;; ++search, at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.code < 0) return note_absent(key, at, search);
      if (slot.word == word && slot.size == key.size &&
          (key.size <= 8 || is_entry(slot.code, key, text)))
        return slot.code;
    }
  }
  bool is_entry(std::int32_t code, const Key& key, std::string_view text) const {
    return entries_[static_cast<std::size_t>(code)] == key &&
           (key.size <= 16 || this->text(code) == text);
  }
  std::int32_t note_absent(const Key& key, std::size_t at, std::uint32_t search);
  void grow();

  std::vector<Slot> slots_;
  std::vector<Key> entries_;
  std::vector<std::int32_t> offsets_ = {0};
  std::string bytes_;
  std::shared_ptr<const Column> published_;
  Key sought_;
  std::size_t free_ = 0;  // the slot where sought_ belongs
  std::uint32_t longest_search_ = 0;
};

/// The same field of rows that follow one another in a text, each between two marks.
struct FieldRun {
  const char* text = nullptr;  ///< where the marks count from
  /// The one before the field of the first row, then that behind it.
  const std::uint32_t* marks = nullptr;
  std::size_t stride = 0;  ///< marks of a row
  std::size_t rows = 0;
  std::uint32_t lead = 1;     ///< bytes from the mark before it to the field
  std::uint32_t tail = 0;     ///< bytes before the mark behind it that are not the field's
  bool empty_is_null = true;  ///< of strings
  /// The field of a row. Behind its first byte as many are readable as kTextPadding says.
  std::string_view at(std::size_t row) const {
    const std::uint32_t begin = marks[row * stride] + lead;
    return {text + begin, marks[row * stride + 1] - tail - begin};
  }
};

/// What came of reading a field: a value, a null, or one that was put into the column already;
/// nothing: it is for others to read.
enum class FieldRead : std::uint8_t { value, null, put, nothing };

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
  /// The same of a text behind whose first byte seven more are readable.
  bool put_padded_string(std::size_t row, std::string_view text) {
    if (coder_ && !text.empty()) {
      if (const std::int32_t code = coder_->find_padded(text); code >= 0) {
        put_code(row, code);
        return true;
      }
    }
    return put_string(row, text);
  }
  /// Puts the fields of a run from `row` on; says how many were put: all before the first that
  /// cannot be.
  std::size_t put_strings(std::size_t row, const FieldRun& run);
  /// The same of values of a fixed width by `read(row of the run, text, value)`, a FieldRead.
  template <class T, class Read>
  std::size_t put_fixed(std::size_t row, const FieldRun& run, Read read) {
    std::byte* const values = values_.data() + row * sizeof(T);
    std::uint8_t* const present = present_.data() + row;
    for (std::size_t i = 0; i < run.rows; ++i) {
      T value{};
      const FieldRead found = read(i, run.at(i), value);
      if (found == FieldRead::nothing) return i;
      if (found == FieldRead::put) continue;
      any_null_ = any_null_ || found == FieldRead::null;
      present[i] = found == FieldRead::value ? 1 : 0;
      std::memcpy(values + i * sizeof(T), &value, sizeof(T));
    }
    return run.rows;
  }
  /// A list, packed.
  void put_list(std::size_t row, std::string_view packed);
  /// The value must be of the column's type.
  void put(std::size_t row, const Cell& cell);
  void put(std::size_t row, const Value& value);

  /// Makes a column of the first rows and begins anew.
  Column finish(std::size_t rows);

 private:
  void append_bytes(std::size_t row, std::string_view text);
  std::size_t put_codes(std::size_t row, const FieldRun& run);
  std::size_t put_plain(std::size_t row, const FieldRun& run);
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
