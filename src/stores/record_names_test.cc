#include "stores/record_names.h"

#include <doctest/doctest.h>

namespace coeval::stores {
namespace {

data::Schema flights() {
  return {{{"date", data::Type::timestamp, false},
           {"origin", data::Type::string, false},
           {"distance", data::Type::int32, true}}};
}

TEST_CASE("the text of a schema is pinned, because logged rows are found by its hash") {
  CHECK(schema_text(flights()) == "date\ttimestamp\norigin\tstring\ndistance\tint32?\n");
}

TEST_CASE("tags are the low halves of XXH3-64, as any other program computes them") {
  // XXH3_64bits("") = 2d06800538d394c2, given by the xxHash project.
  CHECK(source_tag("") == 0x38d394c2u);
  CHECK(schema_tag(data::Schema{}) == 0x38d394c2u);
}

TEST_CASE("a schema's tag changes with a name, a type, nullability and the order") {
  const std::uint32_t base = schema_tag(flights());
  data::Schema renamed = flights(), retyped = flights(), nullable = flights(), swapped = flights();
  renamed.fields[1].name = "from";
  retyped.fields[2].type = data::Type::int64;
  nullable.fields[1].nullable = true;
  std::swap(swapped.fields[0], swapped.fields[1]);
  for (const data::Schema& other : {renamed, retyped, nullable, swapped}) {
    CHECK(schema_tag(other) != base);
  }
}

}  // namespace
}  // namespace coeval::stores
