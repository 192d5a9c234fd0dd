#include "data/column.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "base/check.h"

namespace coeval::data {

namespace {

// What a column built here keeps alive.
struct Buffers {
  std::vector<std::byte> values;
  std::vector<std::uint8_t> bits, validity;
  std::vector<std::int32_t> offsets;
  std::string bytes;
};

bool all_set(const std::vector<std::uint8_t>& bitmap, std::int64_t rows) {
  const auto whole = bitmap.begin() + (rows >> 3);
  if (!std::all_of(bitmap.begin(), whole, [](std::uint8_t bits) { return bits == 0xFF; }))
    return false;
  const auto rest = static_cast<unsigned>((1 << (rows & 7)) - 1);
  return rest == 0 || (*whole & rest) == rest;
}

void push_bit(std::vector<std::uint8_t>& bitmap, std::int64_t row, bool set) {
  if ((row & 7) == 0) bitmap.push_back(0);
  if (set) bitmap.back() = static_cast<std::uint8_t>(bitmap.back() | 1u << (row & 7));
}

template <class T>
std::vector<std::byte> gather(const Column& column, std::span<const std::int64_t> rows) {
  std::vector<std::byte> out(rows.size() * sizeof(T));
  const auto from = column.values<T>();
  auto* to = reinterpret_cast<T*>(out.data());
  for (std::size_t i = 0; i < rows.size(); ++i) to[i] = from[static_cast<std::size_t>(rows[i])];
  return out;
}

std::vector<std::uint8_t> gather_validity(const Column& column,
                                          std::span<const std::int64_t> rows) {
  std::vector<std::uint8_t> bitmap;
  if (!column.has_nulls()) return bitmap;
  bitmap.reserve(rows.size() / 8 + 1);
  for (std::size_t i = 0; i < rows.size(); ++i)
    push_bit(bitmap, static_cast<std::int64_t>(i), !column.is_null(rows[i]));
  return bitmap;
}

// Rows that follow one another.
struct RowRun {
  std::int64_t first = 0, count = 0;
};

// None where they seldom do.
std::vector<RowRun> runs_of(std::span<const std::int64_t> rows) {
  constexpr std::size_t kFewRows = 8;  // a run
  std::vector<RowRun> runs;
  for (std::size_t at = 0; at < rows.size();) {
    if (runs.size() > 1 + rows.size() / kFewRows) return {};
    std::size_t end = at + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    runs.push_back({rows[at], static_cast<std::int64_t>(end - at)});
    at = end;
  }
  return runs;
}

template <class T>
std::vector<T> gather_runs(const T* from, std::span<const RowRun> runs, std::int64_t rows) {
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(rows));
  for (const RowRun& run : runs)
    out.insert(out.end(), from + run.first, from + run.first + run.count);
  return out;
}

std::vector<std::byte> gather_values(const Column& column, std::span<const RowRun> runs,
                                     std::int64_t rows) {
  const std::size_t bytes = width(column.type());
  const auto* from = static_cast<const std::byte*>(column.values_data());
  std::vector<std::byte> out;
  out.reserve(static_cast<std::size_t>(rows) * bytes);
  for (const RowRun& run : runs) {
    const std::byte* const first = from + static_cast<std::size_t>(run.first) * bytes;
    out.insert(out.end(), first, first + static_cast<std::size_t>(run.count) * bytes);
  }
  return out;
}

// Puts `count` bits, of `from` from `first` on, behind the `size` bits of a bitmap.
void append_bits(std::vector<std::uint8_t>& bitmap, std::int64_t size, const std::uint8_t* from,
                 std::int64_t first, std::int64_t count) {
  const auto bit = [from](std::int64_t at) { return (from[at >> 3] >> (at & 7) & 1) != 0; };
  for (; count > 0 && (size & 7) != 0; --count) push_bit(bitmap, size++, bit(first++));
  const unsigned shift = first & 7;
  for (; count >= 8; count -= 8, first += 8, size += 8) {
    unsigned bits = from[first >> 3] >> shift;
    if (shift != 0) bits |= static_cast<unsigned>(from[(first >> 3) + 1]) << (8 - shift);
    bitmap.push_back(static_cast<std::uint8_t>(bits));
  }
  for (; count > 0; --count) push_bit(bitmap, size++, bit(first++));
}

std::vector<std::uint8_t> gather_bits(const std::uint8_t* from, std::span<const RowRun> runs,
                                      std::int64_t rows) {
  std::vector<std::uint8_t> bitmap;
  if (from == nullptr) return bitmap;
  bitmap.reserve(static_cast<std::size_t>(rows) / 8 + 1);
  std::int64_t size = 0;
  for (const RowRun& run : runs) {
    append_bits(bitmap, size, from, run.first, run.count);
    size += run.count;
  }
  return bitmap;
}

// Plain strings or lists.
Column take_bytes(const Column& column, std::span<const RowRun> runs, std::int64_t rows) {
  const std::int32_t* const from = column.offsets_data();
  std::vector<std::int32_t> offsets;
  offsets.reserve(static_cast<std::size_t>(rows) + 1);
  offsets.push_back(0);
  std::string bytes;
  for (const RowRun& run : runs) {
    const std::int32_t begin = from[run.first], end = from[run.first + run.count];
    COEVAL_CHECK(bytes.size() + static_cast<std::size_t>(end - begin) < (std::size_t{1} << 31));
    const std::int32_t moved = static_cast<std::int32_t>(bytes.size()) - begin;
    bytes.append(column.bytes_data() + begin, static_cast<std::size_t>(end - begin));
    for (std::int64_t row = run.first + 1; row <= run.first + run.count; ++row)
      offsets.push_back(from[row] + moved);
  }
  return Column::strings(std::move(offsets), std::move(bytes),
                         gather_bits(column.validity_data(), runs, rows), column.type());
}

// Rows in any order, one by one.
Column take_each(const Column& column, std::span<const std::int64_t> rows) {
  const auto count = static_cast<std::int64_t>(rows.size());
  if (column.is_coded()) {
    std::vector<std::int32_t> codes(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) codes[i] = column.code(rows[i]);
    return Column::coded(std::move(codes), column.dictionary_ptr(), gather_validity(column, rows));
  }
  switch (width(column.type())) {
    case 4:
      return Column::fixed(column.type(), gather<std::int32_t>(column, rows),
                           gather_validity(column, rows), count);
    case 8:
      return Column::fixed(column.type(), gather<std::int64_t>(column, rows),
                           gather_validity(column, rows), count);
    default: {
      ColumnBuilder builder(column.type());
      for (const std::int64_t row : rows) builder.append_from(column, row);
      return builder.finish();
    }
  }
}

// As take_each().
Column take_runs(const Column& column, std::span<const RowRun> runs, std::int64_t rows) {
  std::vector<std::uint8_t> validity = gather_bits(column.validity_data(), runs, rows);
  if (column.is_coded())
    return Column::coded(
        gather_runs(static_cast<const std::int32_t*>(column.values_data()), runs, rows),
        column.dictionary_ptr(), std::move(validity));
  if (width(column.type()) > 0)
    return Column::fixed(column.type(), gather_values(column, runs, rows), std::move(validity),
                         rows);
  if (has_bytes(column.type())) return take_bytes(column, runs, rows);
  const auto* bits = static_cast<const std::uint8_t*>(column.values_data());
  return Column::boolean(gather_bits(bits, runs, rows), std::move(validity), rows);
}

bool one_dictionary(std::span<const Batch> batches, std::size_t column) {
  for (const auto& batch : batches)
    if (batch.columns[column].dictionary_ptr() != batches.front().columns[column].dictionary_ptr())
      return false;
  return batches.front().columns[column].is_coded();
}

Result<Column> concatenate_coded(std::span<const Batch> batches, std::size_t column,
                                 std::int64_t rows, std::size_t max_text_bytes) {
  const Type type = batches.front().columns[column].type();
  std::vector<std::int32_t> codes;
  codes.reserve(static_cast<std::size_t>(rows));
  std::vector<std::uint8_t> validity;
  std::vector<std::int32_t> offsets = {0};
  std::string bytes;
  std::unordered_map<std::string, std::int32_t> known;
  bool fits = true;
  const auto code_of = [&](std::string_view text) {
    const auto [at, fresh] =
        known.try_emplace(std::string(text), static_cast<std::int32_t>(known.size()));
    fits = fits && (!fresh || text.size() <= max_text_bytes - bytes.size());
    if (fresh && fits) {
      bytes.append(text);
      offsets.push_back(static_cast<std::int32_t>(bytes.size()));
    }
    return at->second;
  };
  for (const auto& batch : batches) {
    if (!fits) break;
    const Column& from = batch.columns[column];
    std::vector<std::int32_t> translated;
    if (from.is_coded())
      for (std::int64_t i = 0; i < from.dictionary().size(); ++i)
        translated.push_back(code_of(from.dictionary().string(i)));
    for (std::int64_t row = 0; row < from.size(); ++row) {
      const bool valid = !from.is_null(row);
      push_bit(validity, static_cast<std::int64_t>(codes.size()), valid);
      if (!valid)
        codes.push_back(0);
      else
        codes.push_back(from.is_coded() ? translated[static_cast<std::size_t>(from.code(row))]
                                        : code_of(from.string(row)));
    }
  }
  if (!fits)
    return fail(Code::unsupported,
                "column '" + batches.front().schema.fields[column].name +
                    "' holds more distinct text than one column can, bytes: " +
                    std::to_string(max_text_bytes),
                "read less at a time, or leave the column out");
  if (offsets.size() == 1) offsets.push_back(0);  // a null's code still needs an entry
  auto dictionary =
      std::make_shared<Column>(Column::strings(std::move(offsets), std::move(bytes), {}, type));
  return Column::coded(std::move(codes), std::move(dictionary), std::move(validity));
}

Column concatenate_plain(std::span<const Batch> batches, std::size_t column, std::int64_t rows) {
  const Column& first = batches.front().columns[column];
  if (width(first.type()) > 0) {
    const std::size_t bytes_each = width(first.type());
    std::vector<std::byte> values(static_cast<std::size_t>(rows) * bytes_each);
    std::vector<std::uint8_t> validity;
    bool nulls = false;
    for (const auto& batch : batches) nulls = nulls || batch.columns[column].has_nulls();
    std::int64_t at = 0;
    for (const auto& batch : batches) {
      const Column& from = batch.columns[column];
      const auto size = static_cast<std::size_t>(from.size()) * bytes_each;
      if (size > 0)
        std::memcpy(values.data() + static_cast<std::size_t>(at) * bytes_each, from.values_data(),
                    size);
      if (nulls)
        for (std::int64_t row = 0; row < from.size(); ++row)
          push_bit(validity, at + row, !from.is_null(row));
      at += from.size();
    }
    return Column::fixed(first.type(), std::move(values), std::move(validity), rows);
  }
  ColumnBuilder builder(first.type());
  for (const auto& batch : batches)
    for (std::int64_t row = 0; row < batch.rows; ++row)
      builder.append_from(batch.columns[column], row);
  return builder.finish();
}

// Lists are seldom equal, so they become a plain column.
Result<Column> concatenate_lists(std::span<const Batch> batches, std::size_t column) {
  ColumnBuilder builder(batches.front().columns[column].type());
  std::size_t bytes = 0;
  for (const auto& batch : batches)
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      const Column& from = batch.columns[column];
      bytes += from.is_null(row) ? 0 : from.string(row).size();
      if (bytes >= std::size_t{1} << 31)
        return fail(
            Code::unsupported,
            "column '" + batch.schema.fields[column].name + "' holds 2 GiB of lists or more",
            "declare shorter lists, or read fewer rows");
      builder.append_from(from, row);
    }
  return builder.finish();
}

}  // namespace

