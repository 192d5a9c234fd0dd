#include <algorithm>

#include "define/build.h"
#include "define/draft.h"
#include "define/functions.h"
#include "define/table_reader.h"
#include "define/typed_value.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

// The type that a value has where nothing says otherwise: that of the same literal in an
// expression.
Type natural_type(const TomlValue& value) {
  switch (value.kind) {
    case Kind::integer:
      return Type::int64;
    case Kind::real:
      return Type::float64;
    case Kind::boolean:
      return Type::boolean;
    case Kind::string:
      return Type::string;
    case Kind::moment:
      return value.whole_day ? Type::date : Type::timestamp;
    default:
      return Type::null;
  }
}

}  // namespace

void read_constants(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [constants]", errors)) return;
  for (const auto& constant : entry.value.entries) {
    expect_name(constant, "a constant", errors);
    const Type type = natural_type(constant.value);
    const auto value = typed_value(constant.value, type);
    if (!value)
      errors.report(Code::bad_toml_value, constant.value.position,
                    "constant " + in_quotes(constant.key) + " cannot be " +
                        (type == Type::null ? std::string(describe(constant.value.kind))
                                            : std::string("infinite or NaN")),
                    "write a number, a text, true or false, a date or a time");
    draft.project.constants.push_back(
        {constant.key, value ? make_literal(type, *value) : nullptr, constant.position});
  }
}

// A name that means two things would mean one of them by a rule that nobody remembers.
void check_constant_names(const Draft& draft, Diagnostics& errors) {
  const auto clash = [&](const Constant& constant, const std::string& other) {
    errors.report(Code::duplicate_name, constant.position,
                  "constant " + in_quotes(constant.name) + " has the name of " + other,
                  "rename the constant");
  };
  for (const auto& constant : draft.project.constants) {
    for (const auto& source : draft.project.sources)
      if (source.schema.index_of(constant.name) >= 0)
        clash(constant, "a column of source " + in_quotes(source.name));
    if (draft.features.contains(constant.name)) clash(constant, "a feature");
    if (find_function(constant.name)) clash(constant, "a function");
  }
}

}  // namespace coeval::define
