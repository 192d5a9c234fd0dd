#include "serving/log_writer.h"

#include <utility>

#include "base/check.h"

namespace coeval::serving {

LogWriter::LogWriter(std::unique_ptr<stores::EventLog> log) : log_(std::move(log)) {}

Status LogWriter::note(Status status) {
  if (!status) failure_ = status.error();
  return status;
}

void LogWriter::keep(Position position, const stores::Draft& draft) {
  Kept kept{position, draft, bytes_.size(), draft.payload.size()};
  kept.draft.payload = {};
  bytes_ += draft.payload;
  kept_.push_back(kept);
}

Result<Position> LogWriter::append(const stores::Draft& draft) {
  if (failure_) return std::unexpected(*failure_);
  auto position = log_->append(draft);
  if (!position) {
    // A payload over the log's limit is this request's fault, not the disk's.
    if (position.error().code != Code::out_of_range) failure_ = position.error();
    return position;
  }
  keep(*position, draft);
  unflushed_ = true;
  if (draft.kind != stores::RecordKind::prediction) events_unsynced_ = true;
  return position;
}

Status LogWriter::commit(double now_s) {
  if (failure_ || kept_.empty()) return {};
  if (events_unsynced_ || now_s - last_sync_s_ >= kPredictionSyncS) return sync(now_s);
  return flush();
}

Status LogWriter::flush() {
  if (failure_ || !unflushed_) return {};
  unflushed_ = false;
  return note(log_->flush());
}

Status LogWriter::sync(double now_s) {
  if (failure_) return std::unexpected(*failure_);
  if (kept_.empty()) return {};
  COEVAL_TRY(note(log_->sync()));
  kept_.clear();
  bytes_.clear();
  events_unsynced_ = unflushed_ = false;
  last_sync_s_ = now_s;
  ++syncs_;
  return {};
}

Status LogWriter::append_again() {
  const Position end = log_->next_position();
  for (const Kept& kept : kept_) {
    if (kept.position < end) continue;
    stores::Draft draft = kept.draft;
    draft.payload = std::string_view(bytes_).substr(kept.offset, kept.size);
    COEVAL_ASSIGN(const Position position, log_->append(draft));
    COEVAL_CHECK(position == kept.position);
  }
  return {};
}

Status LogWriter::recover(double now_s) {
  if (!failure_) return {};
  COEVAL_TRY(note(log_->reopen()));
  COEVAL_TRY(note(append_again()));
  failure_.reset();
  return sync(now_s);
}

}  // namespace coeval::serving
