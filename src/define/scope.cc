#include "define/scope.h"

#include "define/build.h"

namespace coeval::define {

Binding bind_field(const data::Schema& schema, int index) {
  if (index < 0) return {};
  const data::Field& field = schema.fields[static_cast<std::size_t>(index)];
  if (field.type == data::Type::null) return {true, nullptr};
  return {true, make_column(index, field.name, field.type)};
}

Binding RowScope::find(std::string_view name) {
  return bind_field(schema_, schema_.index_of(name));
}

std::vector<std::string> RowScope::names() const {
  std::vector<std::string> names;
  for (const auto& field : schema_.fields) names.push_back(field.name);
  return names;
}

}  // namespace coeval::define
