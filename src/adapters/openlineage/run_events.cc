#include "adapters/openlineage/run_events.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "base/time.h"
#include "data/hash.h"

namespace coeval::adapters::openlineage {

namespace {

using data::Json;
using stores::RunState;

constexpr const char* kProducer = "urn:coeval";
constexpr const char* kEventSchema =
    "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
constexpr const char* kFacets = "https://openlineage.io/spec/facets/";

/// A facet by the version of the specification that it follows.
Json facet(const std::string& version, const std::string& name) {
  Json json{Json::Object{}};
  json.set("_producer", kProducer);
  json.set("_schemaURL", kFacets + version + "/" + name + ".json#/$defs/" + name);
  return json;
}

// "0190d3c2-…": UUID version 7 of the start and a hash.
std::string uuid_of(std::int64_t started_us, const std::string& text) {
  const std::string hash = data::sha256_hex(text);
  char time[13];
  std::snprintf(time, sizeof time, "%012llx",
                static_cast<unsigned long long>(started_us / 1000) & 0xffffffffffffULL);
  const std::string all(time);
  return all.substr(0, 8) + "-" + all.substr(8, 4) + "-7" + hash.substr(0, 3) + "-8" +
         hash.substr(3, 3) + "-" + hash.substr(6, 12);
}

// 20261128-134500-000123 → its µs, for a parent of which nothing but the id is known.
std::int64_t start_of(const std::string& id) {
  if (id.size() != 22) return 0;
  const std::string time = id.substr(0, 4) + "-" + id.substr(4, 2) + "-" + id.substr(6, 2) + "T" +
                           id.substr(9, 2) + ":" + id.substr(11, 2) + ":" + id.substr(13, 2) + "." +
                           id.substr(16, 6) + "Z";
  return parse_time(time).value_or(0);
}

Json dataset_json(const Dataset& dataset) {
  Json facets{Json::Object{}};
  if (!dataset.version.empty()) {
    Json version = facet("1-0-1", "DatasetVersionDatasetFacet");
    version.set("datasetVersion", dataset.version);
    facets.set("version", std::move(version));
  }
  if (!dataset.fields.empty()) {
    Json fields{Json::Array{}};
    for (const Field& field : dataset.fields) {
      Json one{Json::Object{}};
      one.set("name", field.name);
      one.set("type", field.type);
      if (!field.description.empty()) one.set("description", field.description);
      fields.push(std::move(one));
    }
    Json schema = facet("1-2-0", "SchemaDatasetFacet");
    schema.set("fields", std::move(fields));
    facets.set("schema", std::move(schema));
  }
  Json json{Json::Object{}};
  json.set("namespace", dataset.space);
  json.set("name", dataset.name);
  json.set("facets", std::move(facets));
  return json;
}

Json statistics(Json json, const Dataset& dataset) {
  if (dataset.rows_count) json.set("rowCount", *dataset.rows_count);
  if (dataset.size_bytes) json.set("size", *dataset.size_bytes);
  return json;
}

Json input_json(const Dataset& dataset) {
  Json facets{Json::Object{}};
  if (dataset.rows_count || dataset.size_bytes)
    facets.set("inputStatistics",
               statistics(facet("1-0-0", "InputStatisticsInputDatasetFacet"), dataset));
  if (dataset.labelled_count) {
    Json label{Json::Object{}};
    label.set("count", *dataset.labelled_count);
    if (dataset.positives_count) label.set("sum", *dataset.positives_count);
    Json columns{Json::Object{}};
    columns.set("label", std::move(label));
    Json quality = facet("1-0-3", "DataQualityMetricsInputDatasetFacet");
    if (dataset.rows_count) quality.set("rowCount", *dataset.rows_count);
    quality.set("columnMetrics", std::move(columns));
    facets.set("dataQualityMetrics", std::move(quality));
  }
  Json json = dataset_json(dataset);
  json.set("inputFacets", std::move(facets));
  return json;
}

Json output_json(const Dataset& dataset) {
  Json facets{Json::Object{}};
  if (dataset.rows_count || dataset.size_bytes)
    facets.set("outputStatistics",
               statistics(facet("1-0-2", "OutputStatisticsOutputDatasetFacet"), dataset));
  Json json = dataset_json(dataset);
  json.set("outputFacets", std::move(facets));
  return json;
}

Json column_lineage(const BuildLineage& build) {
  Json fields{Json::Object{}};
  for (const Column& column : build.columns) {
    // One entry an input column, with all that it does to the field.
    std::map<std::pair<std::size_t, std::string>, Json> by_column;
    for (const Origin& origin : column.origins) {
      Json how{Json::Object{}};
      how.set("type", origin.type);
      how.set("subtype", origin.subtype);
      if (origin.type == "DIRECT" && !column.description.empty())
        how.set("description", column.description);
      how.set("masking", false);
      by_column[{origin.input, origin.field}].push(std::move(how));
    }
    Json inputs{Json::Array{}};
    for (auto& [key, how] : by_column) {
      Json one{Json::Object{}};
      one.set("namespace", build.sources[key.first].space);
      one.set("name", build.sources[key.first].name);
      one.set("field", key.second);
      one.set("transformations", std::move(how));
      inputs.push(std::move(one));
    }
    Json field{Json::Object{}};
    field.set("inputFields", std::move(inputs));
    fields.set(column.field, std::move(field));
  }
  Json json = facet("1-2-0", "ColumnLineageDatasetFacet");
  json.set("fields", std::move(fields));
  return json;
}

// A job of this run, with its beginning and end.
struct Step {
  std::string job;   ///< "build"
  std::string type;  ///< of the facet jobType
  std::int64_t from_us = 0, to_us = 0;
  std::string end;  ///< "COMPLETE", "FAIL", "ABORT"; empty: not known
  Json inputs{Json::Array{}}, outputs{Json::Array{}};
};

class Events {
 public:
  explicit Events(const BuildLineage& build) : build_(build), run_(build.run) {}

