#include "data/batch_codec.h"

#include <cstring>
#include <memory>
#include <utility>

#include "data/row_codec.h"

namespace coeval::data {

namespace {

constexpr std::uint8_t kWithNulls = 1, kCoded = 2;

std::size_t bitmap_bytes(std::int64_t rows) { return static_cast<std::size_t>(rows + 7) / 8; }

void put_bytes(std::string& out, const void* from, std::size_t size) {
  if (size > 0) out.append(static_cast<const char*>(from), size);
}

// Texts one behind the other: their ends, then their bytes.
template <class TextOf>
void put_texts(std::string& out, std::int64_t count, TextOf text_of) {
  std::string bytes;
  std::vector<std::int32_t> offsets = {0};
  for (std::int64_t i = 0; i < count; ++i) {
    bytes += text_of(i);
    offsets.push_back(static_cast<std::int32_t>(bytes.size()));
  }
  put_u32(out, static_cast<std::uint32_t>(bytes.size()));
  put_bytes(out, offsets.data(), offsets.size() * sizeof(std::int32_t));
  out += bytes;
}

void put_coded(std::string& out, const Column& column) {
  const Column& dictionary = column.dictionary();
  std::vector<std::int32_t> places(static_cast<std::size_t>(dictionary.size()), -1), codes;
  std::vector<std::int32_t> used;
  codes.reserve(static_cast<std::size_t>(column.size()));
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      codes.push_back(0);
      continue;
    }
    std::int32_t& place = places[static_cast<std::size_t>(column.code(row))];
    if (place < 0) {
      place = static_cast<std::int32_t>(used.size());
      used.push_back(column.code(row));
    }
    codes.push_back(place);
  }
  // A code stands for something even where all rows are null.
  if (used.empty() && column.size() > 0) used.push_back(0);
  put_bytes(out, codes.data(), codes.size() * sizeof(std::int32_t));
  put_u32(out, static_cast<std::uint32_t>(used.size()));
  put_texts(out, std::ssize(used),
            [&](std::int64_t i) { return dictionary.string(used[static_cast<std::size_t>(i)]); });
}

void put_column(std::string& out, const Column& column) {
  const bool coded = column.is_coded() && column.dictionary().size() > 0;
  put_u8(out,
         static_cast<std::uint8_t>((column.has_nulls() ? kWithNulls : 0) | (coded ? kCoded : 0)));
  if (column.has_nulls()) put_bytes(out, column.validity_data(), bitmap_bytes(column.size()));
  if (coded)
    put_coded(out, column);
  else if (has_bytes(column.type()))
    put_texts(out, column.size(), [&](std::int64_t i) {
      return column.is_null(i) ? std::string_view() : column.string(i);
    });
  else if (column.type() == Type::boolean)
    put_bytes(out, column.values_data(), bitmap_bytes(column.size()));
  else
    put_bytes(out, column.values_data(),
              static_cast<std::size_t>(column.size()) * width(column.type()));
}

template <class T>
bool read_values(ByteReader& reader, std::size_t count, std::vector<T>& out) {
  std::string_view bytes;
  if (!reader.bytes(count * sizeof(T), bytes)) return false;
  out.resize(count);
  if (count > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
  return true;
}

bool read_texts(ByteReader& reader, std::size_t count, std::vector<std::int32_t>& offsets,
                std::string& bytes) {
  std::uint32_t size = 0;
  std::string_view text;
  if (!reader.u32(size) || !read_values(reader, count + 1, offsets) || !reader.bytes(size, text))
    return false;
  for (std::size_t i = 0; i < count; ++i)
    if (offsets[i] > offsets[i + 1]) return false;
  if (offsets.front() != 0 || offsets.back() != static_cast<std::int64_t>(size)) return false;
  bytes = text;
  return true;
}

bool read_coded(ByteReader& reader, Type type, std::size_t rows, std::vector<std::uint8_t> validity,
                Column& out) {
  std::vector<std::int32_t> codes, offsets;
  std::uint32_t used = 0;
  std::string bytes;
  if (!read_values(reader, rows, codes) || !reader.u32(used) || used > rows ||
      !read_texts(reader, used, offsets, bytes))
    return false;
  for (const std::int32_t code : codes)
    if (code < 0 || static_cast<std::uint32_t>(code) >= used) return false;
  auto dictionary = std::make_shared<const Column>(
      Column::strings(std::move(offsets), std::move(bytes), {}, type));
  out = Column::coded(std::move(codes), std::move(dictionary), std::move(validity));
  return true;
}

bool read_column(ByteReader& reader, Type type, std::int64_t rows, Column& out) {
  std::uint8_t flags = 0;
  const auto count = static_cast<std::size_t>(rows);
  std::vector<std::uint8_t> validity;
  if (!reader.u8(flags)) return false;
  if ((flags & kWithNulls) != 0 && !read_values(reader, bitmap_bytes(rows), validity)) return false;
  if ((flags & kCoded) != 0)
    return has_bytes(type) && read_coded(reader, type, count, std::move(validity), out);
  if (has_bytes(type)) {
    std::vector<std::int32_t> offsets;
    std::string bytes;
    if (!read_texts(reader, count, offsets, bytes)) return false;
    out = Column::strings(std::move(offsets), std::move(bytes), std::move(validity), type);
  } else if (type == Type::boolean) {
    std::vector<std::uint8_t> bits;
    if (!read_values(reader, bitmap_bytes(rows), bits)) return false;
    out = Column::boolean(std::move(bits), std::move(validity), rows);
  } else {
    std::vector<std::byte> values;
    if (!read_values(reader, count * width(type), values)) return false;
    out = Column::fixed(type, std::move(values), std::move(validity), rows);
  }
  return true;
}

}  // namespace

std::string encode_batch(const Batch& batch) {
  std::string out;
  put_u64(out, static_cast<std::uint64_t>(batch.rows));
  for (const Column& column : batch.columns) put_column(out, column);
  return out;
}

Result<Batch> decode_batch(std::string_view bytes, const Schema& schema) {
  ByteReader reader(bytes);
  Batch batch;
  batch.schema = schema;
  std::uint64_t rows = 0;
  bool good = reader.u64(rows) && rows <= 1ULL << 32;
  batch.rows = static_cast<std::int64_t>(rows);
  for (std::size_t i = 0; good && i < schema.fields.size(); ++i)
    good = read_column(reader, schema.fields[i].type, batch.rows, batch.columns.emplace_back());
  if (good && reader.remaining() == 0) return batch;
  return fail(Code::bad_file, "the bytes are not of a batch with these columns");
}

}  // namespace coeval::data
