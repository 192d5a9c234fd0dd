#include "training/dataset_facts.h"

#include "stores/files.h"
#include "training/json_member.h"

namespace coeval::training {
namespace {

using data::Json;

Json source_json(const SourceFacts& source) {
  Json json;
  json.set("source", source.source);
  json.set("read", source.rows.read);
  json.set("accepted", source.rows.accepted);
  json.set("quarantined", source.rows.quarantined);
  json.set("duplicates", source.rows.duplicates);
  json.set("first_us", source.first_us);
  json.set("last_us", source.last_us);
  return json;
}

Result<SourceFacts> source_from(const Json& json) {
  SourceFacts source;
  COEVAL_ASSIGN(source.source, string_member(json, "source"));
  COEVAL_ASSIGN(source.rows.read, integer_member(json, "read"));
  COEVAL_ASSIGN(source.rows.accepted, integer_member(json, "accepted"));
  COEVAL_ASSIGN(source.rows.quarantined, integer_member(json, "quarantined"));
  COEVAL_ASSIGN(source.rows.duplicates, integer_member(json, "duplicates"));
  COEVAL_ASSIGN(source.first_us, integer_member(json, "first_us"));
  COEVAL_ASSIGN(source.last_us, integer_member(json, "last_us"));
  return source;
}

}  // namespace

Json to_json(const DatasetFacts& facts) {
  Json parts;
  for (std::size_t part = 0; part < kSplitParts; ++part) {
    const PartCount& count = facts.counts.of(static_cast<SplitPart>(part));
    Json json;
    json.set("rows", count.rows);
    json.set("positives", count.positives);
    parts.set(std::string(name(static_cast<SplitPart>(part))), std::move(json));
  }
  Json sources{Json::Array{}};
  for (const auto& source : facts.sources) sources.push(source_json(source));
  Json json;
  json.set("parts", std::move(parts));
  json.set("skew_rows", facts.skew_rows);
  json.set("skew_differences", facts.skew_differences);
  json.set("sources", std::move(sources));
  json.set("faults", facts.faults);
  return json;
}

Result<DatasetFacts> dataset_facts_from_json(const Json& json) {
  DatasetFacts facts;
  const Json* parts = json.find("parts");
  if (parts == nullptr) return fail(Code::bad_json, "'parts' is missing");
  for (std::size_t part = 0; part < kSplitParts; ++part) {
    const auto which = static_cast<SplitPart>(part);
    const Json* count = parts->find(name(which));
    if (count == nullptr)
      return fail(Code::bad_json, "'" + std::string(name(which)) + "' is missing in 'parts'");
    PartCount read;
    COEVAL_ASSIGN(read.rows, integer_member(*count, "rows"));
    COEVAL_ASSIGN(read.positives, integer_member(*count, "positives"));
    facts.counts.set(which, read);
  }
  COEVAL_ASSIGN(facts.skew_rows, integer_member(json, "skew_rows"));
  COEVAL_ASSIGN(facts.skew_differences, integer_member(json, "skew_differences"));
  COEVAL_ASSIGN(const auto* sources, array_member(json, "sources"));
  for (const Json& each : *sources) {
    COEVAL_ASSIGN(auto source, source_from(each));
    facts.sources.push_back(std::move(source));
  }
  COEVAL_ASSIGN(facts.faults, string_member(json, "faults"));
  return facts;
}

std::string facts_path(const std::string& dataset) { return dataset + ".facts.json"; }

Status write_dataset_facts(const std::string& dataset, const DatasetFacts& facts) {
  return stores::write_file_atomically(facts_path(dataset), to_json(facts).dump_pretty() + "\n");
}

Result<DatasetFacts> read_dataset_facts(const std::string& dataset) {
  COEVAL_ASSIGN(const std::string text, stores::read_file(facts_path(dataset)));
  COEVAL_ASSIGN(const Json json, data::parse_json(text));
  return dataset_facts_from_json(json);
}

}  // namespace coeval::training
