#include "ingest/ledger.h"

#include <algorithm>

#include "stores/record_names.h"

namespace coeval::ingest {

using stores::RecordKind;

namespace {

// Positions whose records are lost, as runs.
class LostRecords {
 public:
  void add(std::uint64_t position) {
    if (!runs_.empty() && runs_.back().end == position)
      ++runs_.back().end;
    else
      runs_.push_back({position, position + 1});
  }
  /// Those from `begin` on, which are taken out.
  std::int64_t take_from(std::uint64_t begin) {
    std::int64_t count = 0;
    while (!runs_.empty() && runs_.back().end > begin) {
      Run& last = runs_.back();
      const std::uint64_t from = std::max(begin, last.begin);
      count += static_cast<std::int64_t>(last.end - from);
      last.end = from;
      if (last.begin == last.end) runs_.pop_back();
    }
    return count;
  }

 private:
  struct Run {
    std::uint64_t begin, end;
  };
  std::vector<Run> runs_;
};

}  // namespace

Result<Ledger> Ledger::read(const stores::EventLog& log) {
  Ledger ledger;
  Status failed;
  std::uint64_t batch_end = 0;  // events before it stand in a batch
  LostRecords lost_outside;
  const auto add_lost = [&](std::uint64_t position) {
    if (position >= batch_end)
      lost_outside.add(position);
    else if (position + 1 < batch_end)  // else it is the batch's end
      ++ledger.batches_.back().lost;
  };
  // Of a batch whose begin is lost to damage: the end says the same.
  const auto add_by_end = [&](const stores::Record& record, BatchRecord batch) {
    const auto events = static_cast<std::int64_t>(batch.events());
    const std::uint64_t begin =
        record.position.value - std::min(record.position.value, batch.events() + 1);
    const std::int64_t lost = std::max<std::int64_t>(0, lost_outside.take_from(begin) - 1);
    ledger.events_[record.source] -= events - lost;
    ledger.add({std::move(batch), Position{begin}, lost});
  };
  const auto add = [&](const stores::Record& record) -> Status {
    if (record.kind == RecordKind::cut) ledger.has_cut_ = true;
    if (record.kind == RecordKind::event && record.position.value >= batch_end)
      ++ledger.events_[record.source];
    if (record.kind == RecordKind::lost) add_lost(record.position.value);
    if (record.kind == RecordKind::note) {
      COEVAL_ASSIGN(ledger.notes_.emplace_back(), parse_note(record.payload));
    }
    const bool ends = record.kind == RecordKind::batch_end;
    if (record.kind != RecordKind::batch_begin && !ends) return {};
    COEVAL_ASSIGN(BatchRecord batch, parse_batch(record.payload));
    if (!ends) {
      batch_end = record.position.value + batch.events() + 2;
      ledger.add({std::move(batch), record.position});
    } else if (record.position.value >= batch_end && !ledger.has_batch(batch.id)) {
      add_by_end(record, std::move(batch));
    }
    return {};
  };
  COEVAL_TRY(log.read(Position{0}, [&](const stores::Record& record) {
    failed = add(record);
    return failed.has_value();
  }));
  COEVAL_TRY(std::move(failed));
  ledger.lost_outside_ = lost_outside.take_from(0);
  return ledger;
}

bool Ledger::is_in_batch(Position position) const {
  const auto after = std::ranges::upper_bound(batches_, position, {}, &LoggedBatch::begin);
  if (after == batches_.begin()) return false;
  const LoggedBatch& batch = *std::prev(after);
  return position.value < batch.begin.value + batch.record.events() + 2;
}

std::int64_t Ledger::events_of_requests(std::string_view source) const {
  const auto found = events_.find(stores::source_tag(source));
  return found == events_.end() ? 0 : std::max<std::int64_t>(0, found->second);
}

const LoggedBatch* Ledger::find_content(std::string_view source, std::string_view sha256) const {
  for (const auto& batch : batches_)
    if (batch.record.source == source && batch.record.sha256 == sha256) return &batch;
  return nullptr;
}

const LoggedBatch* Ledger::find_origin(std::string_view source, std::string_view origin) const {
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch)
    if (batch->record.source == source && batch->record.origin == origin) return &*batch;
  return nullptr;
}

bool Ledger::has_batch(std::string_view id) const {
  return std::ranges::any_of(batches_, [&](const auto& batch) { return batch.record.id == id; });
}

bool Ledger::has_size(std::string_view source, std::uint64_t bytes) const {
  return std::ranges::any_of(batches_, [&](const auto& batch) {
    return batch.record.source == source && batch.record.bytes == bytes;
  });
}

bool Ledger::has_dropped(std::string_view id) const {
  return std::ranges::any_of(
      notes_, [&](const Note& note) { return note.kind == Note::Kind::dropped && note.id == id; });
}

}  // namespace coeval::ingest
