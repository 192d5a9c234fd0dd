#include "quality/epoch_units.h"

#include <doctest/doctest.h>

#include "data/text_tables.h"
#include "define/project.h"

namespace coeval::quality {
namespace {

define::Source source_of(const std::string& rules = "") {
  auto checked = define::check_text(
      "[project]\nname = \"p\"\n[source.s]\ntime = \"ts\"\nknown = \"event time\"\n"
      "[source.s.columns]\nts = { type = \"timestamp\"" +
          rules + " }\nseen = { type = \"timestamp\", nullable = true }\nn = \"int64\"\n",
      "coeval.toml");
  REQUIRE(checked.project);
  return checked.project->sources[0];
}

// Each text is a piece of its own.
std::vector<std::string> texts_of(const define::Source& source,
                                  const std::vector<std::string>& pieces) {
  EpochSigns signs(source);
  for (const std::string& piece : pieces)
    signs.add(data::read_csv("ts,seen,n\n" + piece, source.schema).value().rows);
  return signs.texts();
}

TEST_CASE("numbers in another unit than microseconds are told once, with both readings") {
  CHECK(texts_of(source_of(), {"1722470400,,5\n1722470401,,6\n", "1722470402,,7\n"}) ==
        std::vector<std::string>{
            "ts looks like seconds since the epoch (all 3 values), and a number is read as "
            "microseconds: 1722470400 is 1970-01-01T00:28:42.470400Z in microseconds, and "
            "2024-08-01T00:00:00Z in seconds"});
  CHECK(texts_of(source_of(), {"1722470400000,,5\n"}) ==
        std::vector<std::string>{
            "ts looks like milliseconds since the epoch (its only value), and a number is read as "
            "microseconds: 1722470400000 is 1970-01-20T22:27:50.400000Z in microseconds, and "
            "2024-08-01T00:00:00Z in milliseconds"});
  const auto nanoseconds = texts_of(source_of(), {"1722470400000000001,,5\n"});
  REQUIRE(nanoseconds.size() == 1);
  CHECK(nanoseconds[0].ends_with(" and 2024-08-01T00:00:00Z in nanoseconds"));
}

TEST_CASE("moments, microseconds and numbers that are no moments are left alone") {
  CHECK(texts_of(source_of(), {"2024-08-01T00:00:00Z,1722470400000000,1722470400\n"}).empty());
  CHECK(texts_of(source_of(), {"0,,5\n1,,5\n-1722470400,,5\n9223372036854775807,,5\n"}).empty());
  CHECK(texts_of(source_of(), {}).empty());
}

TEST_CASE("most values decide, and nulls are none") {
  const std::string sound = "2024-08-01T00:00:00Z,";
  CHECK(texts_of(source_of(), {sound + "1722470400,5\n" + sound + "1722470400000000,5\n"}).empty());
  const auto most = texts_of(
      source_of(),
      {sound + "1722470400,5\n" + sound + ",5\n" + sound + "0,5\n", sound + "1722470400,5\n"});
  REQUIRE(most.size() == 1);
  CHECK(most[0].starts_with("seen looks like seconds since the epoch (2 of 3 values), "));
}

TEST_CASE("of a personal column no example is told") {
  const auto texts = texts_of(source_of(", pii = true"), {"1722470400,,5\n"});
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].ends_with("and a number is read as microseconds"));
}

}  // namespace
}  // namespace coeval::quality
