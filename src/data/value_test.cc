#include "data/value.h"

#include <doctest/doctest.h>

namespace coeval::data {
namespace {

// As java.time.LocalDate writes them. Beyond ±106,751,991 days a day's µs do not fit in 64 bits.
TEST_CASE("a date of any int32 has its text") {
  const auto text = [](std::int64_t day) { return to_text(Value{day}, Type::date); };
  CHECK(text(11474) == "2001-06-01");
  CHECK(text(-1) == "1969-12-31");
  CHECK(text(106'751'991) == "294247-01-10");
  CHECK(text(106'751'992) == "294247-01-11");
  CHECK(text(-106'751'993) == "-290308-12-20");
  CHECK(text(2'932'897) == "10000-01-01");
  CHECK(text(INT32_MAX) == "5881580-07-11");
  CHECK(text(INT32_MIN) == "-5877641-06-23");
}

TEST_CASE("the first and last timestamps have their texts") {
  CHECK(to_text(Value{INT64_MIN}, Type::timestamp) == "-290308-12-21T19:59:05.224192Z");
  CHECK(to_text(Value{INT64_MAX}, Type::timestamp) == "294247-01-10T04:00:54.775807Z");
  CHECK(to_text(Value{INT64_MIN}, Type::duration) == "-9223372036854775808us");
}

}  // namespace
}  // namespace coeval::data
