#include "adapters/parquet/arrow_lists.h"

#include <bit>
#include <cstring>
#include <utility>

#include <arrow/buffer.h>

#include "data/packed_list.h"

namespace coeval::parquet_adapter {

namespace {

using data::Type;

// Appends value `i` of a float or double array.
void append_real(std::string& bytes, const arrow::Array& values, std::int64_t i) {
  std::uint32_t bits = data::kNullElement;
  if (values.IsValid(i))
    bits =
        values.type_id() == arrow::Type::FLOAT
            ? std::bit_cast<std::uint32_t>(static_cast<const arrow::FloatArray&>(values).Value(i))
            : std::bit_cast<std::uint32_t>(
                  static_cast<float>(static_cast<const arrow::DoubleArray&>(values).Value(i)));
  bytes.append(reinterpret_cast<const char*>(&bits), sizeof bits);
}

template <class Lists>
Result<data::Column> import_as(const Lists& lists) {
  const arrow::Array& values = *lists.values();
  data::ColumnBuilder builder(data::list_of(Type::float32));
  builder.reserve(lists.length());
  std::size_t total = 0;
  for (std::int64_t row = 0; row < lists.length(); ++row) {
    if (lists.IsNull(row)) {
      builder.append_null();
      continue;
    }
    std::string bytes;
    const std::int64_t first = lists.value_offset(row), end = first + lists.value_length(row);
    for (std::int64_t i = first; i < end; ++i) append_real(bytes, values, i);
    total += bytes.size();
    if (total >= std::size_t{1} << 31)
      return fail(Code::unsupported, "a batch with 2 GiB of lists or more",
                  "write smaller row groups, or shorter lists");
    builder.append_string(bytes);
  }
  return builder.finish();
}

// Bytes of ours, and what they belong to.
class OwnedBuffer final : public arrow::Buffer {
 public:
  OwnedBuffer(const void* bytes, std::int64_t size, std::shared_ptr<const void> owner)
      : arrow::Buffer(static_cast<const std::uint8_t*>(bytes), size), owner_(std::move(owner)) {}

 private:
  std::shared_ptr<const void> owner_;
};

}  // namespace

bool is_list_of_floats(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto element = type.field(0)->type()->id();
      return element == arrow::Type::FLOAT || element == arrow::Type::DOUBLE;
    }
    default:
      return false;
  }
}

Result<data::Column> import_lists(const arrow::Array& array) {
  if (array.type_id() == arrow::Type::LIST)
    return import_as(static_cast<const arrow::ListArray&>(array));
  if (array.type_id() == arrow::Type::LARGE_LIST)
    return import_as(static_cast<const arrow::LargeListArray&>(array));
  return import_as(static_cast<const arrow::FixedSizeListArray&>(array));
}

std::shared_ptr<arrow::DataType> list_type(std::shared_ptr<arrow::DataType> element) {
  return arrow::list(arrow::field("element", std::move(element), false));
}

std::shared_ptr<arrow::Array> export_lists(
    const data::Column& lists, std::shared_ptr<arrow::Buffer> validity,
    std::shared_ptr<arrow::Array> (*export_elements)(const data::Column&)) {
  const auto parts = std::make_shared<const data::ListParts>(data::list_parts(lists));
  auto elements = export_elements(parts->elements);
  const auto bytes = static_cast<std::int64_t>(parts->offsets.size() * sizeof(std::int32_t));
  auto offsets = std::make_shared<OwnedBuffer>(parts->offsets.data(), bytes, parts);
  auto type = list_type(elements->type());
  return std::make_shared<arrow::ListArray>(std::move(type), lists.size(), std::move(offsets),
                                            std::move(elements), std::move(validity));
}

ListLevels list_levels(const arrow::ListArray& lists, std::int16_t most) {
  ListLevels levels;
  const auto add = [&](int definition, int repetition) {
    levels.definition.push_back(static_cast<std::int16_t>(definition));
    levels.repetition.push_back(static_cast<std::int16_t>(repetition));
  };
  for (std::int64_t row = 0; row < lists.length(); ++row) {
    const std::int32_t size = lists.value_length(row);
    if (lists.IsNull(row))
      add(0, 0);
    else if (size == 0)
      add(most - 1, 0);
    else
      for (std::int32_t i = 0; i < size; ++i) add(most, i == 0 ? 0 : 1);
  }
  return levels;
}

}  // namespace coeval::parquet_adapter
