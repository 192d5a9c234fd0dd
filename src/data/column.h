#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/value.h"

namespace coeval::data {

/// Values of one type, in Arrow's layout: a validity bitmap (bit set = present, least significant
/// bit first; empty = none null), then a buffer of fixed-width little-endian values, or bits for
/// boolean, or for strings either (offsets, bytes) or int32 codes into a shared dictionary. Lists
/// lie as strings do, each as its packed bytes (packed_list.h).
///
/// Immutable once built; copies share the buffers. Threading: safe to read from any thread.
class Column {
 public:
  Column() = default;
  /// Fixed width (int32 … duration): `values` holds width(type) bytes a row.
  static Column fixed(Type type, std::vector<std::byte> values, std::vector<std::uint8_t> validity,
                      std::int64_t rows);
  /// Boolean: `bits` is a bitmap.
  static Column boolean(std::vector<std::uint8_t> bits, std::vector<std::uint8_t> validity,
                        std::int64_t rows);
  /// Strings, or packed lists of that type: `offsets` has rows + 1 entries.
  static Column strings(std::vector<std::int32_t> offsets, std::string bytes,
                        std::vector<std::uint8_t> validity, Type type = Type::string);
  /// Dictionary-coded strings or lists: codes index into `dictionary`, a plain column without
  /// nulls.
  static Column coded(std::vector<std::int32_t> codes, std::shared_ptr<const Column> dictionary,
                      std::vector<std::uint8_t> validity);
  /// Borrows buffers that `owner` keeps alive (Arrow arrays, mapped files); same layouts as above.
  /// `values` is the value, bit or code buffer; `offsets`, `bytes` for plain strings; may be null
  /// when not used. A null `validity` means no nulls.
  static Column borrowed(Type type, std::int64_t rows, const std::uint8_t* validity,
                         const void* values, const std::int32_t* offsets, const char* bytes,
                         std::shared_ptr<const Column> dictionary,
                         std::shared_ptr<const void> owner);

  Type type() const { return type_; }
  std::int64_t size() const { return rows_; }
  bool has_nulls() const { return validity_ != nullptr; }
  bool is_null(std::int64_t row) const {
    return validity_ != nullptr && (validity_[row >> 3] >> (row & 7) & 1) == 0;
  }
  /// Raw fixed-width values: T must have width(type()) bytes. Null rows hold any value.
  template <class T>
  std::span<const T> values() const {
    return {static_cast<const T*>(values_), static_cast<std::size_t>(rows_)};
  }
  bool bit(std::int64_t row) const {
    return (static_cast<const std::uint8_t*>(values_)[row >> 3] >> (row & 7) & 1) != 0;
  }
  /// Any integer-like fixed type (int32, int64, timestamp, date, duration) widened to int64.
  std::int64_t integer(std::int64_t row) const {
    return width_ == 4 ? static_cast<const std::int32_t*>(values_)[row]
                       : static_cast<const std::int64_t*>(values_)[row];
  }
  /// Either float type widened to double.
  double real(std::int64_t row) const {
    return type_ == Type::float32 ? static_cast<double>(static_cast<const float*>(values_)[row])
                                  : static_cast<const double*>(values_)[row];
  }
  bool is_coded() const { return dictionary_ != nullptr; }
  const Column& dictionary() const { return *dictionary_; }
  const std::shared_ptr<const Column>& dictionary_ptr() const { return dictionary_; }
  std::int32_t code(std::int64_t row) const {
    return static_cast<const std::int32_t*>(values_)[row];
  }
  /// A string or a packed list, coded or plain. The view lives as long as the column.
  std::string_view string(std::int64_t row) const {
    if (dictionary_) return dictionary_->string(code(row));
    return {bytes_ + offsets_[row], static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])};
  }
  /// One value of any type; allocates for strings and lists.
  Value value(std::int64_t row) const;
  /// The same lists as another type of lists of these elements: only a length is claimed or given
  /// up, and not looked at.
  Column with_list_type(Type type) const;

  const std::uint8_t* validity_data() const { return validity_; }
  const void* values_data() const { return values_; }
  const std::int32_t* offsets_data() const { return offsets_; }
  const char* bytes_data() const { return bytes_; }

 private:
  Type type_ = Type::null;
  std::uint8_t width_ = 0;
  std::int64_t rows_ = 0;
  const std::uint8_t* validity_ = nullptr;
  const void* values_ = nullptr;
  const std::int32_t* offsets_ = nullptr;
  const char* bytes_ = nullptr;
  std::shared_ptr<const Column> dictionary_;
  std::shared_ptr<const void> owner_;
};

/// Appends values and makes a Column. Strings are coded when `coded` is asked for.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(Type type);
  void reserve(std::int64_t rows);
  void append_null();
  void append_boolean(bool v);
  void append_integer(std::int64_t v);     ///< the caller has checked that it fits int32 / date
  void append_real(double v);              ///< rounds to float32 for Type::float32
  void append_string(std::string_view v);  ///< of a list: its packed bytes
  /// Appends a value of this builder's type, or null. The variant's alternative must fit.
  void append(const Value& value);
  /// Copies one row of a column of the same type.
  void append_from(const Column& column, std::int64_t row);
  std::int64_t size() const { return rows_; }
  Type type() const { return type_; }
  /// Ends building and leaves the builder empty.
  Column finish();

 private:
  void push_valid(bool valid);
  Type type_;
  std::int64_t rows_ = 0;
  bool any_null_ = false;
  std::vector<std::uint8_t> validity_, bits_;
  std::vector<std::byte> values_;
  std::vector<std::int32_t> offsets_;
  std::string bytes_;
};

/// A named, typed column of a schema.
struct Field {
  std::string name;
  Type type = Type::null;
  bool nullable = false;
  friend bool operator==(const Field&, const Field&) = default;
};

/// Ordered fields with unique names.
struct Schema {
  std::vector<Field> fields;
  /// Index of a field, or -1.
  int index_of(std::string_view field_name) const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

/// Columns of equal length under one schema.
struct Batch {
  Schema schema;
  std::vector<Column> columns;
  std::int64_t rows = 0;

  /// The column of that name, or null.
  const Column* find(std::string_view name) const;
};

/// The rows of `batch` at `rows`, in that order (repeats allowed). Dictionaries are shared.
Batch take(const Batch& batch, std::span<const std::int64_t> rows);
Column take(const Column& column, std::span<const std::int64_t> rows);
/// Rows one after another; schemas must be equal. Coded columns with the same dictionary stay
/// coded; others get one merged dictionary. Errors: type_mismatch; unsupported where the distinct
/// texts of a column have more than `max_text_bytes`, which offsets of 32 bits cannot tell.
Result<Batch> concatenate(std::span<const Batch> batches,
                          std::size_t max_text_bytes = (std::size_t{1} << 31) - 1);

}  // namespace coeval::data
