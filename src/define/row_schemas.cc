#include "define/row_schemas.h"

namespace coeval::define {

data::Schema question_schema(const Model& model) {
  const auto& fields = model.row.schema.fields;
  const auto count = static_cast<std::ptrdiff_t>(model.row.question_columns.size());
  return {{fields.begin(), fields.begin() + count}};
}

data::Schema input_schema(std::span<const Input> inputs) {
  data::Schema schema;
  for (const Input& input : inputs) schema.fields.push_back({input.name, input.type, true});
  return schema;
}

}  // namespace coeval::define
