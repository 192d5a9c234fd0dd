#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "data/row_codec.h"
#include "data/schema_change.h"
#include "stores/log_schemas.h"
#include "stores/log_trim.h"
#include "stores/sealed_files.h"

// The texts that stand beside a log: a schema, what retention removed, the note of a sealed
// segment. Whatever is accepted is written again to the same meaning. The rest of the input is read
// as a row of the schema, and brought to another one.
namespace {

using namespace coeval;
using namespace coeval::stores;

void read_rows(const data::Schema& schema, std::string_view bytes) {
  data::Schema wider = schema;
  for (data::Field& field : wider.fields) {
    if (field.type == data::Type::int32) field.type = data::Type::int64;
    if (field.type == data::Type::float32) field.type = data::Type::float64;
    field.nullable = true;
  }
  std::vector<data::ColumnBuilder> builders;
  for (const data::Field& field : wider.fields) builders.emplace_back(field.type);
  const bool read = data::row_cells(bytes, schema).has_value();
  COEVAL_CHECK(data::RowConversion(schema, wider).append(bytes, builders).has_value() == read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(0, end);
  if (const auto schema = decode_log_schema(text)) {
    const auto again = decode_log_schema(encode_log_schema(*schema));
    COEVAL_CHECK(again.has_value() && again->schema == schema->schema);
    if (end < input.size()) read_rows(schema->schema, input.substr(end + 1));
  }
  if (const auto trim = decode_trim(text))
    COEVAL_CHECK(decode_trim(encode_trim(*trim)).has_value());
  if (const auto sealed = decode_sealed(text))
    COEVAL_CHECK(decode_sealed(encode_sealed(*sealed)).has_value());
  return 0;
}
