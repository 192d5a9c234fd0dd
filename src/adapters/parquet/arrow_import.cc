#include "adapters/parquet/arrow_import.h"
#include "adapters/parquet/arrow_lists.h"
#include "adapters/parquet/memory_pool.h"

#include <cstring>
#include <limits>
#include <utility>

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

#include "data/decimal.h"

namespace coeval::parquet_adapter {

using data::Column;
using data::Type;

namespace {

// What a borrowed column keeps alive: Arrow's buffers, and a bitmap that had to be moved to bit 0.
struct Kept {
  std::shared_ptr<arrow::ArrayData> array;
  std::shared_ptr<arrow::Buffer> validity, bits;
};

// A bitmap of ours starts at bit 0 of a byte; one in the middle of a byte is copied to `moved`.
Result<const std::uint8_t*> aligned_bitmap(const std::shared_ptr<arrow::Buffer>& bitmap,
                                           std::int64_t offset, std::int64_t length,
                                           std::shared_ptr<arrow::Buffer>& moved) {
  if (offset % 8 == 0) return bitmap->data() + offset / 8;
  auto copy = arrow::internal::CopyBitmap(memory_pool(), bitmap->data(), offset, length);
  if (!copy.ok())
    return fail(Code::io, "out of memory while reading a bitmap", "read smaller batches");
  moved = std::move(copy).ValueUnsafe();
  return moved->data();
}

Result<const std::uint8_t*> validity_of(const arrow::Array& array, Kept& kept) {
  if (array.null_count() == 0) return nullptr;
  return aligned_bitmap(array.null_bitmap(), array.offset(), array.length(), kept.validity);
}

// Fixed width with our own layout: no copy.
Result<Column> share_fixed(Type type, const arrow::Array& array) {
  auto kept = std::make_shared<Kept>(Kept{array.data(), {}, {}});
  COEVAL_ASSIGN(const std::uint8_t* validity, validity_of(array, *kept));
  const auto width = static_cast<std::int64_t>(data::width(type));
  const std::uint8_t* values = array.data()->buffers[1]->data() + array.offset() * width;
  return Column::borrowed(type, array.length(), validity, values, nullptr, nullptr, nullptr, kept);
}

Result<Column> share_booleans(const arrow::Array& array) {
  auto kept = std::make_shared<Kept>(Kept{array.data(), {}, {}});
  COEVAL_ASSIGN(const std::uint8_t* validity, validity_of(array, *kept));
  COEVAL_ASSIGN(const std::uint8_t* bits, aligned_bitmap(array.data()->buffers[1], array.offset(),
                                                         array.length(), kept->bits));
  return Column::borrowed(Type::boolean, array.length(), validity, bits, nullptr, nullptr, nullptr,
                          kept);
}

Result<Column> share_strings(const arrow::StringArray& array) {
  auto kept = std::make_shared<Kept>(Kept{array.data(), {}, {}});
  COEVAL_ASSIGN(const std::uint8_t* validity, validity_of(array, *kept));
  const auto* bytes = reinterpret_cast<const char*>(array.raw_data());
  return Column::borrowed(Type::string, array.length(), validity, nullptr,
                          array.raw_value_offsets(), bytes, nullptr, kept);
}

// Offsets of 64 bits are Arrow's "large" strings, which pandas and Polars write; ours have 32.
Result<Column> narrow_strings(const arrow::LargeStringArray& array) {
  struct Narrowed {
    Kept kept;
    std::vector<std::int32_t> offsets;
  };
  auto narrowed = std::make_shared<Narrowed>();
  narrowed->kept.array = array.data();
  COEVAL_ASSIGN(const std::uint8_t* validity, validity_of(array, narrowed->kept));
  const std::int64_t* wide = array.raw_value_offsets();
  const std::int64_t first = array.length() == 0 ? 0 : wide[0];
  if (array.length() > 0 && wide[array.length()] - first > std::numeric_limits<std::int32_t>::max())
    return fail(Code::unsupported, "a batch with more than 2 GiB of text", "read smaller batches");
  narrowed->offsets.resize(static_cast<std::size_t>(array.length()) + 1, 0);
  for (std::int64_t row = 0; array.length() > 0 && row <= array.length(); ++row)
    narrowed->offsets[static_cast<std::size_t>(row)] = static_cast<std::int32_t>(wide[row] - first);
  const char* bytes = array.raw_data() == nullptr
                          ? nullptr
                          : reinterpret_cast<const char*>(array.raw_data()) + first;
  return Column::borrowed(Type::string, array.length(), validity, nullptr, narrowed->offsets.data(),
                          bytes, nullptr, narrowed);
}

bool is_binary(const arrow::Array& array) {
  return array.type_id() == arrow::Type::BINARY || array.type_id() == arrow::Type::LARGE_BINARY;
}

// The same array, said to be text.
Result<std::shared_ptr<arrow::Array>> as_text(const arrow::Array& array) {
  const bool is_large = array.type_id() == arrow::Type::LARGE_BINARY;
  auto text = array.View(is_large ? arrow::large_utf8() : arrow::utf8());
  if (!text.ok()) return fail(Code::bad_file, text.status().message());
  return *text;
}

Result<Column> import_strings(const arrow::Array& array) {
  if (is_binary(array)) {
    COEVAL_ASSIGN(const auto text, as_text(array));
    if (text->type_id() == arrow::Type::LARGE_STRING)
      return narrow_strings(static_cast<const arrow::LargeStringArray&>(*text));
    return share_strings(static_cast<const arrow::StringArray&>(*text));
  }
  if (array.type_id() == arrow::Type::LARGE_STRING)
    return narrow_strings(static_cast<const arrow::LargeStringArray&>(array));
  return share_strings(static_cast<const arrow::StringArray&>(array));
}

std::vector<std::uint8_t> copied_validity(const arrow::Array& array) {
  std::vector<std::uint8_t> bitmap;
  if (array.null_count() == 0) return bitmap;
  bitmap.resize(static_cast<std::size_t>(array.length() + 7) / 8);
  for (std::int64_t row = 0; row < array.length(); ++row)
    if (array.IsValid(row))
      bitmap[static_cast<std::size_t>(row >> 3)] |= static_cast<std::uint8_t>(1u << (row & 7));
  return bitmap;
}

// Maps each value that is not null by `convert`, which returns false for one that does not fit.
template <class To, class From, class Convert>
Result<Column> convert_values(Type type, const arrow::Array& array, Convert convert) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(array.length()) * sizeof(To));
  auto* to = reinterpret_cast<To*>(bytes.data());
  const From* from = array.data()->GetValues<From>(1);
  for (std::int64_t row = 0; row < array.length(); ++row)
    if (array.IsValid(row) && !convert(from[row], to[row]))
      return fail(Code::out_of_range, "a value that " + std::string(data::name(type)) +
                                          " cannot hold: " + std::to_string(from[row]) + " " +
                                          array.type()->ToString());
  return Column::fixed(type, std::move(bytes), copied_validity(array), array.length());
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

Result<Column> import_timestamps(const arrow::Array& array) {
  const auto scaled = [&](std::int64_t factor) {
    return convert_values<std::int64_t, std::int64_t>(
        Type::timestamp, array, [factor](std::int64_t value, std::int64_t& us) {
          return !__builtin_mul_overflow(value, factor, &us);
        });
  };
  switch (static_cast<const arrow::TimestampType&>(*array.type()).unit()) {
    case arrow::TimeUnit::SECOND:
      return scaled(1'000'000);
    case arrow::TimeUnit::MILLI:
      return scaled(1'000);
    case arrow::TimeUnit::MICRO:
      return share_fixed(Type::timestamp, array);
    case arrow::TimeUnit::NANO:
      break;
  }
  return convert_values<std::int64_t, std::int64_t>(Type::timestamp, array,
                                                    [](std::int64_t value, std::int64_t& us) {
                                                      us = floor_divide(value, 1'000);
                                                      return true;
                                                    });
}

Result<Column> import_dates(const arrow::Array& array) {
  if (array.type_id() == arrow::Type::DATE32) return share_fixed(Type::date, array);
  constexpr std::int64_t kDayMs = 86'400'000;
  return convert_values<std::int32_t, std::int64_t>(
      Type::date, array, [](std::int64_t ms, std::int32_t& days) {
        const std::int64_t wide = floor_divide(ms, kDayMs);
        days = static_cast<std::int32_t>(wide);
        return days == wide;
      });
}

// Decimals that 18 digits hold. Arrow gives all of up to 38 digits as 128 bits.
Result<Column> import_decimals(Type type, const arrow::Array& array) {
  const auto& decimals = static_cast<const arrow::Decimal128Array&>(array);
  data::ColumnBuilder builder(type);
  builder.reserve(array.length());
  for (std::int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) {
      builder.append_null();
      continue;
    }
    data::Wide value = 0;
    std::memcpy(&value, decimals.GetValue(row), sizeof value);
    if (!data::has_digits(value, data::precision_of(type)))
      return fail(Code::bad_file, "a value with more digits than its type " +
                                      array.type()->ToString() + ": " + decimals.FormatValue(row));
    builder.append_integer(static_cast<std::int64_t>(value));
  }
  return builder.finish();
}

// The digits of decimals whose type has more than 18; of one that has fewer a source may be a
// decimal.
template <class Array>
Result<Column> decimal_texts(const arrow::Array& array) {
  data::ColumnBuilder builder(Type::string);
  for (std::int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row))
      builder.append_null();
    else
      builder.append_string(static_cast<const Array&>(array).FormatValue(row));
  }
  return builder.finish();
}

