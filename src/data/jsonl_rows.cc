#include "data/jsonl_rows.h"

#include "data/cell_text.h"

namespace coeval::data {

JsonlRows::JsonlRows(const Schema& schema, std::span<const std::string> as_text)
    : schema_(schema), values_(schema.fields.size()) {
  texts_.as_text = as_text;
  for (const Field& field : schema.fields)
    texts_.numbers = texts_.numbers || is_decimal(field.type);
}

// A null is left to the quality rules of the source; an absent member says that the writer's idea
// of the row is another one.
void JsonlRows::read_member(const Json& row, std::size_t column) {
  const Field& field = schema_.fields[column];
  const Json* member = row.find(field.name);
  values_[column] = Value{};
  BadCell bad{static_cast<int>(column), member == nullptr, {}, {}};
  if (member == nullptr) {
    if (field.nullable) return;
    bad.reason = field.name + ": missing";
  } else {
    auto value = from_json(*member, field.type);
    if (value) {
      values_[column] = std::move(*value);
      return;
    }
    if (member->array() == nullptr && member->object() == nullptr) bad.observed = *member;
    bad.reason = field.name + ": " + value.error().message;
  }
  bad_cells_.push_back(std::move(bad));
}

bool JsonlRows::read(std::string_view line, std::int64_t number) {
  fault_.clear();
  bad_cells_.clear();
  const auto row = parser_.parse(line, {}, number, texts_);
  if (!row)
    fault_ = row.error().message;
  else if (row->object() == nullptr)
    fault_ = "expected an object, found " + std::string(row->kind());
  if (!fault_.empty()) return false;
  for (std::size_t column = 0; column < values_.size(); ++column) read_member(*row, column);
  return bad_cells_.empty();
}

BadTextRow JsonlRows::bad_row(std::string_view line, std::int64_t number, std::uint64_t offset) {
  BadTextRow bad{number, std::string(line), std::move(fault_), offset};
  if (bad_cells_.empty()) return bad;
  bad.reason = reasons_of(bad_cells_);
  bad.cells = std::move(bad_cells_);
  bad.values = values_;
  return bad;
}

}  // namespace coeval::data
