#include "replay/log_rows.h"

#include "stores/record_names.h"

namespace coeval::replay {

data::Batch LogRows::finish(const data::Schema& schema_of_source) {
  data::Batch batch;
  batch.schema = schema_of_source;
  batch.rows = static_cast<std::int64_t>(known_us.size());
  for (auto& builder : builders) batch.columns.push_back(builder.finish());
  known_us.clear();
  positions.clear();
  return batch;
}

Result<LogCollector> LogCollector::create(const define::Project& project,
                                          const std::vector<int>& sources,
                                          const stores::EventLog& log) {
  COEVAL_ASSIGN(const auto logged, log.schemas());
  LogCollector collector(project);
  for (const int index : sources) {
    const auto& source = project.sources[static_cast<std::size_t>(index)];
    LogRows rows;
    rows.source = index;
    rows.schema = stores::schema_tag(source.schema);
    for (const auto& field : source.schema.fields) rows.builders.emplace_back(field.type);
    for (const auto& one : logged)
      if (one.source == source.name && one.tag != rows.schema)
        rows.older.emplace(one.tag, data::RowConversion(one.schema, source.schema));
    collector.by_tag_.emplace(stores::source_tag(source.name), std::move(rows));
  }
  return collector;
}

namespace {

Error unknown_schema(const define::Source& source, const stores::Record& record) {
  return {Code::unsupported,
          "the log holds events of source '" + source.name +
              "' with a schema that nobody kept, at position " +
              std::to_string(record.position.value),
          "restore the columns that the source had then and run `coeval log accept " + source.name +
              "`; then change them",
          {},
          {}};
}

}  // namespace

Status LogCollector::add(const stores::Record& record) {
  if (record.kind != stores::RecordKind::event) return {};
  const auto found = by_tag_.find(record.source);
  if (found == by_tag_.end()) return {};
  LogRows& rows = found->second;
  const auto& source = project_->sources[static_cast<std::size_t>(rows.source)];
  if (record.schema_version == rows.schema) {
    COEVAL_TRY(data::decode_row(record.payload, source.schema, rows.builders));
  } else {
    const auto older = rows.older.find(record.schema_version);
    if (older == rows.older.end()) return std::unexpected(unknown_schema(source, record));
    Status converted = older->second.append(record.payload, rows.builders);
    if (!converted)
      return std::unexpected(std::move(converted).error().within(
          "source '" + source.name + "', log position " + std::to_string(record.position.value)));
  }
  rows.known_us.push_back(record.known.us);
  rows.positions.push_back(static_cast<std::int64_t>(record.position.value));
  return {};
}

}  // namespace coeval::replay
