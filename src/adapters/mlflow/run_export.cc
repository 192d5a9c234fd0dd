#include "adapters/mlflow/run_export.h"

#include <algorithm>
#include <map>

#include "adapters/mlflow/tracking_server.h"
#include "data/hash.h"

namespace coeval::adapters::mlflow {

namespace {

using data::Json;
using stores::Run;
using stores::RunState;

constexpr std::size_t kLongestParam = 6000, kLongestTag = 5000, kLongestName = 250;
constexpr std::size_t kMostMetrics = 1000, kMostParams = 100, kMostTags = 100;
constexpr std::size_t kBatchBytes = 400'000;  // MLflow takes a million
constexpr const char* kRunTag = "coeval.run_id";
constexpr const char* kExportTag = "coeval.export";

std::int64_t ms(std::int64_t us) { return us / 1000; }

std::string status_of(RunState state) {
  switch (state) {
    case RunState::running:
      return "RUNNING";
    case RunState::finished:
      return "FINISHED";
    case RunState::failed:
      return "FAILED";
    case RunState::interrupted:
      return "KILLED";
  }
  return "FAILED";
}

Json pair_json(const std::string& key, const std::string& value) {
  Json json{Json::Object{}};
  json.set("key", key);
  json.set("value", value);
  return json;
}

std::string version_text(const Run& run) { return run.model + "@v" + std::to_string(run.version); }

std::string run_name(const Run& run) {
  return run.version != 0 ? version_text(run) : run.model + " " + run.id;
}

std::map<std::string, std::string> tags_of(const Run& run) {
  std::map<std::string, std::string> tags = {{kRunTag, run.id},
                                             {"coeval.model", run.model},
                                             {"coeval.kind", std::string(stores::name(run.kind))},
                                             {"coeval.state", std::string(stores::name(run.state))},
                                             {"mlflow.runName", run_name(run)},
                                             {"mlflow.source.name", "coeval build " + run.model},
                                             {"mlflow.source.type", "LOCAL"}};
  for (const auto& [name, id] : run.ids) tags["coeval." + name] = id;
  for (const auto& [name, text] : run.environment) tags["coeval.environment." + name] = text;
  if (const auto commit = run.environment.find("git_commit"); commit != run.environment.end())
    tags["mlflow.source.git.commit"] = commit->second;
  if (run.version != 0) tags["coeval.version"] = version_text(run);
  if (!run.error.empty()) tags["coeval.error"] = run.error;
  if (!run.parent.empty()) tags["coeval.parent"] = run.parent;
  std::string words;
  for (const std::string& word : run.tags) words += (words.empty() ? "" : ", ") + word;
  if (!words.empty()) tags["coeval.tags"] = words;
  return tags;
}

struct Point {
  std::string key;
  double value = 0;
  std::int64_t step = 0;
};

std::vector<Point> points_of(const Run& run) {
  std::vector<Point> points;
  for (const auto& [name, value] : run.metrics) points.push_back({name, value});
  if (run.dataset_s) points.push_back({"dataset_s", *run.dataset_s});
  if (run.train_s) points.push_back({"train_s", *run.train_s});
  for (const auto& [name, values] : run.curves)
    for (std::size_t step = 0; step < values.size(); ++step)
      points.push_back({name, values[step], static_cast<std::int64_t>(step)});
  return points;
}

// A text in a filter of MLflow's.
std::string filter_text(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// One run on its way.
class RunWriter {
 public:
  RunWriter(HttpExchange& http, const RunExport& what)
      : server_(http), what_(what), run_(what.run) {}

  Result<ExportedRun> write() {
    COEVAL_TRY(find_experiment());
    COEVAL_TRY(find_run());
    const Status written = fill();
    if (!written) return std::unexpected(given_up(written.error()));
    return std::move(out_);
  }

 private:
  Status fill() {
    if (out_.found) COEVAL_TRY(reopen());
    COEVAL_TRY(write_params());
    COEVAL_TRY(write_metrics());
    COEVAL_TRY(write_tags());
    COEVAL_TRY(write_dataset());
    COEVAL_TRY(write_artifacts());
    if (what_.registration) COEVAL_TRY(register_version(*what_.registration));
    COEVAL_TRY(set_tag(kExportTag, "complete"));
    return set_status(status_of(run_.state), run_.ended_us);
  }

  Error given_up(Error error) {
    const bool marked = set_tag(kExportTag, "incomplete") && set_status("FAILED", 0);
    return std::move(error).within(
        "writing run " + run_.id + " to MLflow as " + out_.run_id +
        (marked ? ", which is marked FAILED there until the same command completes it"
                : ", which is incomplete there until the same command completes it"));
  }

  Status find_experiment() {
    const TrackingServer::Query by_name = {{"experiment_name", run_.experiment}};
    COEVAL_ASSIGN(Reply found, server_.try_get("experiments/get-by-name", by_name));
    if (!found.ok() && found.error_code == "RESOURCE_DOES_NOT_EXIST") {
      Json body{Json::Object{}};
      body.set("name", run_.experiment);
      COEVAL_ASSIGN(const Reply made, server_.try_post("experiments/create", body));
      // Another process may have made it in between.
      if (!made.ok() && made.error_code != "RESOURCE_ALREADY_EXISTS")
        return std::unexpected(error_of("experiments/create", made));
      COEVAL_ASSIGN(found, server_.try_get("experiments/get-by-name", by_name));
    }
    if (!found.ok()) return std::unexpected(error_of("experiments/get-by-name", found));
    const char* call = "experiments/get-by-name";
    COEVAL_ASSIGN(out_.experiment_id, text_at(found.json, call, {"experiment", "experiment_id"}));
    const auto stage = text_at(found.json, call, {"experiment", "lifecycle_stage"});
    if (stage && *stage == "deleted")
      return fail(
          Code::bad_request, "the experiment '" + run_.experiment + "' is deleted in MLflow",
          "restore it there: mlflow experiments restore --experiment-id " + out_.experiment_id);
    return {};
  }

  // The run of that tag: of several, which two exports at once can make, the first by id.
  Result<Json> search(const std::string& id) {
    Json body{Json::Object{}};
    body.set("experiment_ids", Json::Array{Json(out_.experiment_id)});
    body.set("filter", std::string("tags.`") + kRunTag + "` = " + filter_text(id) +
                           " and tags.`coeval.model` = " + filter_text(run_.model));
    body.set("max_results", 100);
    COEVAL_ASSIGN(const Json answer, server_.post("runs/search", body));
    const Json* runs = answer.find("runs");
    Json first;
    std::string first_id;
    if (runs == nullptr || runs->array() == nullptr) return first;
    for (const Json& run : *runs->array()) {
      COEVAL_ASSIGN(const std::string its, text_at(run, "runs/search", {"info", "run_id"}));
      if (!first.is_null() && its >= first_id) continue;
      first = run;
      first_id = its;
    }
    return first;
  }

  Status find_run() {
    COEVAL_ASSIGN(Json found, search(run_.id));
    const char* call = "runs/search";
    out_.found = !found.is_null();
    if (!out_.found) {
      call = "runs/create";
      COEVAL_ASSIGN(const Json answer, server_.post(call, new_run()));
      if (const Json* made = answer.find("run")) found = *made;
    }
    COEVAL_ASSIGN(out_.run_id, text_at(found, call, {"info", "run_id"}));
    COEVAL_ASSIGN(const std::string uri, text_at(found, call, {"info", "artifact_uri"}));
    artifact_uri_ = uri;
    note_metrics(found);
    return {};
  }

  // With the tag that it is found again by, should anything break off from here on.
  Json new_run() const {
    Json body{Json::Object{}};
    body.set("experiment_id", out_.experiment_id);
    body.set("run_name", run_name(run_));
    body.set("start_time", ms(run_.started_us));
    body.set("tags", Json::Array{pair_json(kRunTag, run_.id), pair_json("coeval.model", run_.model),
                                 pair_json(kExportTag, "incomplete")});
    return body;
  }

  Status reopen() {
    COEVAL_TRY(set_tag(kExportTag, "incomplete"));
    return set_status("RUNNING", 0);
  }

  // The newest value of each metric that the run in MLflow has.
  void note_metrics(const Json& run) {
    const Json* data = run.find("data");
    const Json* metrics = data == nullptr ? nullptr : data->find("metrics");
    if (metrics == nullptr || metrics->array() == nullptr) return;
    for (const Json& metric : *metrics->array()) {
      const Json* key = metric.find("key");
      if (key == nullptr || key->string() == nullptr) continue;
      const auto whole = [&](const char* name) {
        const Json* number = metric.find(name);
        return number == nullptr || number->integer() == nullptr ? std::int64_t{0}
                                                                 : *number->integer();
      };
      there_[*key->string()] = {whole("timestamp"), whole("step")};
    }
  }

  Status write_params() {
    std::vector<Json> items;
    for (const auto& [name, text] : run_.params) {
      items.push_back(pair_json(allowed_name(name), first_characters(text, kLongestParam)));
      note_cut("params." + name, text, kLongestParam);
    }
    return log_batches("params", items, kMostParams);
  }

  // A curve is sent in order, so it is all there when its last point is.
  Status write_metrics() {
    const std::int64_t at_ms = ms(run_.ended_us != 0 ? run_.ended_us : run_.started_us);
    const std::vector<Point> points = points_of(run_);
    std::map<std::string, std::int64_t> last;
    for (const Point& point : points) last[point.key] = point.step;
    std::vector<Json> items;
    for (const Point& point : points) {
      const std::string key = allowed_name(point.key);
      const auto there = there_.find(key);
      if (there != there_.end() && there->second == std::pair(at_ms, last[point.key])) continue;
      Json item{Json::Object{}};
      item.set("key", key);
      item.set("value", point.value);
      item.set("timestamp", at_ms);
      item.set("step", point.step);
      items.push_back(std::move(item));
    }
    return log_batches("metrics", items, kMostMetrics);
  }

  Status write_tags() {
    std::map<std::string, std::string> tags = tags_of(run_);
    if (!run_.parent.empty()) {
      COEVAL_ASSIGN(const Json parent, search(run_.parent));
      if (!parent.is_null()) {
        COEVAL_ASSIGN(tags["mlflow.parentRunId"],
                      text_at(parent, "runs/search", {"info", "run_id"}));
      }
    }
    std::vector<Json> items;
    for (const auto& [name, text] : tags) {
      items.push_back(pair_json(allowed_name(name), first_characters(text, kLongestTag)));
      note_cut("tag " + name, text, kLongestTag);
    }
    return log_batches("tags", items, kMostTags);
  }

  Status log_batches(const char* kind, const std::vector<Json>& items, std::size_t most) {
    Json::Array batch;
    std::size_t bytes = 0;
    const auto flush = [&]() -> Status {
      if (batch.empty()) return {};
      Json body{Json::Object{}};
      body.set("run_id", out_.run_id);
      body.set(kind, std::exchange(batch, {}));
      bytes = 0;
      COEVAL_ASSIGN(const Json answer, server_.post("runs/log-batch", body));
      return {};
    };
    for (const Json& item : items) {
      const std::size_t size = item.dump().size();
      if (batch.size() == most || bytes + size > kBatchBytes) COEVAL_TRY(flush());
      bytes += size;
      batch.push_back(item);
    }
    return flush();
  }

  void note_cut(const std::string& name, const std::string& text, std::size_t most) {
    if (first_characters(text, most) != text) out_.cut.push_back(name);
  }

  Status write_dataset() {
    const auto id = run_.ids.find("dataset_id");
    if (id == run_.ids.end()) return {};
    Json source{Json::Object{}};
    source.set("dataset_id", id->second);
    Json dataset{Json::Object{}};
    dataset.set("name", run_.model + " rows");
    dataset.set("digest", id->second.substr(0, 32));
    dataset.set("source_type", "coeval");
    dataset.set("source", source.dump());
    Json input{Json::Object{}};
    input.set("tags", Json::Array{pair_json("mlflow.data.context", "training")});
    input.set("dataset", std::move(dataset));
    Json body{Json::Object{}};
    body.set("run_id", out_.run_id);
    body.set("datasets", Json::Array{std::move(input)});
    COEVAL_ASSIGN(const Json answer, server_.post("runs/log-inputs", body));
    return {};
  }

  Status write_artifacts() {
    COEVAL_ASSIGN(const std::string folder, artifact_folder(artifact_uri_));
    for (const Artifact& artifact : what_.artifacts)
      COEVAL_TRY(server_.put_file(folder, artifact.path, artifact.bytes));
    return {};
  }

  Status register_version(const Registration& wanted) {
    Json body{Json::Object{}};
    body.set("name", wanted.model);
    COEVAL_ASSIGN(const Reply model, server_.try_post("registered-models/create", body));
    if (!model.ok() && model.error_code != "RESOURCE_ALREADY_EXISTS")
      return std::unexpected(error_of("registered-models/create", model));
    COEVAL_TRY(find_version(wanted));
    if (out_.version.empty()) COEVAL_TRY(create_version(wanted));
    for (const std::string& alias : wanted.aliases) {
      Json move{Json::Object{}};
      move.set("name", wanted.model);
      move.set("alias", alias);
      move.set("version", out_.version);
      COEVAL_ASSIGN(const Json moved, server_.post("registered-models/alias", move));
    }
    return {};
  }

  Status find_version(const Registration& wanted) {
    COEVAL_ASSIGN(const Json answer,
                  server_.get("model-versions/search",
                              {{"filter", "name = " + filter_text(wanted.model) +
                                              " and run_id = " + filter_text(out_.run_id)}}));
    const Json* versions = answer.find("model_versions");
    if (versions == nullptr || versions->array() == nullptr || versions->array()->empty())
      return {};
    COEVAL_ASSIGN(out_.version,
                  text_at(versions->array()->front(), "model-versions/search", {"version"}));
    out_.version_found = true;
    return {};
  }

  Status create_version(const Registration& wanted) {
    Json tags{Json::Array{}};
    tags.push(pair_json("coeval.version", wanted.model + "@v" + std::to_string(wanted.version)));
    for (const auto& [name, id] : run_.ids) tags.push(pair_json("coeval." + name, id));
    Json body{Json::Object{}};
    body.set("name", wanted.model);
    body.set("source", artifact_uri_ + "/" + wanted.source);
    body.set("run_id", out_.run_id);
    body.set("description", wanted.description);
    body.set("tags", std::move(tags));
    const char* call = "model-versions/create";
    COEVAL_ASSIGN(const Json answer, server_.post(call, body));
    COEVAL_ASSIGN(out_.version, text_at(answer, call, {"model_version", "version"}));
    return {};
  }

  Status set_tag(const std::string& key, const std::string& value) {
    Json body = pair_json(key, value);
    body.set("run_id", out_.run_id);
    COEVAL_ASSIGN(const Json answer, server_.post("runs/set-tag", body));
    return {};
  }

  Status set_status(const std::string& status, std::int64_t ended_us) {
    Json body{Json::Object{}};
    body.set("run_id", out_.run_id);
    body.set("status", status);
    if (ended_us != 0) body.set("end_time", ms(ended_us));
    COEVAL_ASSIGN(const Json answer, server_.post("runs/update", body));
    return {};
  }

  TrackingServer server_;
  const RunExport& what_;
  const Run& run_;
  ExportedRun out_;
  std::string artifact_uri_;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> there_;  // key → ms, step
};

bool is_allowed(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.' || c == ' ' || c == '/' || c == ':';
}

}  // namespace

std::string first_characters(const std::string& text, std::size_t most) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins = (text[at] & 0xc0) != 0x80;
    if (begins && count++ == most) return text.substr(0, at);
  }
  return text;
}

std::string allowed_name(const std::string& name) {
  // A name like a path is cleaned as one by MLflow, and then refused where that changes it.
  const bool path = name.starts_with('/') || name.ends_with('/') || name.find("//") != name.npos ||
                    name.find("./") != name.npos || name.ends_with('.');
  if (std::ranges::all_of(name, is_allowed) && !path && name.size() <= kLongestName) return name;
  std::string out;
  for (const char c : name.substr(0, kLongestName - 9)) out += is_allowed(c) && c != '/' ? c : '_';
  return out + "_" + data::sha256_hex(name).substr(0, 8);
}

Result<ExportedRun> export_run(HttpExchange& http, const RunExport& what) {
  return RunWriter(http, what).write();
}

}  // namespace coeval::adapters::mlflow
