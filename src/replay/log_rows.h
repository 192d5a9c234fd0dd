#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/row_codec.h"
#include "data/schema_change.h"
#include "define/project.h"
#include "stores/event_log.h"

namespace coeval::replay {

/// Rows of one source as they come out of the log, in position order.
struct LogRows {
  int source = -1;
  std::uint32_t schema = 0;
  std::map<std::uint32_t, data::RowConversion> older;  ///< by tag: other schemas that were logged
  std::vector<data::ColumnBuilder> builders;
  std::vector<std::int64_t> known_us, positions;

  /// Ends collecting; the collector is empty after.
  data::Batch finish(const data::Schema& schema_of_source);
};

/// Collectors for the sources listed, by the tag that records carry.
class LogCollector {
 public:
  /// Errors: those of EventLog::schemas().
  static Result<LogCollector> create(const define::Project& project,
                                     const std::vector<int>& sources, const stores::EventLog& log);
  /// Takes an event record; other kinds and other sources are passed over. A row that was logged
  /// with another schema is brought to the source's. Errors: unsupported when that schema is not
  /// known; type_mismatch when a value does not fit the source's; bad_file.
  Status add(const stores::Record& record);
  std::map<std::uint32_t, LogRows>& rows() { return by_tag_; }

 private:
  explicit LogCollector(const define::Project& project) : project_(&project) {}

  const define::Project* project_;
  std::map<std::uint32_t, LogRows> by_tag_;
};

}  // namespace coeval::replay
