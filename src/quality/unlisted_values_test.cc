#include "quality/unlisted_values.h"

#include <doctest/doctest.h>

#include "data/text_tables.h"

namespace coeval::quality {
namespace {

define::Source source_of(const std::string& rules) {
  auto checked = define::check_text(
      "[project]\nname = \"p\"\n[source.s]\ntime = \"ts\"\nknown = \"event time\"\n"
      "[source.s.columns]\nts = \"timestamp\"\nkind = { type = \"string\", enum = [\"a\"]" +
          rules + " }\nother = { type = \"int32\", severity = \"warn\", max = 3 }\n",
      "coeval.toml");
  REQUIRE(checked.project);
  return checked.project->sources[0];
}

std::vector<std::string> texts_of(const define::Source& source,
                                  const std::vector<std::string>& kinds) {
  const auto checks = RowChecks::compile(source).value();
  std::string csv = "ts,kind,other\n";
  for (const std::string& kind : kinds) csv += "2024-01-01T00:00:00Z," + kind + ",5\n";
  const data::Batch rows = data::read_csv(csv, source.schema).value().rows;
  const Screened screened = screen(*checks, source, rows, "a.csv", 0);
  UnlistedValues values(source, *checks);
  values.add(screened.quarantined);
  values.add(rows, screened.warned);
  return values.texts();
}

TEST_CASE("each value that an enum does not list is told once, the most frequent first") {
  CHECK(texts_of(source_of(""), {"a", "a"}).empty());
  CHECK(texts_of(source_of(""), {"b", "a", "c", "c"}) ==
        std::vector<std::string>{"kind.enum does not list \"c\" (2 rows), \"b\" (1 row): add what "
                                 "is sound to the enum, then `coeval quarantine replay` takes the "
                                 "rows"});
  CHECK(texts_of(source_of(", severity = \"warn\""), {"b", "a"}) ==
        std::vector<std::string>{
            "kind.enum does not list \"b\" (1 row): add what is sound to the enum"});
}

TEST_CASE("of many values the first are counted each, the others together") {
  std::vector<std::string> kinds;
  for (int i = 0; i < 1000; ++i) kinds.push_back("k" + std::to_string(1000 + i));
  const auto texts = texts_of(source_of(""), kinds);
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].find("\"k1007\" (1 row) and other values (992 rows)") != std::string::npos);
  const auto cut = texts_of(source_of(""), {std::string(100, 'x')});
  CHECK(cut[0].find("\"" + std::string(60, 'x') + "\"… (1 row)") != std::string::npos);
}

TEST_CASE("values of a personal column are counted and not told") {
  const auto texts = texts_of(source_of(", pii = true"), {"b", "c"});
  REQUIRE(texts.size() == 1);
  CHECK(texts[0].find("does not list the values of 2 rows, which are not shown") !=
        std::string::npos);
  CHECK(texts[0].find("\"b\"") == std::string::npos);
}

}  // namespace
}  // namespace coeval::quality
