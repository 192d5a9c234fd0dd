#include "adapters/openlineage/run_events.h"

#include <doctest/doctest.h>

#include <map>

namespace coeval::adapters::openlineage {
namespace {

BuildLineage small_build() {
  BuildLineage build;
  build.run.id = "20261128-134500-000123";
  build.run.model = "risk";
  build.run.state = stores::RunState::finished;
  build.run.started_us = 1'000'000;
  build.run.ended_us = 9'000'000;
  build.run.dataset_s = 2.5;
  build.run.train_s = 3;
  build.project = "shop";
  build.engine = "coeval 0.1.0";
  build.sources.push_back({.space = "file", .name = "/orders.csv"});
  build.rows = Dataset{.space = "file", .name = "/rows.parquet"};
  build.columns = {{"amount", "of the question", {{0, "amount", "DIRECT", "IDENTITY"}}}};
  build.model = Dataset{.space = "file", .name = "/model"};
  return build;
}

std::vector<std::string> told(const std::vector<data::Json>& events) {
  std::vector<std::string> lines;
  for (const auto& event : events)
    lines.push_back(*event.find("job")->find("name")->string() + " " +
                    *event.find("eventType")->string() + " " + *event.find("eventTime")->string());
  return lines;
}

}  // namespace

TEST_CASE("a build and its steps begin and end, one after the other") {
  CHECK(told(run_events(small_build())) ==
        std::vector<std::string>{"risk.build START 1970-01-01T00:00:01Z",
                                 "risk.dataset START 1970-01-01T00:00:01Z",
                                 "risk.dataset COMPLETE 1970-01-01T00:00:03.500000Z",
                                 "risk.train START 1970-01-01T00:00:03.500000Z",
                                 "risk.train COMPLETE 1970-01-01T00:00:09Z",
                                 "risk.build COMPLETE 1970-01-01T00:00:09Z"});
}

TEST_CASE("the same run has the same events, and each job of it one id") {
  const auto once = run_events(small_build()), again = run_events(small_build());
  std::map<std::string, std::string> ids;
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(once[i].dump() == again[i].dump());
    const std::string job = *once[i].find("job")->find("name")->string();
    const std::string id = *once[i].find("run")->find("runId")->string();
    CHECK(id.size() == 36);
    CHECK(id[14] == '7');
    CHECK(ids.try_emplace(id, job).first->second == job);
  }
  CHECK(ids.size() == 3);
}

TEST_CASE("a failed build says why, and of steps only those that were run") {
  BuildLineage build = small_build();
  build.run.state = stores::RunState::failed;
  build.run.error = "error[C0804]: no rows";
  build.run.train_s.reset();
  const auto events = run_events(build);
  CHECK(told(events).size() == 4);
  const data::Json* error = events.back().find("run")->find("facets")->find("errorMessage");
  REQUIRE(error != nullptr);
  CHECK(*error->find("message")->string() == "error[C0804]: no rows");
  CHECK(*events.back().find("eventType")->string() == "FAIL");
  CHECK(events.back().find("outputs")->array()->empty());
}

TEST_CASE("a run that goes on has begun, an interrupted one is aborted") {
  BuildLineage build = small_build();
  build.run.dataset_s.reset();
  build.run.train_s.reset();
  build.run.ended_us = 0;
  build.run.state = stores::RunState::running;
  CHECK(told(run_events(build)) ==
        std::vector<std::string>{"risk.build START 1970-01-01T00:00:01Z"});
  build.run.state = stores::RunState::interrupted;
  CHECK(told(run_events(build)).back() == "risk.build ABORT 1970-01-01T00:00:01Z");
}

TEST_CASE("a trial is within the build of its parent") {
  BuildLineage parent = small_build();
  const auto whole = run_events(parent);
  BuildLineage trial = small_build();
  trial.run.kind = stores::RunKind::trial;
  trial.run.id = "19700101-000002-000000";
  trial.run.parent = "19700101-000001-000000";
  parent.run.id = trial.run.parent;
  const auto events = run_events(trial);
  const data::Json* of = events.front().find("run")->find("facets")->find("parent");
  REQUIRE(of != nullptr);
  CHECK(*of->find("run")->find("runId")->string() ==
        *run_events(parent).front().find("run")->find("runId")->string());
}

}  // namespace coeval::adapters::openlineage
