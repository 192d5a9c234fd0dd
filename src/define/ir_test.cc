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
      {"\"3h\", \"14d\"", "\"3h\", \"14d\", \"1d offset 15d\""},
      {"\"3h\", \"14d\"", "\"3h\", \"14d\", \"1d offset 16d\""},
      {"\"3h\", \"14d\"", "\"3h\", \"14d\", \"today\""},
      {"\"3h\", \"14d\"", "\"3h\", \"14d\", \"this_week\""},
      {"\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", default = 0 }"},
      {"\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", default = 1 }"},
      {"\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", max_age = \"7d\" }"},
      {"\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", max_age = \"8d\" }"},
      {"\"mean(delay >= 15)\"", "{ value = \"mean(delay >= 15)\", default = 1, max_age = \"8d\" }"},
      {"\"mean(delay >= 15)\"",
       "{ value = \"mean(delay >= 15)\", default = 1, max_age = \"8d\", on_stale = \"null\" }"},
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

TEST_CASE("constants are no part of a hash but by their values") {
  const auto with = [](const std::string& constants, const std::string& limit) {
    const auto text = changed(kFlights, "[view.origin]", constants + "[view.origin]");
    return hashes_of(changed(changed(text, "mean(delay >= 15)", "mean(delay >= " + limit + ")"),
                             "[features]\n",
                             "[features]\nunread = \"distance + " + limit + "\"\n"));
  };
  const Hashes plain = with("", "15");
  CHECK(with("[constants]\nlimit = 15\nunused = 3\n", "limit") == plain);
  CHECK(with("[constants]\nbound = 15\n", "bound") == plain);
  const Hashes other = with("[constants]\nlimit = 16\n", "limit");
  CHECK(other.project != plain.project);
  CHECK(other.model != plain.model);
  CHECK(other.view != plain.view);
  const auto unread = [](const std::string& limit) {
    const auto text =
        changed(kFlights, "[view.origin]", "[constants]\nlimit = " + limit + "\n[view.origin]");
    return hashes_of(changed(text, "[features]\n", "[features]\nunread = \"distance + limit\"\n"));
  };
  CHECK(unread("15").project != unread("16").project);
  CHECK(unread("15").model == unread("16").model);
}

TEST_CASE("a zone and the release of its tables are part of every hash, UTC of none") {
  const std::string zoned =
      changed(kFlights, "name = \"flights\"", "name = \"flights\"\nzone = \"Europe/Berlin\"");
  const Hashes plain = hashes_of(kFlights), berlin = hashes_of(zoned);
  CHECK(berlin.project != plain.project);
  CHECK(berlin.model != plain.model);
  CHECK(berlin.view != plain.view);
  CHECK(project_of(zoned).ir.find("\nzone Europe/Berlin " +
                                  std::string(TimeZone::tables_version()) + "\n") !=
        std::string::npos);
  CHECK(project_of(kFlights).ir.find("\nzone UTC\n") != std::string::npos);
}

TEST_CASE("plain windows are written as they always were, others by what they mean") {
  const Project project = project_of(
      changed(kFlights, "[\"3h\", \"14d\"]", "[\"3h\", \"14d\", \"1d offset 2d\", \"today\"]"));
  for (const std::string line : {"  window 3h 10800000000us\n", "  window 14d 1209600000000us\n",
                                 "  window 1d_offset_2d 86400000000us offset 172800000000us\n",
                                 "  window today today\n", "  longest_window 1209600000000us\n"}) {
    CAPTURE(line);
    CHECK(project.ir.find(line) != std::string::npos);
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
