#include "data/row_codec.h"

#include <bit>
#include <cstring>

#include "base/check.h"
#include "data/decimal.h"
#include "data/packed_list.h"
#include "data/row_block.h"

namespace coeval::data {

static_assert(std::endian::native == std::endian::little, "files are little-endian, and so are we");

namespace {

void put_bytes(std::string& out, const void* bytes, std::size_t size) {
  out.append(static_cast<const char*>(bytes), size);
}

template <class T>
bool take_integer(std::string_view& rest, T& v) {
  if (rest.size() < sizeof v) return false;
  std::memcpy(&v, rest.data(), sizeof v);
  rest.remove_prefix(sizeof v);
  return true;
}

void append_cell(std::string& out, const Column& column, std::int64_t row) {
  const std::size_t bytes_each = width(column.type());
  if (column.type() == Type::boolean) {
    put_u8(out, column.bit(row) ? 1 : 0);
  } else if (has_bytes(column.type())) {
    put_text(out, column.string(row));
  } else {
    COEVAL_CHECK(bytes_each != 0);
    const auto* values = static_cast<const char*>(column.values_data());
    put_bytes(out, values + static_cast<std::size_t>(row) * bytes_each, bytes_each);
  }
}

bool null_at(std::string_view bitmap, std::size_t field) {
  return (static_cast<unsigned char>(bitmap[field >> 3]) >> (field & 7) & 1) != 0;
}

// Bits of the bitmap after the last field: an encoder leaves them clear.
bool spare_bits_clear(std::string_view bitmap, std::size_t fields) {
  return fields % 8 == 0 || static_cast<unsigned char>(bitmap.back()) >> (fields % 8) == 0;
}

bool skip_cell(ByteReader& reader, Type type) {
  std::string_view ignored;
  std::uint8_t flag = 0;
  if (type == Type::boolean) return reader.u8(flag) && flag <= 1;
  if (type == Type::string) return reader.text(ignored);
  if (is_list(type)) return reader.text(ignored) && is_packed_list(ignored, type);
  if (is_decimal(type)) {
    std::uint64_t scaled = 0;
    return reader.u64(scaled) && has_digits(static_cast<std::int64_t>(scaled), precision_of(type));
  }
  return width(type) != 0 && reader.bytes(width(type), ignored);
}

void decode_cell(ByteReader& reader, ColumnBuilder& builder) {
  std::uint8_t flag = 0;
  std::uint32_t narrow = 0;
  std::uint64_t wide = 0;
  std::string_view text;
  if (builder.type() == Type::boolean) {
    reader.u8(flag);
    builder.append_boolean(flag != 0);
  } else if (has_bytes(builder.type())) {
    reader.text(text);
    builder.append_string(text);
  } else if (width(builder.type()) == 4) {
    // Floats go in as the integer of their bits: a conversion to double would quiet a NaN.
    reader.u32(narrow);
    builder.append_integer(static_cast<std::int32_t>(narrow));
  } else {
    reader.u64(wide);
    builder.append_integer(static_cast<std::int64_t>(wide));
  }
}

std::unexpected<Error> bad_row(const std::string& what) {
  return fail(Code::bad_file, "a stored row " + what,
              "it was written under another schema, or the file is damaged");
}

// The row's bitmap, once every byte of the row is known to be in its place.
Result<std::string_view> checked_bitmap(std::string_view bytes, const Schema& schema) {
  const std::size_t fields = schema.fields.size();
  ByteReader reader(bytes);
  std::string_view bitmap;
  if (!reader.bytes((fields + 7) / 8, bitmap)) return bad_row("is cut short in its null bitmap");
  if (!spare_bits_clear(bitmap, fields)) return bad_row("has nulls beyond its last column");
  for (std::size_t i = 0; i < fields; ++i)
    if (!null_at(bitmap, i) && !skip_cell(reader, schema.fields[i].type))
      return bad_row("ends or is malformed in column '" + schema.fields[i].name + "'");
  if (reader.remaining() != 0)
    return bad_row("is longer than its columns by bytes: " + std::to_string(reader.remaining()));
  return bitmap;
}

}  // namespace

void append_row(std::string& out, const Batch& batch, std::int64_t row) {
  const std::size_t bitmap = out.size();
  out.append((batch.columns.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    if (batch.columns[i].is_null(row)) {
      char& byte = out[bitmap + (i >> 3)];
      byte = static_cast<char>(static_cast<unsigned char>(byte) | 1u << (i & 7));
    } else {
      append_cell(out, batch.columns[i], row);
    }
  }
}

void append_rows(std::string& out, const Batch& batch, std::vector<std::size_t>& ends) {
  std::vector<std::size_t> sizes;
  measure_rows(batch, 0, batch.rows, sizes);
  const std::size_t begin = out.size();
  std::size_t end = begin;
  ends.reserve(ends.size() + sizes.size());
  for (const std::size_t size : sizes) ends.push_back(end += size);
  out.resize(end);
  write_rows(out.data() + begin, batch, 0, sizes);
}

std::string encode_row(const Batch& batch, std::int64_t row) {
  std::string out;
  append_row(out, batch, row);
  return out;
}

Status decode_row(std::string_view bytes, const Schema& schema,
                  std::vector<ColumnBuilder>& builders) {
  COEVAL_CHECK(builders.size() == schema.fields.size());
  COEVAL_ASSIGN(const std::string_view bitmap, checked_bitmap(bytes, schema));
  ByteReader reader(bytes.substr(bitmap.size()));
  for (std::size_t i = 0; i < builders.size(); ++i) {
    COEVAL_CHECK(builders[i].type() == schema.fields[i].type);
    if (null_at(bitmap, i))
      builders[i].append_null();
    else
      decode_cell(reader, builders[i]);
  }
  return {};
}

Result<std::vector<std::string_view>> row_cells(std::string_view bytes, const Schema& schema) {
  COEVAL_ASSIGN(const std::string_view bitmap, checked_bitmap(bytes, schema));
  ByteReader reader(bytes.substr(bitmap.size()));
  std::vector<std::string_view> cells(schema.fields.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (null_at(bitmap, i)) continue;
    const std::size_t begin = bytes.size() - reader.remaining();
    skip_cell(reader, schema.fields[i].type);
    cells[i] = bytes.substr(begin, bytes.size() - reader.remaining() - begin);
  }
  return cells;
}

void put_u8(std::string& out, std::uint8_t v) { put_bytes(out, &v, sizeof v); }
void put_u32(std::string& out, std::uint32_t v) { put_bytes(out, &v, sizeof v); }
void put_u64(std::string& out, std::uint64_t v) { put_bytes(out, &v, sizeof v); }

void put_text(std::string& out, std::string_view v) {
  COEVAL_CHECK(v.size() <= UINT32_MAX);
  put_u32(out, static_cast<std::uint32_t>(v.size()));
  out.append(v);
}

bool ByteReader::u8(std::uint8_t& v) { return take_integer(rest_, v); }
bool ByteReader::u32(std::uint32_t& v) { return take_integer(rest_, v); }
bool ByteReader::u64(std::uint64_t& v) { return take_integer(rest_, v); }

bool ByteReader::text(std::string_view& v) {
  std::string_view rest = rest_;
  std::uint32_t size = 0;
  if (!take_integer(rest, size) || rest.size() < size) return false;
  v = rest.substr(0, size);
  rest_ = rest.substr(size);
  return true;
}

bool ByteReader::bytes(std::size_t size, std::string_view& v) {
  if (rest_.size() < size) return false;
  v = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

}  // namespace coeval::data
