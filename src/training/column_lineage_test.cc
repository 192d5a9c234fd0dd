#include "training/column_lineage.h"

#include <doctest/doctest.h>

#include "define/definition_for_tests.h"

namespace coeval::training {
namespace {

using define::testing::changed;
using define::testing::kFlights;

constexpr const char* kNames[] = {"identity",   "computed",    "aggregated", "filtered",
                                  "grouped_by", "windowed_by", "joined_by"};

// "flights.delay aggregated" for each origin of a column.
std::vector<std::string> origins_of(const std::string& toml, const std::string& column) {
  const define::Project project = define::testing::project_of(toml);
  std::vector<std::string> lines;
  for (const auto& each : column_lineage(project, project.models.front())) {
    if (each.column != column) continue;
    for (const auto& origin : each.origins)
      lines.push_back(project.sources[static_cast<std::size_t>(origin.source)].name + "." +
                      origin.column + " " + kNames[static_cast<std::size_t>(origin.how)]);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("an input that is a column is that column, an expression is computed") {
  CHECK(origins_of(kFlights, "distance") == Lines{"flights.distance identity"});
  CHECK(origins_of(changed(kFlights, R"("weekday", )", R"("distance * 2", )"),
                   "(cast(distance as int64) * 2)") == Lines{"flights.distance computed"});
}

TEST_CASE("a feature comes from what it aggregates, filters and groups by, at its times") {
  CHECK(origins_of(kFlights, "origin.far_3h") ==
        Lines{"flights.date windowed_by", "flights.delay aggregated", "flights.distance filtered",
              "flights.origin grouped_by", "flights.origin joined_by"});
  CHECK(origins_of(kFlights, "origin.flights_14d") ==
        Lines{"flights.date windowed_by", "flights.origin grouped_by", "flights.origin joined_by"});
}

TEST_CASE("the label comes last, with what it reads") {
  const define::Project project = define::testing::project_of(kFlights);
  const auto lineage = column_lineage(project, project.models.front());
  CHECK(lineage.size() == project.models.front().inputs.size() + 1);
  CHECK(lineage.back().column == "label");
  CHECK(lineage.back().made_of == "cast(delay as int64) >= 15");
  CHECK(origins_of(kFlights, "label") == Lines{"flights.delay computed"});
}

TEST_CASE("a column of a lookup comes from the lookup's source, found by the event's column") {
  const std::string toml = changed(
      changed(
          kFlights, "[view.origin]",
          "[source.airports]\npath = \"airports.csv\"\ntime = \"since\"\nknown = \"event time\"\n"
          "[source.airports.columns]\nsince = { type = \"timestamp\" }\ncode = { type = "
          "\"string\" }\nheight = { type = \"float64\" }\n[lookup.airport]\nfrom = "
          "\"airports\"\nby = [\"code\"]\ncolumns = [\"height\"]\n[view.origin]"),
      R"("weekday", )", R"("weekday", "airport.height", )");
  const auto with_key = changed(toml, "[features]", "[keys]\ncode = \"origin\"\n[features]");
  CHECK(origins_of(with_key, "airport.height") ==
        Lines{"airports.code joined_by", "airports.height computed", "airports.since windowed_by",
              "flights.origin joined_by"});
}

}  // namespace coeval::training
