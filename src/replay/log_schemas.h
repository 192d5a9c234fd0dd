#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/schema_change.h"
#include "define/project.h"
#include "stores/event_log.h"

namespace coeval::replay {

/// How a source's columns differ from a schema that its events were logged with.
struct SourceChanges {
  std::string source;
  std::uint32_t tag = 0;  ///< of the logged schema
  Position since;         ///< where it was declared
  std::vector<data::ColumnChange> changes;

  bool accepted() const;
};

/// The changes against every logged schema of the project's sources, where there are any. Whether
/// a column was renamed is asked of the newest schema only. Sources that the project has no more
/// are left out.
std::vector<SourceChanges> changes_of_schemas(const define::Project& project,
                                              const std::vector<stores::LogSchema>& logged);

/// log_mismatch with every refused change and what to do; nothing when rows of all logged schemas
/// can stand for rows of the definition's.
std::optional<Error> refused_changes(const std::vector<SourceChanges>& changes);

/// Both, over the schemas in a log's folder. Errors: log_mismatch; those of read_log_schemas.
Status check_logged_schemas(const define::Project& project, const std::string& log_folder);

/// Declares the schema of every source: call it before a process logs its first event.
Status declare_schemas(const define::Project& project, stores::EventLog& log);

}  // namespace coeval::replay
