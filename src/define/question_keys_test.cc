#include "define/question_keys.h"

#include <doctest/doctest.h>

#include "base/time.h"
#include "define/definition_for_tests.h"
#include "define/difference.h"
#include "define/event_lookups.h"
#include "define/row_schemas.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::errors_of;
using testing::project_of;

// flight → aircraft → airport → city, and flights counted by their aircraft's maker.
const std::string kChain = R"toml([project]
name = "chain"
[keys]
airport = "plane.base"
city    = "lower(field.city)"
[source.flights]
time  = "date"
known = "date + minutes(40)"
[source.flights.columns]
date  = { type = "timestamp" }
tail  = { type = "string", known = "date" }
delay = { type = "int32" }
[source.aircraft]
time  = "since"
known = "event time"
[source.aircraft.columns]
since = { type = "timestamp" }
tail  = { type = "string" }
base  = { type = "string" }
maker = { type = "string" }
seats = { type = "int32" }
[source.airports]
time  = "since"
known = "event time"
[source.airports.columns]
since   = { type = "timestamp" }
airport = { type = "string" }
city    = { type = "string" }
[source.storms]
time  = "at_time"
known = "event time"
[source.storms.columns]
at_time = { type = "timestamp" }
city    = { type = "string" }
[lookup.plane]
from    = "aircraft"
by      = ["tail"]
columns = ["base", "maker", "seats"]
[lookup.field]
from    = "airports"
by      = ["airport"]
columns = ["city"]
[view.storm]
from    = "storms"
by      = ["city"]
windows = ["1d"]
n       = "count()"
[view.maker]
from    = "flights"
by      = ["plane.maker"]
windows = ["1d"]
late    = "mean(delay >= 15)"
[model.late]
question = { from = "flights", at = "date" }
label    = "delay >= 15"
inputs   = ["storm.n_1d", "maker.late_1d"]
split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
gate     = { auc = ">= 0.5" }
)toml";

std::string stage_text(const Project& project) {
  std::string text;
  const RowSchema& row = project.models[0].row;
  for (const auto& key : row.keys) text += std::to_string(key.stage) + " " + key.value.name + "; ";
  for (const auto& later : row.later)
    text += project.views[static_cast<std::size_t>(later.view)].name + " " +
            std::to_string(later.stage) + "; ";
  return text;
}

TEST_CASE("keys are settled stage by stage, and the question keeps only what is asked of it") {
  const Project project = project_of(kChain);
  CHECK(stage_text(project) == "1 airport; 1 plane.maker; 2 city; field 1; maker 1; storm 2; ");
  CHECK(project.models[0].row.stage_count() == 3);
  const data::Schema question = question_schema(project.models[0]);
  REQUIRE(question.fields.size() == 1);
  CHECK(question.fields[0].name == "tail");
}

TEST_CASE("a view reads of its lookups what it names, and what finds their keys") {
  const Project project = project_of(kChain);
  const Source& flights =
      project.sources[static_cast<std::size_t>(project.source_index("flights"))];
  const View& maker = project.views[static_cast<std::size_t>(project.view_index("maker"))];
  REQUIRE(flights.lookups.size() == 1);
  CHECK(project.views[static_cast<std::size_t>(flights.lookups[0].view)].name == "plane");
  CHECK(maker.keys == std::vector<std::string>{"plane.maker"});
  const LookedUp read = looked_up(flights, maker);
  REQUIRE(read.fields.size() == 1);
  CHECK(flights.event_schema().fields[static_cast<std::size_t>(read.fields[0])].name ==
        "plane.maker");
  const int tail = flights.schema.index_of("tail");
  CHECK(own_columns_of(flights, read.fields[0]) == std::vector<int>{tail});
  CHECK(looked_up_sources(project, {project.view_index("maker")}) ==
        std::vector<int>{project.source_index("aircraft")});
  CHECK(looked_up_sources(project, {project.view_index("storm")}).empty());
}

