#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/time.h"
#include "replay/dataset.h"
#include "stores/text_table_files.h"

namespace coeval::replay {
namespace {

constexpr const char* kDefinition = R"toml(
[project]
name = "shops"
[constants]
long = 60
[source.visits]
path  = "visits.csv"
time  = "ts"
known = "event time"
[source.visits.columns]
ts    = { type = "timestamp" }
shop  = { type = "string", known = "ts" }
spent = { type = "int32", nullable = true }
[source.shops]
path  = "shops.csv"
time  = "since"
known = "since + 1h"
[source.shops.columns]
since = { type = "timestamp" }
shop  = "string"
owner = { type = "string", nullable = true }
rent  = "int32"
[view.shop]
from    = "visits"
by      = ["shop"]
windows = ["1h", "1d"]
plain   = "mean(spent)"
filled  = { value = "mean(spent)", default = -1 }
aged    = { value = "max(spent) where spent < long", max_age = "6h" }
both    = { value = "sum(spent)", default = 7, max_age = "6h" }
strict  = { value = "count()", default = 7, max_age = "6h", on_stale = "null" }
[lookup.place]
from    = "shops"
by      = ["shop"]
columns = ["owner", "rent"]
)toml";

class World {
 public:
  World()
      : folder_(std::filesystem::temp_directory_path() /
                ("coeval-reading-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    write("visits.csv",
          "ts,shop,spent\n2024-01-01T10:00:00Z,a,50\n2024-01-01T10:30:00Z,a,90\n"
          "2024-01-01T12:00:00Z,b,\n");
    write("shops.csv",
          "since,shop,owner,rent\n2024-01-01T00:00:00Z,a,Ann,10\n"
          "2024-01-02T00:00:00Z,a,Bob,20\n2024-01-03T00:00:00Z,a,,30\n");
    auto checked = define::check_text(kDefinition, (folder_ / "coeval.toml").string());
    for (const auto& error : checked.errors) FAIL_CHECK(one_line(error));
    REQUIRE(checked.project);
    checked.project->folder = folder_.string();
    project_ = std::make_shared<const define::Project>(std::move(*checked.project));
  }
  ~World() { std::filesystem::remove_all(folder_); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The features of a shop at a moment, "null" where there is none.
  std::string ask(const std::string& features, const std::string& shop, const std::string& at) {
    const auto set = define::feature_set(*project_, features);
    REQUIRE(set);
    const OpenFormat formats = [this](const std::string&) -> Result<stores::TableFiles*> {
      return csv_.get();
    };
    const auto past = load_past(*project_, formats, {});
    REQUIRE(past);
    Questions questions;
    data::ColumnBuilder shops(data::Type::string);
    shops.append_string(shop);
    questions.columns.schema.fields = {{"shop", data::Type::string, true}};
    questions.columns.columns = {shops.finish()};
    questions.columns.rows = 1;
    const auto time = parse_time(at);
    REQUIRE(time);
    questions.at_us = {*time};
    std::string text;
    REQUIRE(answer(project_, *past, questions, set->row, set->inputs, {}, [&](Answers block) {
      for (const auto& column : block.inputs.columns)
        text += (text.empty() ? "" : " ") +
                (column.is_null(0) ? "null" : data::to_text(column.value(0), column.type()));
      return Status{};
    }));
    return text;
  }

 private:
  void write(const char* name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }

  std::filesystem::path folder_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
  std::shared_ptr<const define::Project> project_;
};

TEST_CASE("a default takes the place of null, also of an event without a value") {
  World world;
  const std::string features = "shop.plain_1h, shop.filled_1h, shop.filled_1d, shop.filled_1h + 1";
  CHECK(world.ask(features, "a", "2024-01-01T11:00:00Z") == "70 70 70 71");
  CHECK(world.ask(features, "a", "2024-01-01T13:00:00Z") == "null -1 70 0");
  CHECK(world.ask(features, "b", "2024-01-01T12:30:00Z") == "null -1 -1 0");
  CHECK(world.ask(features, "c", "2024-01-01T12:30:00Z") == "null -1 -1 0");
}

TEST_CASE("a value is stale by the newest event that it counts, to the microsecond") {
  World world;
  const std::string features = "shop.aged_1d, shop.both_1d, shop.strict_1d";
  CHECK(world.ask(features, "a", "2024-01-01T11:00:00Z") == "50 140 2");
  // Six hours after 10:00 and not a microsecond later; the visit of 10:30 is none that `aged`
  // counts.
  CHECK(world.ask(features, "a", "2024-01-01T16:00:00Z") == "50 140 2");
  CHECK(world.ask(features, "a", "2024-01-01T16:00:00.000001Z") == "null 140 2");
  CHECK(world.ask(features, "a", "2024-01-01T16:30:00Z") == "null 140 2");
  CHECK(world.ask(features, "a", "2024-01-01T16:30:00.000001Z") == "null 7 null");
  CHECK(world.ask(features, "c", "2024-01-01T16:30:00Z") == "null 7 null");
}

TEST_CASE("a lookup reads the newest row that was valid and known before the question") {
  World world;
  CHECK(world.ask("place", "a", "2024-01-01T01:00:00Z") == "null null");
  CHECK(world.ask("place", "a", "2024-01-01T01:00:00.000001Z") == "Ann 10");
  CHECK(world.ask("place", "a", "2024-01-02T00:59:00Z") == "Ann 10");
  CHECK(world.ask("place.owner, place.rent * 2", "a", "2024-01-02T02:00:00Z") == "Bob 40");
  CHECK(world.ask("place", "a", "2024-02-01T00:00:00Z") == "null 30");  // null is news too
  CHECK(world.ask("place", "b", "2024-02-01T00:00:00Z") == "null null");
}

}  // namespace
}  // namespace coeval::replay