template <class To, class From>
Result<Column> widened(Type type, const arrow::Array& array) {
  return convert_values<To, From>(type, array, [](From value, To& to) {
    to = static_cast<To>(value);
    return std::in_range<To>(value);
  });
}

// Integers of widths that we do not have come as the next wider one; of 64 bits without sign those
// that an int64 holds.
Result<Column> import_integers(Type type, const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::INT8:
      return widened<std::int32_t, std::int8_t>(type, array);
    case arrow::Type::INT16:
      return widened<std::int32_t, std::int16_t>(type, array);
    case arrow::Type::UINT8:
      return widened<std::int32_t, std::uint8_t>(type, array);
    case arrow::Type::UINT16:
      return widened<std::int32_t, std::uint16_t>(type, array);
    case arrow::Type::UINT32:
      return widened<std::int64_t, std::uint32_t>(type, array);
    case arrow::Type::UINT64:
      return widened<std::int64_t, std::uint64_t>(type, array);
    default:
      return share_fixed(type, array);
  }
}

Result<Column> import_plain(Type type, const arrow::Array& array) {
  if (data::is_list(type)) return import_lists(array);
  if (data::is_decimal(type)) return import_decimals(type, array);
  switch (type) {
    case Type::boolean:
      return share_booleans(array);
    case Type::string:
      if (array.type_id() == arrow::Type::DECIMAL128)
        return decimal_texts<arrow::Decimal128Array>(array);
      if (array.type_id() == arrow::Type::DECIMAL256)
        return decimal_texts<arrow::Decimal256Array>(array);
      return import_strings(array);
    case Type::timestamp:
      return import_timestamps(array);
    case Type::date:
      return import_dates(array);
    case Type::int32:
    case Type::int64:
      return import_integers(type, array);
    default:
      return share_fixed(type, array);
  }
}

