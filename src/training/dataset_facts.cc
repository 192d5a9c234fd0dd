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

Json column_json(const StoredColumn& column) {
  Json json;
  json.set("name", column.name);
  json.set("definition", column.definition);
  json.set("key", column.key);
  json.set("file", column.file);
  json.set("as", column.as);
  if (column.differences) json.set("differences", *column.differences);
  return json;
}

Result<StoredColumn> column_from(const Json& json) {
  StoredColumn column;
  COEVAL_ASSIGN(column.name, string_member(json, "name"));
  COEVAL_ASSIGN(column.definition, string_member(json, "definition"));
  COEVAL_ASSIGN(column.key, string_member(json, "key"));
  COEVAL_ASSIGN(column.file, string_member(json, "file"));
  COEVAL_ASSIGN(column.as, string_member(json, "as"));
  if (json.find("differences") != nullptr) {
    COEVAL_ASSIGN(column.differences, integer_member(json, "differences"));
  }
  // A file of the dataset's own folder, whatever the manifest says.
  if (column.file.empty() || column.file.find('/') != std::string::npos)
    return fail(Code::bad_json, "'file' of column '" + column.name + "' is no file's name");
  return column;
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
  json.set("split_key", facts.split_key);
  Json columns{Json::Array{}};
  for (const auto& column : facts.columns) columns.push(column_json(column));
  json.set("columns", std::move(columns));
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
  COEVAL_ASSIGN(facts.split_key, string_member(json, "split_key"));
  COEVAL_ASSIGN(const auto* columns, array_member(json, "columns"));
  for (const Json& each : *columns) {
    COEVAL_ASSIGN(auto column, column_from(each));
    facts.columns.push_back(std::move(column));
  }
  return facts;
}

Status write_dataset_facts(const std::string& manifest, const DatasetFacts& facts) {
  return stores::write_file_atomically(manifest, to_json(facts).dump_pretty() + "\n");
}

Result<DatasetFacts> read_dataset_facts(const std::string& manifest) {
  COEVAL_ASSIGN(const std::string text, stores::read_file(manifest));
  COEVAL_ASSIGN(const Json json, data::parse_json(text));
  return dataset_facts_from_json(json);
}

}  // namespace coeval::training
