#include <doctest/doctest.h>

#include <map>
#include <set>

#include "data/hash.h"
#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

using testing::changed;
using testing::kFlights;
using testing::project_of;

struct Hashes {
  std::string project, model, view;
  friend bool operator==(const Hashes&, const Hashes&) = default;
};

Hashes hashes_of(const std::string& toml) {
  const Project project = project_of(toml);
  return {project.ir_hash, project.models.at(0).ir_hash, view_hash(project, 0)};
}

Hashes hashes_with(const std::string& from, const std::string& to) {
  return hashes_of(changed(kFlights, from, to));
}

TEST_CASE("layout, comments and order leave every hash alone") {
  const Hashes plain = hashes_of(kFlights);
  CHECK(hashes_of("# a comment\n\n" + kFlights) == plain);
  CHECK(hashes_with("distance / 7.5)\"", "distance/7.50 )\"") == plain);
  CHECK(hashes_with("\"mean(delay >= 15)\"", "'mean( delay>=15 )'") == plain);
  CHECK(hashes_with("\"mean(delay >= 15)\"", "\"\"\"\nmean(delay\n >= 15)\"\"\"") == plain);
  CHECK(hashes_with("\"mean(delay >= 15)\"", "\"mean(delay \\u003e= 15)\"") == plain);
  CHECK(hashes_with("[\"3h\", \"14d\"]", "[ \"14d\",\n  \"3h\", ]") == plain);
  CHECK(hashes_with("flights = \"count()\"\nlate    = \"mean(delay >= 15)\"\n",
                    "late = \"mean(delay >= 15)\"\nflights = \"count( )\"\n") == plain);
  CHECK(hashes_with("pressure = \"origin.late_3h / origin.late_14d\"",
                    "pressure = \"origin.late_3h/origin . late_14d\"") == plain);
  CHECK(hashes_with("{ type = \"int32\", min = -120, max = 3000 }",
                    "{ max = 3000, min = -120, type = \"int32\", nullable = false }") == plain);
  CHECK(hashes_with("2001-05-01,", "2001-05-01T00:00:00Z,") == plain);
}

TEST_CASE("order of tables and columns leaves every hash and every index alone") {
  const std::size_t view = kFlights.find("[view.origin]"), features = kFlights.find("[features]"),
                    model = kFlights.find("[model.late]");
  const std::string turned = kFlights.substr(model) + kFlights.substr(features, model - features) +
                             kFlights.substr(view, features - view) + kFlights.substr(0, view);
  CHECK(hashes_of(turned) == hashes_of(kFlights));
  const std::string swapped =
      changed(changed(kFlights, "date     = { type = \"timestamp\" }\n", ""), "[view.origin]",
              "date = { type = \"timestamp\" }\n[view.origin]");
  CHECK(hashes_of(swapped) == hashes_of(kFlights));
  CHECK(project_of(swapped).sources[0].schema == project_of(kFlights).sources[0].schema);
}

TEST_CASE("a default means the same written out") {
  const Hashes plain = hashes_of(kFlights);
  CHECK(hashes_with("windows = ", "lateness = \"24h\"\nwindows = ") == plain);
  CHECK(hashes_with("inputs   = [",
                    "trainer = \"xgboost\"\nseed = 0\nthreshold = 0.5\ninputs = [") == plain);
  CHECK(hashes_with("inputs   = [",
                    "params = { learning_rate = 0.3, max_depth = 6, rounds = 150, subsample = 1 "
                    "}\ninputs = [") == plain);
  CHECK(hashes_with("name = \"flights\"", "name = \"flights\"\nzone = \"UTC\"") == plain);
}

