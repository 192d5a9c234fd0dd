#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "stores/event_log.h"
#include "stores/log_format.h"
#include "stores/record_names.h"

namespace coeval::stores {

namespace {

/// The log without a disk: the same order, limits and visibility. It never fails, so reopen() has
/// nothing to do.
class MemoryLog final : public EventLog {
 public:
  Result<Position> append(const Draft& draft) override {
    COEVAL_TRY(check_payload(draft));
    if (const LogSchema* first = pending_.find(draft.source, draft.schema_version)) {
      replace_schema(schemas_, *first);
      pending_.remove(first);
    }
    last_known_ = std::max(draft.known, last_known_);  // semantics: T1
    const Position position = next_position();
    if (draft.kind == RecordKind::batch_begin) open_batch_ = position;
    if (draft.kind == RecordKind::batch_end) open_batch_.reset();
    rows_.push_back({{position, draft.kind, last_known_, draft.source, draft.schema_version, {}},
                     std::string(draft.payload)});
    return position;
  }
  Result<Position> append_together(std::span<const Draft> drafts) override {
    for (const Draft& draft : drafts) COEVAL_TRY(check_payload(draft));
    for (const Draft& draft : drafts) COEVAL_TRY(append(draft));
    return Position{rows_.size() - 1};
  }
  Status flush() override {
    flushed_ = rows_.size();
    return {};
  }
  Status sync() override { return flush(); }
  Status reopen() override { return {}; }
  Position next_position() const override { return Position{rows_.size()}; }
  KnownTime last_known() const override { return last_known_; }

  Status declare(const std::string& source, const data::Schema& schema) override {
    LogSchema fresh{source, schema_tag(schema), next_position(), schema};
    COEVAL_ASSIGN(const bool is_known, is_newest(schemas_, fresh));
    if (!is_known) pending_.add(std::move(fresh));
    return {};
  }
  Result<std::vector<LogSchema>> schemas() const override { return schemas_; }
  Result<std::optional<LogTrim>> trim() const override { return std::nullopt; }

  Status read(Position from, const std::function<bool(const Record&)>& visit) const override {
    for (std::size_t i = from.value; i < flushed_; ++i) {
      Record record = rows_[i].record;
      record.payload = rows_[i].payload;
      if (record.position == open_batch_ || !visit(record)) break;
    }
    return {};
  }

 private:
  struct Row {
    Record record;
    std::string payload;
  };
  std::vector<Row> rows_;
  std::vector<LogSchema> schemas_;
  PendingSchemas pending_;
  std::size_t flushed_ = 0;
  std::optional<Position> open_batch_;  // its begin, while its end was not appended
  KnownTime last_known_{INT64_MIN};
};

}  // namespace

std::unique_ptr<EventLog> make_memory_log() { return std::make_unique<MemoryLog>(); }

}  // namespace coeval::stores
