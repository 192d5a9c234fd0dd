#include "define/scope.h"

#include "define/build.h"
#include "define/project.h"

namespace coeval::define {

Binding bind_field(const data::Schema& schema, int index) {
  if (index < 0) return {};
  const data::Field& field = schema.fields[static_cast<std::size_t>(index)];
  if (field.type == data::Type::null) return {true, nullptr};
  return {true, make_column(index, field.name, field.type)};
}

Binding bind_constant(const Project* project, std::string_view name) {
  const Constant* constant = project ? project->find_constant(name) : nullptr;
  return constant ? Binding{true, constant->value} : Binding{};
}

void add_constants(const Project* project, std::vector<std::string>& names) {
  if (!project) return;
  for (const auto& constant : project->constants) names.push_back(constant.name);
}

Binding RowScope::find(std::string_view name) {
  const Binding column = bind_field(schema_, schema_.index_of(name));
  return column.found ? column : bind_constant(project_, name);
}

const TimeZone* RowScope::zone() const { return project_ ? project_->zone : nullptr; }

std::vector<std::string> RowScope::names() const {
  std::vector<std::string> names;
  for (const auto& field : schema_.fields) names.push_back(field.name);
  add_constants(project_, names);
  return names;
}

}  // namespace coeval::define
