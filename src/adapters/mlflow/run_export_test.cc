#include "adapters/mlflow/run_export.h"

#include <doctest/doctest.h>

#include "data/json.h"

namespace coeval::adapters::mlflow {
namespace {

using data::Json;

/// Answers as an MLflow server does, of one run at most; notes what it was asked.
class Recorder final : public HttpExchange {
 public:
  struct Call {
    std::string name;
    Json body;
  };

  Result<HttpResponse> send(const HttpRequest& request) override {
    const auto slash = request.target.find("/mlflow/");
    const std::string name =
        request.method == "PUT"
            ? "PUT"
            : request.target.substr(slash + 8, request.target.find('?') - slash - 8);
    calls.push_back({name, data::parse_json(request.body).value_or(Json())});
    if (name == fails)
      return HttpResponse{500, R"({"error_code":"INTERNAL_ERROR","message":"no"})"};
    if (name == "experiments/get-by-name")
      return HttpResponse{200,
                          R"({"experiment":{"experiment_id":"7","lifecycle_stage":"active"}})"};
    if (name == "runs/create") {
      there = R"({"info":{"run_id":"r1","artifact_uri":"mlflow-artifacts:/7/r1/artifacts"}})";
      return HttpResponse{200, "{\"run\":" + there + "}"};
    }
    if (name == "runs/search") return HttpResponse{200, "{\"runs\":[" + there + "]}"};
    if (name == "model-versions/create")
      return HttpResponse{200, R"({"model_version":{"version":"3"}})"};
    return HttpResponse{200, "{}"};
  }

  std::vector<Json> bodies(const std::string& name) const {
    std::vector<Json> found;
    for (const Call& call : calls)
      if (call.name == name) found.push_back(call.body);
    return found;
  }
  std::string last_status() const {
    const auto updates = bodies("runs/update");
    return updates.empty() ? "" : *updates.back().find("status")->string();
  }

  std::vector<Call> calls;
  std::string fails, there;
};

RunExport small_run() {
  RunExport what;
  what.run.id = "20261128-134500-000123";
  what.run.model = "late";
  what.run.experiment = "flights";
  what.run.state = stores::RunState::finished;
  what.run.started_us = 1'000'000;
  what.run.ended_us = 3'000'000;
  what.run.params = {{"max_depth", "6"}};
  what.run.metrics = {{"test.auc", 0.75}};
  what.run.curves = {{"validation", {0.5, 0.25}}};
  what.artifacts = {{"run.json", "{}"}};
  return what;
}

}  // namespace

TEST_CASE("a run is finished only when all of it is there") {
  Recorder server;
  const auto exported = export_run(server, small_run());
  REQUIRE(exported);
  CHECK(exported->run_id == "r1");
  CHECK_FALSE(exported->found);
  CHECK(server.calls.back().name == "runs/update");
  CHECK(server.last_status() == "FINISHED");
  const auto again = export_run(server, small_run());
  REQUIRE(again);
  CHECK(again->found);
  CHECK(server.bodies("runs/create").size() == 1);
}

TEST_CASE("whatever fails, the run is marked and the error says what was asked") {
  for (const char* call : {"runs/log-batch", "PUT", "runs/log-inputs", "registered-models/create",
                           "model-versions/create", "registered-models/alias"}) {
    CAPTURE(call);
    Recorder server;
    server.fails = call;
    RunExport what = small_run();
    what.run.ids = {{"dataset_id", std::string(64, 'a')}};
    what.registration = Registration{"late", 7, "", "model", {"champion"}};
    const auto exported = export_run(server, what);
    REQUIRE_FALSE(exported);
    CHECK(exported.error().code == Code::unavailable);
    CHECK(one_line(exported.error()).find("500 INTERNAL_ERROR: no") != std::string::npos);
    CHECK(server.last_status() == "FAILED");
    server.fails.clear();
    REQUIRE(export_run(server, what));
    CHECK(server.last_status() == "FINISHED");
  }
}

TEST_CASE("requests keep MLflow's limits") {
  Recorder server;
  RunExport what = small_run();
  for (int i = 0; i < 250; ++i) what.run.params["p" + std::to_string(i)] = std::string(5'999, 'x');
  for (int i = 0; i < 2'500; ++i) what.run.curves["c"].push_back(i);
  for (int i = 0; i < 150; ++i) what.run.environment["e" + std::to_string(i)] = "x";
  REQUIRE(export_run(server, what));
  std::size_t params = 0, metrics = 0, tags = 0;
  for (const Json& body : server.bodies("runs/log-batch")) {
    CHECK(body.dump().size() < 1'000'000);
    const auto count = [&](const char* kind, std::size_t most) {
      const Json* items = body.find(kind);
      const std::size_t size = items == nullptr ? 0 : items->array()->size();
      CHECK(size <= most);
      return size;
    };
    params += count("params", 100);
    metrics += count("metrics", 1000);
    tags += count("tags", 100);
  }
  CHECK(params == 251);
  CHECK(metrics == 1 + 2 + 2'500);
  CHECK(tags > 150);
}

TEST_CASE("a text that is too long is cut at a character, and said to be") {
  Recorder server;
  RunExport what = small_run();
  std::string text;
  for (int i = 0; i < 6'001; ++i) text += "ü";
  what.run.params["weight"] = text;
  const auto exported = export_run(server, what);
  REQUIRE(exported);
  CHECK(exported->cut == std::vector<std::string>{"params.weight"});
  CHECK(first_characters(text, 6'000).size() == 12'000);
  CHECK(first_characters("abc", 3) == "abc");
  CHECK(first_characters("abc", 0).empty());
}

TEST_CASE("names that MLflow does not take are changed, and two stay two") {
  CHECK(allowed_name("slice.origin.auc.least") == "slice.origin.auc.least");
  CHECK(allowed_name("a'b") != allowed_name("a\"b"));
  CHECK(allowed_name("/a") != "/a");
  CHECK(allowed_name(std::string(300, 'n')).size() == 250);
  CHECK(allowed_name(std::string(300, 'n')) != allowed_name(std::string(301, 'n')));
}

TEST_CASE("a server whose artefacts do not go through it is refused with what to do") {
  Recorder server;
  server.there = R"({"info":{"run_id":"r1","artifact_uri":"s3://bucket/7/r1/artifacts"}})";
  const auto exported = export_run(server, small_run());
  REQUIRE_FALSE(exported);
  CHECK(exported.error().code == Code::unsupported);
  CHECK(exported.error().advice.find("--artifacts-destination") != std::string::npos);
  CHECK(server.last_status() == "FAILED");
}

}  // namespace coeval::adapters::mlflow
