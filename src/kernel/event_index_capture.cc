// How what changes of the names is captured: names that changed are noted, and copied in turn, or
// just before they change again.
#include "base/check.h"
#include "data/row_codec.h"
#include "kernel/event_index.h"

namespace coeval::kernel {

void EventIndex::track_changes() {
  tracked_.track();
  for (auto& [name, entry] : entries_) before_change(name, entry, false);
}

// A fresh name may have stood for another entry that went: of that nothing may be left.
void EventIndex::before_change(const std::string& name, Entry& entry, bool fresh) {
  if (tracked_.is_noted(entry.changed)) return;
  if (fresh && tracked_.capturing())
    sink_->take_unit(part_, name, {});
  else if (tracked_.waits(entry.changed))
    capture_entry(name, entry);
  tracked_.note(name, entry.changed);
}

// As of the moment when the capture began.
void EventIndex::capture_entry(const std::string& name, const Entry& entry) {
  if (due_us(entry) < frozen_now_us_) return sink_->take_unit(part_, name, {});
  scratch_.clear();
  append_entry(scratch_, entry);
  sink_->take_unit(part_, name, scratch_);
}

std::string EventIndex::summary() const {
  std::string out;
  data::put_u64(out, static_cast<std::uint64_t>(now_us_));
  return out;
}

void EventIndex::freeze(UnitSink& sink, std::uint32_t part) {
  COEVAL_CHECK(tracked_.tracks() && !tracked_.capturing());
  sink_ = &sink;
  part_ = part;
  frozen_now_us_ = now_us_;
  tracked_.freeze();
}

bool EventIndex::capture(std::size_t bytes) {
  constexpr std::size_t kUnitCost = 128;  // of finding a name, in bytes written
  for (std::size_t captured = 0; captured < bytes; captured += kUnitCost) {
    const std::string* name = tracked_.next();
    if (name == nullptr) break;
    const auto found = entries_.find(*name);
    if (found == entries_.end()) {
      sink_->take_unit(part_, *name, {});
    } else if (tracked_.waits(found->second.changed)) {
      capture_entry(*name, found->second);
      found->second.changed = 0;
    }
  }
  return tracked_.end_if_done();
}

void EventIndex::settle(bool kept) {
  const std::vector<std::string> frozen = tracked_.settle();
  sink_ = nullptr;
  for (const std::string& name : frozen) {
    if (kept) continue;
    const auto found = entries_.find(name);
    if (found == entries_.end())
      tracked_.note_gone(name);
    else
      before_change(found->first, found->second, false);
  }
}

bool EventIndex::begin_restore(std::string_view summary) {
  clear();
  data::ByteReader reader(summary);
  std::uint64_t now = 0;
  if (!reader.u64(now) || reader.remaining() > 0) return false;
  now_us_ = static_cast<std::int64_t>(now);
  return true;
}

bool EventIndex::restore_unit(std::string_view key, std::string_view bytes) {
  data::ByteReader reader(bytes);
  Entry entry;
  std::string name(key);
  if (entries_.contains(name) || !read_entry(reader, entry) || reader.remaining() > 0) return false;
  if (due_us(entry) < now_us_) {
    tracked_.note_gone(name);
    return true;
  }
  watch(name, entry);
  entries_.emplace(std::move(name), std::move(entry));
  return true;
}

}  // namespace coeval::kernel
