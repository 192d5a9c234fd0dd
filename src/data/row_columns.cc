#include "data/row_columns.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/check.h"
#include "data/decimal.h"
#include "data/packed_list.h"
#include "data/row_codec.h"

namespace coeval::data {

namespace {

// A column of so many rows, of which one after another is filled.
class RowsColumn {
 public:
  RowsColumn(Type type, std::size_t rows)
      : type_(type), width_(width(type)), rows_(rows), validity_((rows + 7) / 8, 0xFF) {
    if (has_bytes(type))
      offsets_.reserve(rows + 1), offsets_.push_back(0);
    else if (type == Type::boolean)
      bits_.resize((rows + 7) / 8);
    else
      values_.resize(rows * width_);
  }

  void put_null(std::size_t row) {
    any_null_ = true;
    validity_[row >> 3] = static_cast<std::uint8_t>(validity_[row >> 3] & ~(1u << (row & 7)));
    if (has_bytes(type_)) offsets_.push_back(offsets_.back());
  }
  // Takes the cell that `rest` begins with; false when it is none.
  bool take(std::string_view& rest, std::size_t row) {
    if (width_ == 8) return take_fixed<std::uint64_t>(rest, row) && has_fitting_digits(row);
    if (width_ == 4) return take_fixed<std::uint32_t>(rest, row);
    return type_ == Type::boolean ? take_bit(rest, row) : has_bytes(type_) && take_text(rest);
  }

  Column finish() {
    if (!any_null_) validity_.clear();
    const auto rows = static_cast<std::int64_t>(rows_);
    if (has_bytes(type_))
      return Column::strings(std::move(offsets_), std::move(bytes_), std::move(validity_), type_);
    if (type_ == Type::boolean)
      return Column::boolean(std::move(bits_), std::move(validity_), rows);
    return Column::fixed(type_, std::move(values_), std::move(validity_), rows);
  }

 private:
  template <class T>
  bool take_fixed(std::string_view& rest, std::size_t row) {
    if (rest.size() < sizeof(T)) return false;
    std::memcpy(values_.data() + row * sizeof(T), rest.data(), sizeof(T));
    rest.remove_prefix(sizeof(T));
    return true;
  }
  bool has_fitting_digits(std::size_t row) const {
    if (!is_decimal(type_)) return true;
    std::int64_t scaled = 0;
    std::memcpy(&scaled, values_.data() + row * sizeof scaled, sizeof scaled);
    return has_digits(scaled, precision_of(type_));
  }
  bool take_bit(std::string_view& rest, std::size_t row) {
    const auto flag = static_cast<unsigned char>(rest.empty() ? 2 : rest.front());
    if (flag > 1) return false;
    rest.remove_prefix(1);
    bits_[row >> 3] = static_cast<std::uint8_t>(bits_[row >> 3] | flag << (row & 7));
    return true;
  }
  bool take_text(std::string_view& rest) {
    std::uint32_t size = 0;
    if (rest.size() < sizeof size) return false;
    std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() - sizeof size < size) return false;
    const std::string_view text = rest.substr(sizeof size, size);
    if (is_list(type_) && !is_packed_list(text, type_)) return false;
    COEVAL_CHECK(bytes_.size() + size < (std::size_t{1} << 31));
    bytes_.append(text);
    offsets_.push_back(static_cast<std::int32_t>(bytes_.size()));
    rest.remove_prefix(sizeof size + size);
    return true;
  }

  Type type_;
  std::size_t width_, rows_;
  bool any_null_ = false;
  std::vector<std::uint8_t> validity_, bits_;
  std::vector<std::byte> values_;
  std::vector<std::int32_t> offsets_;
  std::string bytes_;
};

bool null_at(std::string_view bitmap, std::size_t field) {
  return (static_cast<unsigned char>(bitmap[field >> 3]) >> (field & 7) & 1) != 0;
}

// What decode_row() says of a row that it refuses.
std::unexpected<Error> why_not(std::string_view row, const Schema& schema) {
  std::vector<ColumnBuilder> builders;
  for (const Field& field : schema.fields) builders.emplace_back(field.type);
  auto decoded = decode_row(row, schema, builders);
  COEVAL_CHECK(!decoded);
  return std::unexpected(std::move(decoded).error());
}

bool take_row(std::string_view bytes, std::vector<RowsColumn>& columns, std::size_t row) {
  const std::size_t bitmap_bytes = (columns.size() + 7) / 8;
  if (bytes.size() < bitmap_bytes) return false;
  const std::string_view bitmap = bytes.substr(0, bitmap_bytes);
  for (std::size_t bit = columns.size(); bit < bitmap_bytes * 8; ++bit)
    if (null_at(bitmap, bit)) return false;
  std::string_view rest = bytes.substr(bitmap_bytes);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (null_at(bitmap, i))
      columns[i].put_null(row);
    else if (!columns[i].take(rest, row))
      return false;
  }
  return rest.empty();
}

}  // namespace

Result<std::vector<Column>> decode_rows(std::span<const std::string_view> rows,
                                        std::span<const std::int64_t> places,
                                        const Schema& schema) {
  constexpr std::size_t kAhead = 16;  // the processor cannot foresee where rows lie
  std::vector<RowsColumn> columns;
  columns.reserve(schema.fields.size());
  for (const Field& field : schema.fields) columns.emplace_back(field.type, places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (i + kAhead < places.size())
      __builtin_prefetch(rows[static_cast<std::size_t>(places[i + kAhead])].data());
    const std::string_view row = rows[static_cast<std::size_t>(places[i])];
    if (take_row(row, columns, i)) continue;
    return why_not(row, schema);
  }
  std::vector<Column> out;
  out.reserve(columns.size());
  for (RowsColumn& column : columns) out.push_back(column.finish());
  return out;
}

}  // namespace coeval::data