Column Column::fixed(Type type, std::vector<std::byte> values, std::vector<std::uint8_t> validity,
                     std::int64_t rows) {
  COEVAL_CHECK(width(type) > 0 && values.size() >= static_cast<std::size_t>(rows) * width(type));
  auto owner = std::make_shared<Buffers>();
  owner->values = std::move(values);
  owner->validity = std::move(validity);
  if (!owner->validity.empty() && all_set(owner->validity, rows)) owner->validity.clear();
  const auto* bitmap = owner->validity.empty() ? nullptr : owner->validity.data();
  return borrowed(type, rows, bitmap, owner->values.data(), nullptr, nullptr, nullptr, owner);
}

Column Column::boolean(std::vector<std::uint8_t> bits, std::vector<std::uint8_t> validity,
                       std::int64_t rows) {
  auto owner = std::make_shared<Buffers>();
  owner->bits = std::move(bits);
  owner->validity = std::move(validity);
  if (!owner->validity.empty() && all_set(owner->validity, rows)) owner->validity.clear();
  const auto* bitmap = owner->validity.empty() ? nullptr : owner->validity.data();
  return borrowed(Type::boolean, rows, bitmap, owner->bits.data(), nullptr, nullptr, nullptr,
                  owner);
}

Column Column::strings(std::vector<std::int32_t> offsets, std::string bytes,
                       std::vector<std::uint8_t> validity, Type type) {
  COEVAL_CHECK(!offsets.empty() && has_bytes(type));
  auto owner = std::make_shared<Buffers>();
  owner->offsets = std::move(offsets);
  owner->bytes = std::move(bytes);
  owner->validity = std::move(validity);
  const auto rows = static_cast<std::int64_t>(owner->offsets.size()) - 1;
  if (!owner->validity.empty() && all_set(owner->validity, rows)) owner->validity.clear();
  const auto* bitmap = owner->validity.empty() ? nullptr : owner->validity.data();
  return borrowed(type, rows, bitmap, nullptr, owner->offsets.data(), owner->bytes.data(), nullptr,
                  owner);
}

