#include "quality/row_memory.h"

#include <doctest/doctest.h>

#include "data/text_tables.h"

namespace coeval::quality {

namespace {

constexpr const char* kDefinition = R"toml([project]
name = "shop"
[source.devices]
time = "ts"
known = "event time"
[source.devices.columns]
ts   = { type = "timestamp", known = "ts" }
name = { type = "string", known = "ts" }
[source.readings]
time = "ts"
known = "event time"
[source.readings.columns]
ts     = { type = "timestamp", known = "ts" }
device = { type = "string", known = "ts" }
number = { type = "int64", known = "ts" }
[source.readings.checks]
order = { increasing = "number", by = ["device"], strictly = true }
known = { refers = "device", to = "devices.name" }
)toml";

struct World {
  define::Project project;
  std::unique_ptr<RowMemory> memory;
  std::unique_ptr<RowChecks> checks;
  int devices, readings;

  World() {
    auto checked = define::check_text(kDefinition, "coeval.toml");
    REQUIRE(checked.project);
    project = std::move(*checked.project);
    devices = project.source_index("devices");
    readings = project.source_index("readings");
    memory = RowMemory::create(project, define::Environment::serve).value();
    checks = RowChecks::compile(source(readings), define::Environment::serve).value();
  }
  const define::Source& source(int index) const {
    return project.sources[static_cast<std::size_t>(index)];
  }
  data::Batch rows(int index, const std::string& csv) const {
    return data::read_csv(csv, source(index).schema).value().rows;
  }
  // The rules that each of these readings breaks, which arrive at a moment.
  std::vector<std::string> broken(const data::Batch& rows, std::int64_t arrival_us) {
    const std::vector<std::int64_t> arrivals(static_cast<std::size_t>(rows.rows), arrival_us);
    std::vector<std::string> names(arrivals.size());
    const auto found = checks->find(rows, memory->context(readings, arrivals)).value();
    for (const RowVerdict& verdict : found.bad)
      for (const int rule : verdict.rules)
        names[static_cast<std::size_t>(verdict.row)] +=
            checks->rules()[static_cast<std::size_t>(rule)].name + " ";
    return names;
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("only sources that a check looks back at are asked for") {
  World world;
  CHECK(world.memory->asks_for(world.devices));
  CHECK(world.memory->asks_for(world.readings));
  auto plain = define::check_text(
      "[project]\nname = \"p\"\n[source.s]\ntime = \"ts\"\nknown = \"event time\"\n"
      "[source.s.columns]\nts = { type = \"timestamp\", known = \"ts\" }\n",
      "coeval.toml");
  REQUIRE(plain.project);
  CHECK_FALSE(RowMemory::create(*plain.project, define::Environment::serve).value()->asks_for(0));
}

TEST_CASE("rows that were let in are looked back at, rows that were refused are not") {
  World world;
  const std::string head = "ts,device,number\n";
  const std::string at = "2024-01-01T00:00:00Z,";
  world.memory->remember(world.devices, world.rows(world.devices, "ts,name\n" + at + "a\n"),
                         std::vector<std::int64_t>{100});
  const data::Batch first = world.rows(world.readings, head + at + "a,5\n" + at + "a,5\n");
  // Within what arrives together the second follows the first.
  CHECK(world.broken(first, 200) == Names{"", "checks.order "});
  // Nothing was let in: the same again is as good as before.
  CHECK(world.broken(first, 200) == Names{"", "checks.order "});
  world.memory->remember(world.readings, world.rows(world.readings, head + at + "a,5\n"),
                         std::vector<std::int64_t>{200});
  CHECK(world.broken(first, 300) == Names{"checks.order ", "checks.order "});
  const data::Batch more = world.rows(world.readings, head + at + "a,6\n" + at + "b,1\n");
  CHECK(world.broken(more, 300) == Names{"", "checks.known "});
  // A key is there from the moment after it became known.
  world.memory->remember(world.devices, world.rows(world.devices, "ts,name\n" + at + "b\n"),
                         std::vector<std::int64_t>{300});
  CHECK(world.broken(more, 300) == Names{"", "checks.known "});
  CHECK(world.broken(more, 301) == Names{"", ""});
}

TEST_CASE("a lower row that a file brought is what the next one follows, as within the file") {
  World world;
  const std::string head = "ts,device,number\n";
  const std::string at = "2024-01-01T00:00:00Z,";
  world.memory->remember(world.devices, world.rows(world.devices, "ts,name\n" + at + "a\n"),
                         std::vector<std::int64_t>{100});
  // Two files: the second begins anew.
  const data::Batch first = world.rows(world.readings, head + at + "a,100\n");
  const data::Batch second = world.rows(world.readings, head + at + "a,7\n" + at + "a,8\n");
  world.memory->remember(world.readings, first, std::vector<std::int64_t>{200});
  world.memory->remember(world.readings, second, std::vector<std::int64_t>{300, 300});
  const data::Batch next = world.rows(world.readings, head + at + "a,8\n" + at + "a,9\n");
  CHECK(world.broken(next, 400) == Names{"checks.order ", ""});
}

}  // namespace coeval::quality