  std::vector<Json> all() {
    const bool trial = run_.kind == stores::RunKind::trial;
    Step whole{trial ? "trial" : "build", trial ? "TRIAL" : "BUILD", run_.started_us,
               run_.ended_us != 0 ? run_.ended_us : run_.started_us, end_of(run_.state)};
    if (trial) {
      add_rows_as_input(whole);
      return {event(whole, true), event(whole, false)};
    }
    add_sources(whole);
    if (run_.state == RunState::finished) add_model(whole);
    std::vector<Json> events = {event(whole, true)};
    for (const Step& step : steps(whole.to_us)) {
      events.push_back(event(step, true));
      events.push_back(event(step, false));
    }
    if (!whole.end.empty()) events.push_back(event(whole, false));
    std::erase_if(events, [](const Json& json) { return json.is_null(); });
    return events;
  }

 private:
  static std::string end_of(RunState state) {
    switch (state) {
      case RunState::running:
        return "";
      case RunState::finished:
        return "COMPLETE";
      case RunState::failed:
        return "FAIL";
      case RunState::interrupted:
        return "ABORT";
    }
    return "";
  }

  void add_sources(Step& step) const {
    for (const Dataset& source : build_.sources) step.inputs.push(input_json(source));
  }
  void add_rows_as_input(Step& step) const {
    if (build_.rows) step.inputs.push(input_json(*build_.rows));
  }
  void add_model(Step& step) const {
    if (build_.model) step.outputs.push(output_json(*build_.model));
  }

  // A step that has a duration was run to its end; one without was found made already, or never
  // begun: only what a finished run must have done is said.
  std::vector<Step> steps(std::int64_t end_us) const {
    std::vector<Step> steps;
    std::int64_t at_us = run_.started_us;
    const auto after = [&](double seconds) {
      return std::min(end_us, at_us + static_cast<std::int64_t>(seconds * 1e6));
    };
    if (run_.dataset_s) {
      Step step{"dataset", "DATASET", at_us, after(*run_.dataset_s), "COMPLETE"};
      add_sources(step);
      if (build_.rows) {
        Json rows = output_json(*build_.rows);
        Json facets = *rows.find("facets");
        if (!build_.columns.empty()) facets.set("columnLineage", column_lineage(build_));
        rows.set("facets", std::move(facets));
        step.outputs.push(std::move(rows));
      }
      at_us = step.to_us;
      steps.push_back(std::move(step));
    }
    if (run_.train_s) {
      // What comes after training, evaluation and registration, is a part of the step.
      Step step{"train", "TRAINING", at_us, end_us,
                run_.state == RunState::finished ? "COMPLETE" : "FAIL"};
      add_rows_as_input(step);
      if (run_.state == RunState::finished) add_model(step);
      steps.push_back(std::move(step));
    }
    return steps;
  }