Column Column::coded(std::vector<std::int32_t> codes, std::shared_ptr<const Column> dictionary,
                     std::vector<std::uint8_t> validity) {
  const auto rows = static_cast<std::int64_t>(codes.size());
  struct Codes {
    std::vector<std::int32_t> codes;
    std::vector<std::uint8_t> validity;
  };
  auto owner = std::make_shared<Codes>(Codes{std::move(codes), std::move(validity)});
  if (!owner->validity.empty() && all_set(owner->validity, rows)) owner->validity.clear();
  const auto* bitmap = owner->validity.empty() ? nullptr : owner->validity.data();
  const Type type = dictionary->type();
  return borrowed(type, rows, bitmap, owner->codes.data(), nullptr, nullptr, std::move(dictionary),
                  owner);
}

Column Column::borrowed(Type type, std::int64_t rows, const std::uint8_t* validity,
                        const void* values, const std::int32_t* offsets, const char* bytes,
                        std::shared_ptr<const Column> dictionary,
                        std::shared_ptr<const void> owner) {
  Column column;
  column.type_ = type;
  column.width_ = static_cast<std::uint8_t>(width(type));
  column.rows_ = rows;
  column.validity_ = validity;
  column.values_ = values;
  column.offsets_ = offsets;
  column.bytes_ = bytes;
  column.dictionary_ = std::move(dictionary);
  column.owner_ = std::move(owner);
  return column;
}