TEST_CASE("each change of meaning makes a new hash") {
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"flights.parquet", "other.parquet"},
      {"minutes(40 ", "minutes(41 "},
      {"\"date + minutes(40 + distance / 7.5)\"", "\"event time\""},
      {"pattern = \"[A-Z]{3}\"", "pattern = \"[A-Z]{4}\""},
      {"min = -120", "min = -121"},
      {"max = 3000", "max = 3001"},
      {"{ type = \"int32\", min = -120", "{ type = \"int64\", min = -120"},
      {"max = 3000 }", "max = 3000, nullable = true }"},
      {"max = 3000 }", "max = 3000, known = \"date + 30min\" }"},
      {"max = 3000 }", "max = 3000 }\nextra = \"string\""},
      {"\"3h\", \"14d\"", "\"3h\", \"14d\", \"15d\""},
      {"windows = ", "lateness = \"2d\"\nwindows = "},
      {"sum(delay) where", "max(delay) where"},
      {"distance > 1000", "distance >= 1000"},
      {"late_3h / origin", "late_3h * origin"},
      {"label    = \"delay >= 15\"", "label    = \"delay > 15\""},
      {"\"weekday\", \"distance\"", "\"distance\", \"weekday\""},
      {"\"weekday\", ", "\"weekday\", \"hour\", "},
      {"inputs   = [", "seed = 1\ninputs   = ["},
      {"inputs   = [", "threshold = 0.4\ninputs   = ["},
      {"inputs   = [", "params = { eta = 0.1 }\ninputs   = ["},
      {"inputs   = [", "params = { rounds = 151 }\ninputs   = ["},
      {"inputs   = [", "params = { early_stopping_rounds = 10 }\ninputs   = ["},
      {"train_until = 2001-05-01", "train_until = 2001-04-30"},
      {"validate_until = 2001-06-01", "validate_until = 2001-06-02"},
      {"test_until = 2001-07-01", "test_until = 2001-07-02"},
      {">= 0.77", ">= 0.78"},
      {">= 0.77", "<= 0.77"},
      {"auc = ", "brier = "},
      {"auc = \">= 0.77\"", "auc = \">= 0.77\", better_than = \"champion\""},
  };
  std::map<std::string, std::string> seen = {{project_of(kFlights).models[0].ir_hash, "nothing"}};
  for (const auto& [from, to] : changes) {
    const auto [place, fresh] = seen.emplace(hashes_with(from, to).model, to);
    CAPTURE(to);
    CAPTURE(place->second);
    CHECK(fresh);
  }
}

TEST_CASE("a model's hash does not depend on what it does not reach") {
  const Hashes plain = hashes_of(kFlights);
  const std::string other =
      "[view.other]\nfrom = \"flights\"\nby = []\nwindows = [\"1h\"]\nn = \"count()\"\n";
  const Hashes more = hashes_of(kFlights + other);
  CHECK(more.model == plain.model);
  CHECK(more.view == plain.view);
  CHECK(more.project != plain.project);
  CHECK(hashes_with("[features]\n", "[features]\nunused = \"distance / 2\"\n").model ==
        plain.model);
}

TEST_CASE(
    "a longer window changes which late events count, so it changes the hash of short ones too") {
  const std::string few = changed(kFlights, "\"origin.*\", \"pressure\"", "\"origin.late_3h\"");
  CHECK(hashes_of(few).model != hashes_of(changed(few, "\"14d\"]", "\"14d\", \"30d\"]")).model);
}

TEST_CASE("names cannot forge lines of the canonical text") {
  const std::string forged = changed(kFlights, "flights.parquet", "a\\\"\\n  known event time");
  CHECK(project_of(forged).ir.find("\n  known event time") == std::string::npos);
}

TEST_CASE("the canonical text carries its version and its own hash") {
  const Project project = project_of(kFlights);
  CHECK(project.ir.starts_with("coeval-ir 1\n"));
  CHECK(project.models[0].ir.starts_with("coeval-ir 1\n"));
  CHECK(project.ir_hash == data::sha256_hex(project.ir));
  CHECK(project.ir_hash.size() == 64);
}

}  // namespace
}  // namespace coeval::define