TEST_CASE("hashes depend on how keys are found, for questions and for events") {
  const Project project = project_of(kChain);
  const auto hash = [](const Project& p, const char* view) {
    return view_hash(p, p.view_index(view));
  };
  const Project other_key =
      project_of(changed(kChain, "\"lower(field.city)\"", "\"upper(field.city)\""));
  CHECK(other_key.models[0].ir_hash != project.models[0].ir_hash);
  CHECK(request_hash(other_key, other_key.models[0]) != request_hash(project, project.models[0]));
  CHECK(hash(other_key, "storm") == hash(project, "storm"));
  CHECK(hash(other_key, "maker") == hash(project, "maker"));
  const Project other_aircraft =
      project_of(changed(kChain, "known = \"event time\"\n[source.aircraft",
                         "known = \"since + 1d\"\n[source.aircraft"));
  CHECK(hash(other_aircraft, "maker") != hash(project, "maker"));
  CHECK(hash(other_aircraft, "storm") == hash(project, "storm"));
  CHECK(other_aircraft.models[0].ir_hash != project.models[0].ir_hash);
  // What nobody reads of a lookup, and layout, change no hash of a model.
  const Project narrower = project_of(changed(kChain, ", \"seats\"]", "]"));
  CHECK(narrower.models[0].ir_hash == project.models[0].ir_hash);
  const Project spaced =
      project_of(changed(kChain, "\"lower(field.city)\"", "\"lower( field.city )\""));
  CHECK(spaced.ir_hash == project.ir_hash);
}

TEST_CASE("a plan names a key that changed, and every input that it finds") {
  const Project before = project_of(kChain);
  const Project after =
      project_of(changed(kChain, "\"plane.base\"", "\"coalesce(plane.base, 'ORD')\""));
  const Difference found = difference(before, after);
  REQUIRE(found.expressions.size() == 1);
  CHECK(found.expressions[0].name == "airport");
  REQUIRE(found.models.size() == 1);
  CHECK(found.models[0].columns_recomputed == std::vector<std::string>{"storm.n_1d"});
  CHECK(found.models[0].request_changed);
  REQUIRE(found.models[0].settings.size() == 1);
  CHECK(found.models[0].settings[0].name == "key airport");
  CHECK(found.rebuilt_views.empty());
}

TEST_CASE("a key has one meaning, and a name that no feature has") {
  const auto errors = errors_of(kChain + "[features]\nairport = \"1\"\n");
  REQUIRE(errors.size() == 1);
  CHECK(errors[0].starts_with("4:11 C0415 key 'airport' has the name of a feature"));
  const auto broken = errors_of(changed(kChain, "\"plane.base\"", "\"plane.bas\""));
  REQUIRE(broken.size() == 1);
  CHECK(broken[0].starts_with("4:12 C04"));
}

TEST_CASE("a set of features is asked with the keys that its questions bring") {
  const Project project = project_of(kChain);
  const auto asked = [&](const std::vector<std::string>& own) {
    const auto set = feature_set(project, "storm.n_1d", "set", own);
    REQUIRE(set.has_value());
    const std::size_t count = set->row.schema.fields.size() - set->row.view_features.size();
    std::string names = std::to_string(set->row.keys.size()) + ":";
    for (std::size_t i = 0; i < count; ++i) names += " " + set->row.schema.fields[i].name;
    return names;
  };
  CHECK(asked({}) == "2: tail");
  CHECK(asked({"city"}) == "0: city");
  CHECK(asked({"airport"}) == "1: airport");
}

TEST_CASE("what refuses a question is what it reads, for itself or to find a key") {
  const auto refusing = [](const std::string& inputs) {
    const Project project = project_of(
        changed(changed(kChain, "late    = \"mean(delay >= 15)\"",
                        "late    = { value = \"mean(delay >= 15)\", max_age = \"2d\", on_stale = "
                        "\"refuse\" }\nn = \"count()\""),
                "[\"storm.n_1d\", \"maker.late_1d\"]", inputs));
    return project.models[0].row.stale_rules;
  };
  const auto rules = refusing("[\"maker.late_1d\"]");
  REQUIRE(rules.size() == 1);
  CHECK(rules[0].feature == "maker.late_1d");
  CHECK(rules[0].max_age_us == 2 * kDayUs);
  CHECK(refusing("[\"maker.n_1d\"]").empty());
}

TEST_CASE("a circle of keys is one without a model that reads it too") {
  const std::string text = R"([project]
name = "p"
[source.s]
time = "ts"
known = "event time"
[source.s.columns]
ts = "timestamp"
kk = "string"
mk = "string"
[source.asks]
time = "ts"
known = "event time"
[source.asks.columns]
ts = "timestamp"
[lookup.l]
from = "s"
by = ["kk"]
columns = ["mk"]
[keys]
kk = "l.mk"
)";
  const auto checked = check_text(text, "coeval.toml");
  REQUIRE(checked.errors.size() == 1);
  CHECK(checked.errors[0].code == Code::cycle);
  CHECK(checked.errors[0].message ==
        "a key is found by itself: lookup 'l' → key 'kk' → lookup 'l'");
}

}  // namespace
}  // namespace coeval::define