Column Column::with_list_type(Type type) const {
  COEVAL_CHECK(is_list(type) && is_list(type_) && element_of(type) == element_of(type_));
  Column same = *this;
  same.type_ = type;
  if (dictionary_)
    same.dictionary_ = std::make_shared<const Column>(dictionary_->with_list_type(type));
  return same;
}

Value Column::value(std::int64_t row) const {
  if (is_null(row)) return {};
  if (has_bytes(type_)) return std::string(string(row));
  switch (type_) {
    case Type::boolean:
      return bit(row);
    case Type::float32:
    case Type::float64:
      return real(row);
    case Type::null:
      return {};
    default:
      return integer(row);
  }
}

ColumnBuilder::ColumnBuilder(Type type) : type_(type) {
  if (has_bytes(type_)) offsets_.push_back(0);
}

void ColumnBuilder::reserve(std::int64_t rows) {
  const auto count = static_cast<std::size_t>(rows);
  values_.reserve(count * width(type_));
  validity_.reserve(count / 8 + 1);
  if (has_bytes(type_)) offsets_.reserve(count + 1);
}

void ColumnBuilder::push_valid(bool valid) {
  push_bit(validity_, rows_, valid);
  any_null_ = any_null_ || !valid;
  ++rows_;
}

void ColumnBuilder::append_null() {
  if (type_ == Type::boolean) push_bit(bits_, rows_, false);
  if (has_bytes(type_)) offsets_.push_back(static_cast<std::int32_t>(bytes_.size()));
  values_.resize(values_.size() + width(type_));
  push_valid(false);
}

void ColumnBuilder::append_boolean(bool v) {
  push_bit(bits_, rows_, v);
  push_valid(true);
}

void ColumnBuilder::append_integer(std::int64_t v) {
  const std::size_t at = values_.size(), bytes = width(type_);
  values_.resize(at + bytes);
  const auto narrow = static_cast<std::int32_t>(v);
  if (bytes == 4)
    std::memcpy(values_.data() + at, &narrow, 4);
  else
    std::memcpy(values_.data() + at, &v, 8);
  push_valid(true);
}

void ColumnBuilder::append_real(double v) {
  const std::size_t at = values_.size();
  values_.resize(at + width(type_));
  const auto narrow = static_cast<float>(v);
  if (type_ == Type::float32)
    std::memcpy(values_.data() + at, &narrow, 4);
  else
    std::memcpy(values_.data() + at, &v, 8);
  push_valid(true);
}

