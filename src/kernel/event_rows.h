#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "define/project.h"
#include "kernel/evaluate.h"
#include "kernel/state_part.h"
#include "kernel/version_table.h"

namespace coeval::kernel {

/// The lookups that events of the kept views read: their rows, and the events' rows with what was
/// looked up. Empty for most definitions.
///
/// Threading: learn() and extended() exclude each other; calls of extended() do not.
class EventRows {
 public:
  /// For the views listed. The project must outlive it.
  EventRows(const define::Project& project, std::span<const int> views);

  bool empty() const { return tables_.empty(); }
  /// Whether rows of the source are looked up; whether rows of the source read lookups.
  bool learns(int source) const;
  bool extends(int source) const;

  /// Takes rows of a source up, in position order; `order` are rows of the batch.
  void learn(int source, const data::Batch& rows, std::span<const std::int64_t> known_us,
             std::span<const std::int64_t> order);
  /// The rows with their lookups' columns: a batch of Source::event_schema(). Columns of lookups
  /// that no kept view reads are empty.
  data::Batch extended(int source, const data::Batch& rows, std::span<const std::int64_t> known_us,
                       EvaluationCounts& counts) const;

  /// Rows of lookups that are held.
  std::int64_t size() const;

  /// Canonical bytes; nothing when no lookup is read.
  void serialize(std::string& out) const;
  bool restore(std::string_view& bytes);
  /// The tables of the lookups that are read.
  std::vector<NamedPart> state_parts();

 private:
  const define::Project* project_;
  std::map<int, VersionTable> tables_;       // by lookup
  std::map<int, std::vector<int>> lookups_;  // by source: which of Source::lookups, ascending
};

}  // namespace coeval::kernel
