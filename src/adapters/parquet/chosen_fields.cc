#include "adapters/parquet/chosen_fields.h"

#include <algorithm>
#include <numeric>

#include <arrow/type.h>

namespace coeval::parquet_adapter {

namespace {

Error no_such_column(const std::string& path, const std::string& name,
                     const arrow::Schema& schema) {
  std::string names;
  for (const auto& field : schema.fields()) names += (names.empty() ? "" : ", ") + field->name();
  return fail(Code::unknown_key, "'" + path + "' has no column '" + name + "'",
              "its columns: " + names)
      .error();
}

}  // namespace

Result<std::vector<int>> chosen_fields(const std::string& path, const arrow::Schema& schema,
                                       const std::vector<std::string>& names) {
  std::vector<int> chosen(static_cast<std::size_t>(schema.num_fields()));
  std::iota(chosen.begin(), chosen.end(), 0);
  if (!names.empty()) chosen.clear();
  for (const auto& name : names) {
    const auto found = schema.GetAllFieldIndices(name);
    if (found.empty()) return std::unexpected(no_such_column(path, name, schema));
    if (std::ranges::count(names, name) > 1)
      return fail(Code::duplicate_name,
                  "column '" + name + "' of '" + path + "' is asked for twice");
    chosen.push_back(found.front());
  }
  for (const int field : chosen)
    if (const auto& name = schema.field(field)->name(); schema.GetAllFieldIndices(name).size() > 1)
      return fail(Code::unsupported, "'" + path + "' has two columns named '" + name + "'",
                  "give every column its own name");
  return chosen;
}

}  // namespace coeval::parquet_adapter
