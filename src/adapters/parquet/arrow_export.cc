#include "adapters/parquet/arrow_export.h"
#include "adapters/parquet/arrow_lists.h"

#include <cstring>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "base/check.h"
#include "data/decimal.h"

namespace coeval::parquet_adapter {

using data::Column;
using data::Type;

namespace {

// Null for a type that files do not have.
std::shared_ptr<arrow::DataType> arrow_type(Type type) {
  if (data::is_list(type)) {
    auto element = arrow_type(data::element_of(type));
    return element == nullptr ? nullptr : list_type(std::move(element));
  }
  switch (type) {
    case Type::boolean:
      return arrow::boolean();
    case Type::int32:
      return arrow::int32();
    case Type::int64:
      return arrow::int64();
    case Type::float32:
      return arrow::float32();
    case Type::float64:
      return arrow::float64();
    case Type::string:
      return arrow::utf8();
    case Type::timestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case Type::date:
      return arrow::date32();
    default:
      break;
  }
  if (!data::is_decimal(type)) return nullptr;
  return arrow::decimal128(data::precision_of(type), data::scale_of(type));
}

std::shared_ptr<arrow::Buffer> view(const void* bytes, std::int64_t size) {
  return std::make_shared<arrow::Buffer>(static_cast<const std::uint8_t*>(bytes), size);
}

std::shared_ptr<arrow::Buffer> validity_view(const Column& column) {
  return column.has_nulls() ? view(column.validity_data(), (column.size() + 7) / 8) : nullptr;
}

std::shared_ptr<arrow::Array> strings_view(const Column& column) {
  const std::int32_t* offsets = column.offsets_data();
  const std::int64_t bytes = offsets == nullptr ? 0 : offsets[column.size()];
  return std::make_shared<arrow::StringArray>(
      column.size(), view(offsets, (column.size() + 1) * std::int64_t{sizeof(std::int32_t)}),
      view(column.bytes_data(), bytes), validity_view(column));
}

std::shared_ptr<arrow::Array> coded_view(const Column& column) {
  auto codes = std::make_shared<arrow::Int32Array>(
      column.size(), view(column.values_data(), column.size() * std::int64_t{sizeof(std::int32_t)}),
      validity_view(column));
  return std::make_shared<arrow::DictionaryArray>(arrow::dictionary(arrow::int32(), arrow::utf8()),
                                                  std::move(codes),
                                                  strings_view(column.dictionary()));
}

std::shared_ptr<arrow::Array> fixed_view(const Column& column) {
  const std::int64_t size =
      column.type() == Type::boolean
          ? (column.size() + 7) / 8
          : column.size() * static_cast<std::int64_t>(data::width(column.type()));
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow_type(column.type()), column.size(),
                             {validity_view(column), view(column.values_data(), size)}));
}

// Arrow's decimals have 128 bits.
std::shared_ptr<arrow::Array> decimals_copy(const Column& column) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(column.size()) * sizeof(data::Wide));
  for (std::int64_t row = 0; row < column.size(); ++row) {
    const data::Wide value = column.integer(row);
    std::memcpy(bytes.data() + static_cast<std::size_t>(row) * sizeof value, &value, sizeof value);
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow_type(column.type()), column.size(),
                             {validity_view(column), arrow::Buffer::FromVector(std::move(bytes))}));
}

std::shared_ptr<arrow::Array> array_view(const Column& column) {
  if (data::is_list(column.type())) return export_lists(column, validity_view(column), array_view);
  if (column.is_coded()) return coded_view(column);
  if (data::is_decimal(column.type())) return decimals_copy(column);
  return column.type() == Type::string ? strings_view(column) : fixed_view(column);
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> to_arrow(const data::Schema& schema) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const auto& field : schema.fields) {
    auto type = arrow_type(field.type);
    if (type == nullptr)
      return fail(Code::unsupported, "column '" + field.name + "' has the type " +
                                         std::string(data::name(field.type)) +
                                         ", which files do not have");
    fields.push_back(arrow::field(field.name, std::move(type), field.nullable));
  }
  return arrow::schema(std::move(fields));
}

std::shared_ptr<arrow::RecordBatch> to_arrow(const data::Batch& batch) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const auto& field = batch.schema.fields[i];
    arrays.push_back(array_view(batch.columns[i]));
    COEVAL_CHECK(arrays.back()->length() == batch.rows);
    fields.push_back(arrow::field(field.name, arrays.back()->type(), field.nullable));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch.rows, std::move(arrays));
}

}  // namespace coeval::parquet_adapter
