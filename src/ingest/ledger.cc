#include "ingest/ledger.h"

#include <algorithm>

#include "stores/record_names.h"

namespace coeval::ingest {

using stores::RecordKind;

Result<Ledger> Ledger::read(const stores::EventLog& log) {
  Ledger ledger;
  Status failed;
  std::uint64_t batch_end = 0;  // events before it stand in a batch
  const auto add = [&](const stores::Record& record) -> Status {
    if (record.kind == RecordKind::cut) ledger.has_cut_ = true;
    if (record.kind == RecordKind::event && record.position.value >= batch_end)
      ++ledger.events_[record.source];
    if (record.kind == RecordKind::note) {
      COEVAL_ASSIGN(ledger.notes_.emplace_back(), parse_note(record.payload));
    }
    const bool ends = record.kind == RecordKind::batch_end;
    if (record.kind != RecordKind::batch_begin && !ends) return {};
    COEVAL_ASSIGN(BatchRecord batch, parse_batch(record.payload));
    const std::uint64_t events = batch.events();
    if (ends) {
      // Its begin may have been lost to damage: the end says the same.
      if (record.position.value >= batch_end && !ledger.has_batch(batch.id)) {
        ledger.events_[record.source] -= static_cast<std::int64_t>(events);
        ledger.add({std::move(batch), Position{record.position.value - events - 1}});
      }
      return {};
    }
    batch_end = record.position.value + events + 2;
    ledger.add({std::move(batch), record.position});
    return {};
  };
  COEVAL_TRY(log.read(Position{0}, [&](const stores::Record& record) {
    failed = add(record);
    return failed.has_value();
  }));
  COEVAL_TRY(std::move(failed));
  return ledger;
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
