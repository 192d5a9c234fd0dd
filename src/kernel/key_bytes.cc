#include "kernel/key_bytes.h"

#include <bit>

#include "data/row_codec.h"

namespace coeval::kernel {

namespace {

std::uint64_t real_key(double value) {
  if (value == 0) return 0;
  return value != value ? 0x7FF8000000000000 : std::bit_cast<std::uint64_t>(value);
}

void append_part(std::string& key, const data::Column& column, std::int64_t row) {
  switch (column.type()) {
    case data::Type::boolean:
      return data::put_u8(key, column.bit(row) ? 1 : 0);
    case data::Type::string:
      return data::put_text(key, column.string(row));
    case data::Type::float32:
    case data::Type::float64:
      return data::put_u64(key, real_key(column.real(row)));
    default:
      return data::put_u64(key, static_cast<std::uint64_t>(column.integer(row)));
  }
}

}  // namespace

bool make_key(std::string& key, std::span<const data::Column* const> columns, std::int64_t row) {
  key.clear();
  for (const data::Column* column : columns) {
    if (column->is_null(row)) return false;
    append_part(key, *column, row);
  }
  return true;
}

}  // namespace coeval::kernel
