#include <array>
#include <cstdint>
#include <cstdlib>

#include "data/row_codec.h"

// Any bytes as a stored row: refused, or decoded to a row that encodes to exactly these bytes.

namespace {

using namespace coeval;

void require(bool condition) {
  if (!condition) std::abort();
}

data::Schema schema_of(std::uint8_t choice) {
  using data::Type;
  constexpr std::array kTypes = {Type::string,
                                 Type::int32,
                                 Type::boolean,
                                 Type::float32,
                                 Type::int64,
                                 Type::float64,
                                 Type::timestamp,
                                 Type::date,
                                 data::list_of(Type::string),
                                 data::list_of(Type::float32, 2),
                                 data::decimal_type(12, 2)};
  data::Schema schema;
  for (std::size_t i = 0; i < choice % (kTypes.size() + 1); ++i)
    schema.fields.push_back({std::to_string(i), kTypes[(i + choice) % kTypes.size()], true});
  return schema;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const data::Schema schema = schema_of(bytes[0]);
  const std::string_view row(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : schema.fields) builders.emplace_back(field.type);
  const auto decoded = data::decode_row(row, schema, builders);
  for (const auto& builder : builders) require(builder.size() == (decoded ? 1 : 0));
  if (!decoded) return 0;
  data::Batch batch{schema, {}, 1};
  for (auto& builder : builders) batch.columns.push_back(builder.finish());
  require(data::encode_row(batch, 0) == row);
  return 0;
}
