#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "data/column.h"

namespace coeval::stores {

class FileLayer;  // stores/append_file.h

/// A schema that events of a source were logged with. Kept beside the log for good, because the
/// definition's own schema may change and the rows do not.
struct LogSchema {
  std::string source;
  std::uint32_t tag = 0;  ///< schema_tag() of `schema`: what the records carry
  Position since;         ///< of the first event that has it, since it is the source's (again)
  data::Schema schema;
};

/// The text of a schema file. (log_schemas.cc tells the format)
std::string encode_log_schema(const LogSchema& schema);
/// Errors: log_corrupt when the text is none, or its columns do not give the tag that it names;
/// unsupported for a newer version.
Result<LogSchema> decode_log_schema(std::string_view text);

/// All schemas of a log folder, those of a source in the order in which they were declared. A log
/// of before there were any has none. Errors: io; log_corrupt with the file's name.
Result<std::vector<LogSchema>> read_log_schemas(const std::string& log_folder);
/// Makes one durable; replaces the file of the same source and tag. Errors: io, disk_full.
Status write_log_schema(const std::string& log_folder, const LogSchema& schema);

/// Removes what writers that died left half-written. By who holds the log's lock. Errors: io.
Status remove_unfinished_schemas(const std::string& log_folder, FileLayer& files);

/// Whether a schema is the newest of its source already. Errors: log_corrupt when another schema
/// has its tag, which no log can tell from it.
Result<bool> is_newest(const std::vector<LogSchema>& declared, const LogSchema& schema);
/// Puts a schema in place of that of the same source and tag, or beside the others.
void replace_schema(std::vector<LogSchema>& declared, LogSchema schema);

/// Schemas that were declared and that no record carries yet. Threading: one thread.
class PendingSchemas {
 public:
  void add(LogSchema schema) { replace_schema(schemas_, std::move(schema)); }
  /// The schema that a record is the first to carry, or null. Complexity: none where there are no
  /// pending ones.
  const LogSchema* find(std::uint32_t source_tag, std::uint32_t schema_tag) const;
  void remove(const LogSchema* schema);

 private:
  std::vector<LogSchema> schemas_;
};

/// The newest schema of a source, or null.
const LogSchema* newest_schema(const std::vector<LogSchema>& declared, std::string_view source);

}  // namespace coeval::stores