  std::string run_id(const std::string& job) const {
    return uuid_of(run_.started_us, build_.project + "\n" + run_.id + "\n" + job);
  }

  std::string job_name(const std::string& job) const { return run_.model + "." + job; }

  // The run that a step or a trial is a part of.
  Json parent_of(const Step& step) const {
    if (step.job == "build") return {};
    const bool own = step.job != "trial";
    if (!own && run_.parent.empty()) return {};
    Json run{Json::Object{}}, job{Json::Object{}};
    run.set("runId",
            own ? run_id("build")
                : uuid_of(start_of(run_.parent), build_.project + "\n" + run_.parent + "\nbuild"));
    job.set("namespace", build_.project);
    job.set("name", job_name("build"));
    Json json = facet("1-2-0", "ParentRunFacet");
    json.set("run", std::move(run));
    json.set("job", std::move(job));
    return json;
  }

  Json tags() const {
    std::vector<std::pair<std::string, std::string>> pairs = {{"run_id", run_.id},
                                                              {"experiment", run_.experiment}};
    for (const auto& [name, id] : run_.ids) pairs.emplace_back(name, id);
    for (const auto& [name, text] : run_.environment)
      pairs.emplace_back("environment." + name, text);
    if (run_.version != 0)
      pairs.emplace_back("version", run_.model + "@v" + std::to_string(run_.version));
    for (const std::string& word : run_.tags) pairs.emplace_back("tag", word);
    Json list{Json::Array{}};
    for (const auto& [key, value] : pairs) {
      Json one{Json::Object{}};
      one.set("key", key);
      one.set("value", value);
      one.set("source", "COEVAL");
      list.push(std::move(one));
    }
    Json json = facet("1-0-0", "TagsRunFacet");
    json.set("tags", std::move(list));
    return json;
  }

  Json run_facets(const Step& step, bool starts) const {
    Json facets{Json::Object{}};
    if (Json parent = parent_of(step); !parent.is_null()) facets.set("parent", std::move(parent));
    Json engine = facet("1-1-1", "ProcessingEngineRunFacet");
    const auto space = build_.engine.rfind(' ');
    engine.set("name", "coeval");
    engine.set("version",
               space == std::string::npos ? build_.engine : build_.engine.substr(space + 1));
    facets.set("processing_engine", std::move(engine));
    facets.set("tags", tags());
    if (!starts && step.end == "FAIL" && !run_.error.empty()) {
      Json error = facet("1-0-1", "ErrorMessageRunFacet");
      error.set("message", run_.error);
      error.set("programmingLanguage", "coeval");
      facets.set("errorMessage", std::move(error));
    }
    return facets;
  }

  Json job_facets(const Step& step) const {
    Json facets{Json::Object{}};
    Json type = facet("2-0-4", "JobTypeJobFacet");
    type.set("processingType", "BATCH");
    type.set("integration", "COEVAL");
    type.set("jobType", step.type);
    facets.set("jobType", std::move(type));
    if (!build_.definition.empty()) {
      Json code = facet("1-0-1", "SourceCodeJobFacet");
      code.set("language", "TOML");
      code.set("sourceCode", build_.definition);
      facets.set("sourceCode", std::move(code));
    }
    if (!build_.purpose.empty()) {
      Json text = facet("1-1-0", "DocumentationJobFacet");
      text.set("description", build_.purpose);
      facets.set("documentation", std::move(text));
    }
    return facets;
  }

  Json event(const Step& step, bool starts) const {
    if (!starts && step.end.empty()) return {};
    Json run{Json::Object{}}, job{Json::Object{}};
    run.set("runId", run_id(step.job));
    run.set("facets", run_facets(step, starts));
    job.set("namespace", build_.project);
    job.set("name", job_name(step.job));
    job.set("facets", job_facets(step));
    Json json{Json::Object{}};
    json.set("eventType", starts ? "START" : step.end);
    json.set("eventTime", format_time(starts ? step.from_us : step.to_us));
    json.set("run", std::move(run));
    json.set("job", std::move(job));
    json.set("inputs", step.inputs);
    json.set("outputs", step.outputs);
    json.set("producer", kProducer);
    json.set("schemaURL", kEventSchema);
    return json;
  }

  const BuildLineage& build_;
  const stores::Run& run_;
};

}  // namespace

std::vector<Json> run_events(const BuildLineage& build) { return Events(build).all(); }

}  // namespace coeval::adapters::openlineage