std::string_view string_at(const arrow::Array& array, std::int64_t row) {
  return array.type_id() == arrow::Type::LARGE_STRING
             ? static_cast<const arrow::LargeStringArray&>(array).GetView(row)
             : static_cast<const arrow::StringArray&>(array).GetView(row);
}

Result<Column> share_codes(const arrow::DictionaryArray& chunk,
                           std::shared_ptr<const Column> dictionary) {
  const arrow::Array& indices = *chunk.indices();
  auto kept = std::make_shared<Kept>(Kept{indices.data(), {}, {}});
  COEVAL_ASSIGN(const std::uint8_t* validity, validity_of(indices, *kept));
  const auto* codes = indices.data()->GetValues<std::int32_t>(1);
  return Column::borrowed(Type::string, chunk.length(), validity, codes, nullptr, nullptr,
                          std::move(dictionary), kept);
}

// One of more than 18 digits comes as its text.
Type decimal_type_of(const arrow::DecimalType& type) {
  const bool ours = type.precision() <= data::kMaxDecimalDigits && type.scale() >= 0 &&
                    type.scale() <= type.precision();
  return ours ? data::decimal_type(type.precision(), type.scale()) : Type::string;
}

bool is_text(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

}  // namespace

Result<Type> type_of(const std::string& column, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Type::boolean;
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
      return Type::int32;
    case arrow::Type::INT64:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
      return Type::int64;
    case arrow::Type::FLOAT:
      return Type::float32;
    case arrow::Type::DOUBLE:
      return Type::float64;
    // What is no UTF-8 breaks the column's rule "utf8", row by row: some files call text what is
    // none, and many writers leave the mark of UTF-8 out.
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
      return Type::string;
    case arrow::Type::TIMESTAMP:
      return Type::timestamp;
    case arrow::Type::DATE32:
    case arrow::Type::DATE64:
      return Type::date;
    case arrow::Type::DECIMAL128:
      return decimal_type_of(static_cast<const arrow::DecimalType&>(type));
    case arrow::Type::DECIMAL256:
      return Type::string;
    case arrow::Type::DICTIONARY: {
      const auto& values = *static_cast<const arrow::DictionaryType&>(type).value_type();
      auto of_values = type_of(column, values);
      // A dictionary's entries are texts as they are: not bytes, nor what would be made a text.
      if (!of_values || *of_values != Type::string || is_text(values)) return of_values;
      break;
    }
    default:
      break;
  }
  if (is_list_of_floats(type)) return data::list_of(Type::float32);
  return fail(Code::unsupported,
              "column '" + column + "' has the type " + type.ToString() + ", which is not read yet",
              "leave the column out, or write it as bool, an integer, float32, float64, decimal, "
              "string, timestamp, date or lists of floats");
}

