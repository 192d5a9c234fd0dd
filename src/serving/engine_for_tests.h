#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/time.h"
#include "data/json.h"
#include "define/project.h"
#include "kernel/kernel.h"
#include "serving/engine.h"
#include "serving/small_model_for_tests.h"
#include "stores/event_log.h"

namespace coeval::serving::testing {

inline const std::string kDefinition = R"toml([project]
name = "flights"
[source.flights]
time  = "date"
known = "date + minutes(40 + distance / 7.5)"
[source.flights.columns]
date     = { type = "timestamp" }
origin   = { type = "string", known = "date", pattern = "[A-Z]{3}" }
distance = { type = "int32", known = "date", min = 0, max = 6000 }
delay    = { type = "int32", min = -120, max = 3000 }
[view.origin]
from    = "flights"
by      = ["origin"]
windows = ["3h", "14d"]
flights = "count()"
late    = "mean(delay >= 15)"
far     = "sum(delay) where distance > 1000"
[features]
pressure = "origin.late_3h / origin.late_14d"
[model.late]
question = { from = "flights", at = "date" }
label    = "delay >= 15"
inputs   = ["weekday", "distance", "origin", "origin.*", "pressure"]
split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
gate     = { auc = ">= 0.77" }
)toml";

inline std::shared_ptr<const define::Project> small_project() {
  define::Checked checked = define::check_text(kDefinition, "coeval.toml");
  for (const Error& error : checked.errors) MESSAGE(one_line(error));
  REQUIRE(checked.project.has_value());
  return std::make_shared<const define::Project>(std::move(*checked.project));
}

inline std::int32_t input_index(const define::Model& model, std::string_view name) {
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    if (model.inputs[i].name == name) return static_cast<std::int32_t>(i);
  }
  FAIL("no input " << name);
  return -1;
}

/// A model over the project's inputs: far flights, and places where flights are late just now.
inline LoadedModel small_model(const define::Project& project, int version,
                               float far_weight = 0.5f) {
  const define::Model& model = *project.find_model("late");
  auto made = stump_model(model,
                          {{input_index(model, "distance"), 1000, -0.25f, far_weight},
                           {input_index(model, "origin.late_3h"), 0.5f, -1, 1.5f}},
                          {"ATL", "JFK", "ORD"}, version);
  if (!made) MESSAGE(one_line(made.error()));
  REQUIRE(made.has_value());
  return std::move(*made);
}

/// A folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "coeval-serving-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline constexpr std::int64_t kNoon = 991'396'800'000'000;  // 2001-06-01T12:00:00Z

/// An engine over a log, a clock that stands at noon, and one model, "late" version 3.
struct SmallEngine {
  explicit SmallEngine(Engine::Options options = {},
                       std::unique_ptr<stores::EventLog> log = stores::make_memory_log())
      : project(small_project()) {
    auto kernel = kernel::Kernel::create(project, {0});
    REQUIRE(kernel.has_value());
    log_view = log.get();
    auto made_clock = std::make_unique<ManualClock>(kNoon);
    clock = made_clock.get();
    engine = std::make_unique<Engine>(project, std::move(*kernel), std::move(log),
                                      std::move(made_clock), folder.path(), options);
    REQUIRE(engine->prepare().has_value());
    engine->set_models({{"late", small_model(*project, 3)}});
  }

  TemporaryFolder folder;
  std::shared_ptr<const define::Project> project;
  stores::EventLog* log_view = nullptr;
  ManualClock* clock = nullptr;
  std::unique_ptr<Engine> engine;
};

inline data::Json parsed(const std::string& body) {
  auto json = data::parse_json(body);
  if (!json) MESSAGE(body);
  REQUIRE(json.has_value());
  return *json;
}

/// Member `key` of an object, which must be there.
inline data::Json at(const data::Json& json, std::string_view key) {
  const data::Json* member = json.find(key);
  REQUIRE_MESSAGE(member != nullptr, key << " in " << json.dump());
  return *member;
}

inline std::string event(std::string_view origin, std::string_view date, int distance, int delay) {
  return "{\"date\":\"" + std::string(date) + "\",\"origin\":\"" + std::string(origin) +
         "\",\"distance\":" + std::to_string(distance) + ",\"delay\":" + std::to_string(delay) +
         "}";
}

}  // namespace coeval::serving::testing
