#include "data/jsonl_rows.h"

namespace coeval::data {

JsonlRows::JsonlRows(const Schema& schema, std::span<const std::string> as_text)
    : schema_(schema), values_(schema.fields.size()) {
  texts_.as_text = as_text;
  for (const Field& field : schema.fields)
    texts_.numbers = texts_.numbers || is_decimal(field.type);
}

// A null is left to the quality rules of the source; an absent member says that the writer's idea
// of the row is another one.
std::string JsonlRows::read_member(const Json& row, std::size_t column) {
  const Field& field = schema_.fields[column];
  const Json* member = row.find(field.name);
  values_[column] = Value{};
  if (member == nullptr) return field.nullable ? "" : field.name + ": missing";
  auto value = from_json(*member, field.type);
  if (!value) return field.name + ": " + value.error().message;
  values_[column] = std::move(*value);
  return {};
}

std::string JsonlRows::read(std::string_view line, std::int64_t number) {
  const auto row = parser_.parse(line, {}, number, texts_);
  if (!row) return row.error().message;
  if (row->object() == nullptr) return "expected an object, found " + std::string(row->kind());
  std::string faults;
  for (std::size_t column = 0; column < values_.size(); ++column) {
    const std::string fault = read_member(*row, column);
    if (!faults.empty() && !fault.empty()) faults += "; ";
    faults += fault;
  }
  return faults;
}

}  // namespace coeval::data