std::int32_t GrowingDictionary::code_of(std::string_view text) {
  if (const auto at = codes_.find(text); at != codes_.end()) return at->second;
  const auto code = static_cast<std::int32_t>(codes_.size());
  codes_.emplace(text, code);
  bytes_.append(text);
  offsets_.push_back(static_cast<std::int32_t>(bytes_.size()));
  return code;
}

void GrowingDictionary::publish() {
  if (merged_ != nullptr && merged_->size() == static_cast<std::int64_t>(codes_.size())) return;
  merged_ = std::make_shared<Column>(Column::strings(offsets_, bytes_, {}));
}

bool GrowingDictionary::too_large(const arrow::Array& dictionary) const {
  return dictionary.length() + std::ssize(codes_) > kMaxEntries || bytes_.size() > kMaxBytes;
}

// Slices of one chunk share its dictionary, and a reader of Parquet gives each batch of a row group
// a copy: comparing the two takes a hundredth of numbering the strings again.
bool GrowingDictionary::is_translated(const arrow::DictionaryArray& chunk) const {
  if (translated_ == nullptr || translated_ == chunk.data()->dictionary)
    return translated_ != nullptr;
  return arrow::MakeArray(translated_)->Equals(*chunk.dictionary());
}

// Numbers the strings of a chunk's dictionary; mostly there is nothing to do.
Status GrowingDictionary::translate(const arrow::DictionaryArray& chunk) {
  if (is_translated(chunk)) return {};
  const arrow::Array& dictionary = *chunk.dictionary();
  if (dictionary.null_count() > 0)
    return fail(Code::unsupported, "a dictionary that has a null entry");
  translation_.clear();
  gave_up_ = gave_up_ || too_large(dictionary);
  if (gave_up_) {
    COEVAL_ASSIGN(Column own, import_strings(dictionary));
    merged_ = std::make_shared<Column>(std::move(own));
  } else {
    number(dictionary);
  }
  translated_ = chunk.data()->dictionary;
  return {};
}

void GrowingDictionary::number(const arrow::Array& dictionary) {
  bool equal = true;
  for (std::int64_t i = 0; i < dictionary.length(); ++i) {
    translation_.push_back(code_of(string_at(dictionary, i)));
    equal = equal && translation_.back() == i;
  }
  if (equal) translation_.clear();
  publish();
}

Column GrowingDictionary::recoded(const arrow::DictionaryArray& chunk) const {
  const arrow::Array& indices = *chunk.indices();
  std::vector<std::int32_t> codes(static_cast<std::size_t>(chunk.length()), 0);
  const auto recode = [&](const auto& code_at) {
    const bool has_nulls = indices.null_count() > 0;
    for (std::int64_t row = 0; row < chunk.length(); ++row) {
      if (has_nulls && indices.IsNull(row)) continue;
      const auto code = static_cast<std::size_t>(code_at(row));
      codes[static_cast<std::size_t>(row)] =
          translation_.empty() ? static_cast<std::int32_t>(code) : translation_[code];
    }
  };
  if (indices.type_id() == arrow::Type::INT32) {
    const auto* const values = static_cast<const arrow::Int32Array&>(indices).raw_values();
    recode([values](std::int64_t row) { return values[row]; });
  } else {
    recode([&chunk](std::int64_t row) { return chunk.GetValueIndex(row); });
  }
  return Column::coded(std::move(codes), merged_, copied_validity(indices));
}

Result<Column> GrowingDictionary::import(const std::shared_ptr<arrow::DictionaryArray>& chunk) {
  COEVAL_TRY(translate(*chunk));
  const bool codes_are_ours = chunk->indices()->type_id() == arrow::Type::INT32;
  if (translation_.empty() && codes_are_ours) return share_codes(*chunk, merged_);
  return recoded(*chunk);
}

Result<Column> ColumnImporter::import(const std::shared_ptr<arrow::Array>& chunk) {
  auto column = chunk->type_id() == arrow::Type::DICTIONARY
                    ? dictionary_.import(std::static_pointer_cast<arrow::DictionaryArray>(chunk))
                    : import_plain(type_, *chunk);
  if (!column)
    return std::unexpected(std::move(column).error().within("reading column '" + name_ + "'"));
  return column;
}

}  // namespace coeval::parquet_adapter
