#include "serving/log_writer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace coeval::serving {

LogWriter::LogWriter(std::unique_ptr<stores::EventLog> log)
    : log_(std::move(log)), last_known_(log_->last_known()) {}

Status LogWriter::note(Status status) {
  if (!status) failure_ = status.error();
  return status;
}

void LogWriter::keep(Position position, const stores::Draft& draft, std::size_t with) {
  Kept kept{position, draft, bytes_.size(), draft.payload.size(), with};
  kept.draft.payload = {};
  bytes_ += draft.payload;
  kept_.push_back(kept);
  last_known_ = std::max(last_known_, draft.known);
  if (draft.kind != stores::RecordKind::prediction) events_unsynced_ = true;
}

bool LogWriter::can_hold(const stores::Draft& draft) const {
  return draft.kind == stores::RecordKind::prediction &&
         bytes_.size() + draft.payload.size() <= kMaxHeldBytes;
}

Result<Position> LogWriter::append(const stores::Draft& draft) {
  if (failure_ && can_hold(draft)) {
    const Position position = next_position();
    keep(position, draft, 1);
    return position;
  }
  return append_together({&draft, 1});
}

Result<Position> LogWriter::append_together(std::span<const stores::Draft> drafts) {
  if (failure_) return std::unexpected(*failure_);
  auto last = log_->append_together(drafts);
  if (!last) {
    // A payload over the log's limit is this request's fault, not the disk's.
    if (last.error().code != Code::out_of_range) failure_ = last.error();
    return last;
  }
  std::uint64_t position = last->value + 1 - drafts.size();
  std::size_t with = drafts.size();
  for (const stores::Draft& draft : drafts) keep({position++}, draft, std::exchange(with, 0));
  unflushed_ = true;
  return last;
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
  std::vector<stores::Draft> drafts;
  for (std::size_t i = 0; i < kept_.size(); i += kept_[i].with) {
    if (kept_[i].position < end) continue;
    const auto together = std::span(kept_).subspan(i, kept_[i].with);
    drafts.clear();
    for (const Kept& kept : together) {
      drafts.push_back(kept.draft);
      drafts.back().payload = std::string_view(bytes_).substr(kept.offset, kept.size);
    }
    COEVAL_ASSIGN(const Position last, log_->append_together(drafts));
    COEVAL_CHECK(last == together.back().position);
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