void ColumnBuilder::append_string(std::string_view v) {
  COEVAL_CHECK(bytes_.size() + v.size() < (1u << 31));
  bytes_.append(v);
  offsets_.push_back(static_cast<std::int32_t>(bytes_.size()));
  push_valid(true);
}

void ColumnBuilder::append(const Value& value) {
  if (data::is_null(value)) return append_null();
  if (const auto* v = std::get_if<bool>(&value)) return append_boolean(*v);
  if (const auto* v = std::get_if<double>(&value)) return append_real(*v);
  if (const auto* v = std::get_if<std::string>(&value)) return append_string(*v);
  const std::int64_t v = std::get<std::int64_t>(value);
  if (is_float(type_)) return append_real(static_cast<double>(v));
  append_integer(v);
}

void ColumnBuilder::append_from(const Column& column, std::int64_t row) {
  if (column.is_null(row)) return append_null();
  if (has_bytes(type_)) return append_string(column.string(row));
  switch (type_) {
    case Type::boolean:
      return append_boolean(column.bit(row));
    case Type::float32:
    case Type::float64:
      return append_real(column.real(row));
    default:
      return append_integer(column.integer(row));
  }
}

Column ColumnBuilder::finish() {
  auto validity = any_null_ ? std::move(validity_) : std::vector<std::uint8_t>{};
  const std::int64_t rows = rows_;
  ColumnBuilder spent(type_);
  std::swap(*this, spent);
  if (has_bytes(type_))
    return Column::strings(std::move(spent.offsets_), std::move(spent.bytes_), std::move(validity),
                           type_);
  switch (type_) {
    case Type::boolean:
      return Column::boolean(std::move(spent.bits_), std::move(validity), rows);
    default:
      return Column::fixed(type_, std::move(spent.values_), std::move(validity), rows);
  }
}

int Schema::index_of(std::string_view field_name) const {
  for (std::size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == field_name) return static_cast<int>(i);
  return -1;
}

const Column* Batch::find(std::string_view name) const {
  const int index = schema.index_of(name);
  return index < 0 ? nullptr : &columns[static_cast<std::size_t>(index)];
}

Column take(const Column& column, std::span<const std::int64_t> rows) {
  const std::vector<RowRun> runs = runs_of(rows);
  return runs.empty() ? take_each(column, rows)
                      : take_runs(column, runs, static_cast<std::int64_t>(rows.size()));
}

Batch take(const Batch& batch, std::span<const std::int64_t> rows) {
  Batch out;
  out.schema = batch.schema;
  out.rows = static_cast<std::int64_t>(rows.size());
  out.columns.reserve(batch.columns.size());
  const std::vector<RowRun> runs = runs_of(rows);
  for (const auto& column : batch.columns)
    out.columns.push_back(runs.empty() ? take_each(column, rows)
                                       : take_runs(column, runs, out.rows));
  return out;
}

Result<Batch> concatenate(std::span<const Batch> batches, std::size_t max_text_bytes) {
  if (batches.empty()) return Batch{};
  if (batches.size() == 1) return batches.front();
  Batch out;
  out.schema = batches.front().schema;
  for (const auto& batch : batches) {
    if (batch.schema != out.schema)
      return fail(Code::type_mismatch, "tables to be joined have different columns");
    out.rows += batch.rows;
  }
  for (std::size_t i = 0; i < out.schema.fields.size(); ++i) {
    if (is_list(out.schema.fields[i].type)) {
      COEVAL_ASSIGN(Column lists, concatenate_lists(batches, i));
      out.columns.push_back(std::move(lists));
    } else if (out.schema.fields[i].type != Type::string) {
      out.columns.push_back(concatenate_plain(batches, i, out.rows));
    } else if (one_dictionary(batches, i)) {
      std::vector<std::int32_t> codes;
      std::vector<std::uint8_t> validity;
      for (const auto& batch : batches)
        for (std::int64_t row = 0; row < batch.rows; ++row) {
          push_bit(validity, static_cast<std::int64_t>(codes.size()),
                   !batch.columns[i].is_null(row));
          codes.push_back(batch.columns[i].code(row));
        }
      out.columns.push_back(Column::coded(
          std::move(codes), batches.front().columns[i].dictionary_ptr(), std::move(validity)));
    } else {
      COEVAL_ASSIGN(Column joined, concatenate_coded(batches, i, out.rows, max_text_bytes));
      out.columns.push_back(std::move(joined));
    }
  }
  return out;
}

}  // namespace coeval::data
