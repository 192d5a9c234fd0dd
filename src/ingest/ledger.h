#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ingest/batch_record.h"
#include "stores/event_log.h"

namespace coeval::ingest {

/// A batch that is in the log.
struct LoggedBatch {
  BatchRecord record;
  Position begin;
  std::int64_t lost = 0;  ///< events of it whose records were damaged, and repaired away
};

/// What a log says of batches and of rows left out: the one place that knows what was ingested.
class Ledger {
 public:
  /// Reads the log. Errors: io, log_corrupt.
  static Result<Ledger> read(const stores::EventLog& log);

  const std::vector<LoggedBatch>& batches() const { return batches_; }
  const std::vector<Note>& notes() const { return notes_; }
  /// Whether the log has anything, and a cut.
  bool has_cut() const { return has_cut_; }
  /// Events of a source that stand in no batch: those that a server took.
  std::int64_t events_of_requests(std::string_view source) const;
  /// Records that were lost to damage and stood in no batch: what they were cannot be told.
  std::int64_t lost_outside() const { return lost_outside_; }
  /// Whether the record at a position stands in a batch, its begin and end included.
  bool is_in_batch(Position position) const;

  /// The batch of this content, or null.
  const LoggedBatch* find_content(std::string_view source, std::string_view sha256) const;
  /// The newest batch of a file of that name, or null.
  const LoggedBatch* find_origin(std::string_view source, std::string_view origin) const;
  bool has_batch(std::string_view id) const;
  /// Whether a file of so many bytes was ingested: only then its content can be known.
  bool has_size(std::string_view source, std::uint64_t bytes) const;
  /// Whether rows were dropped from the quarantine under this id.
  bool has_dropped(std::string_view id) const;

  void add(LoggedBatch batch) { batches_.push_back(std::move(batch)); }
  void add(Note note) { notes_.push_back(std::move(note)); }
  void note_cut() { has_cut_ = true; }

 private:
  std::vector<LoggedBatch> batches_;  // ascending by begin
  std::vector<Note> notes_;
  std::map<std::uint32_t, std::int64_t> events_;  // outside of batches, by source tag
  std::int64_t lost_outside_ = 0;
  bool has_cut_ = false;
};

}  // namespace coeval::ingest
