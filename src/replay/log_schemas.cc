#include "replay/log_schemas.h"

#include <algorithm>

#include "stores/record_names.h"

namespace coeval::replay {

bool SourceChanges::accepted() const {
  return std::ranges::all_of(changes, &data::ColumnChange::accepted);
}

std::vector<SourceChanges> changes_of_schemas(const define::Project& project,
                                              const std::vector<stores::LogSchema>& logged) {
  std::vector<SourceChanges> all;
  for (const stores::LogSchema& one : logged) {
    const int index = project.source_index(one.source);
    if (index < 0) continue;
    const auto& source = project.sources[static_cast<std::size_t>(index)];
    const bool newest = stores::newest_schema(logged, one.source) == &one;
    SourceChanges changes{one.source, one.tag, one.since,
                          data::schema_changes(one.schema, source.schema, newest)};
    if (!changes.changes.empty()) all.push_back(std::move(changes));
  }
  return all;
}

namespace {

std::string advice_of(const std::string& source, const data::ColumnChange& change) {
  if (change.kind != data::ColumnChangeKind::renamed) return change.advice;
  return change.advice +
         "; if they are two columns, declare the new one nullable and run `coeval "
         "log accept " +
         source + "`";
}

}  // namespace

std::optional<Error> refused_changes(const std::vector<SourceChanges>& changes) {
  Error error{Code::log_mismatch, {}, {}, {}, {}};
  for (const SourceChanges& source : changes) {
    if (source.accepted()) continue;
    std::string lines;
    for (const data::ColumnChange& change : source.changes) {
      if (change.accepted()) continue;
      lines += (lines.empty() ? "" : "; ") + data::to_text(change);
      const std::string advice = advice_of(source.source, change);
      if (error.advice.find(advice) == std::string::npos)
        error.advice += (error.advice.empty() ? "" : "; ") + advice;
    }
    error.message += error.message.empty() ? "" : "; ";
    error.message += "events of source '" + source.source +
                     "' are logged with columns that the definition cannot read any more: " + lines;
  }
  if (error.message.empty()) return std::nullopt;
  return error;
}

Status check_logged_schemas(const define::Project& project, const std::string& log_folder) {
  COEVAL_ASSIGN(const auto logged, stores::read_log_schemas(log_folder));
  if (auto refused = refused_changes(changes_of_schemas(project, logged)))
    return std::unexpected(std::move(*refused));
  return {};
}

Status declare_schemas(const define::Project& project, stores::EventLog& log) {
  for (const define::Source& source : project.sources)
    COEVAL_TRY(log.declare(source.name, source.schema));
  return {};
}

}  // namespace coeval::replay
