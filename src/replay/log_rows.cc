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

LogCollector::LogCollector(const define::Project& project, const std::vector<int>& sources)
    : project_(&project) {
  for (const int index : sources) {
    const auto& source = project.sources[static_cast<std::size_t>(index)];
    LogRows rows;
    rows.source = index;
    rows.schema = stores::schema_tag(source.schema);
    for (const auto& field : source.schema.fields) rows.builders.emplace_back(field.type);
    by_tag_.emplace(stores::source_tag(source.name), std::move(rows));
  }
}

Status LogCollector::add(const stores::Record& record) {
  if (record.kind != stores::RecordKind::event) return {};
  const auto found = by_tag_.find(record.source);
  if (found == by_tag_.end()) return {};
  LogRows& rows = found->second;
  const auto& source = project_->sources[static_cast<std::size_t>(rows.source)];
  if (record.schema_version != rows.schema)
    return fail(Code::unsupported,
                "the log holds events of source '" + source.name +
                    "' with another schema, at position " + std::to_string(record.position.value),
                "restore the columns that the source had then");
  COEVAL_TRY(data::decode_row(record.payload, source.schema, rows.builders));
  rows.known_us.push_back(record.known.us);
  rows.positions.push_back(static_cast<std::int64_t>(record.position.value));
  return {};
}

}  // namespace coeval::replay
