// How what changes of a view is captured: entities that changed are noted, and copied in turn, or
// just before they change again.
#include "base/check.h"
#include "data/row_codec.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

void ViewState::track_changes() {
  changes_.track();
  for (std::int32_t number = 0; number < entities_; ++number) before_change(entity(number), number);
}

void ViewState::note_change(Entity& e, std::int32_t number) {
  if (changes_.waits(e.changed)) capture_entity(number);
  changes_.note(number, e.changed);
}

// As of the moment when the capture began: nothing that expired since was given up.
void ViewState::capture_entity(std::int32_t number) {
  scratch_unit_.clear();
  const bool any = append_unit(scratch_unit_, number, frozen_known_);
  sink_->take_unit(
      part_, keys_.key(number),
      any ? std::optional<std::string_view>(scratch_unit_) : std::optional<std::string_view>());
}

std::string ViewState::summary() const {
  std::string out;
  data::put_text(out, signature_);
  data::put_u64(out, static_cast<std::uint64_t>(last_known_));
  data::put_u64(out, static_cast<std::uint64_t>(dropped_late_));
  return out;
}

void ViewState::freeze(UnitSink& sink, std::uint32_t part) {
  COEVAL_CHECK(changes_.tracks() && !changes_.capturing() && !turns_began_at_);
  sink_ = &sink;
  part_ = part;
  frozen_known_ = last_known_;
  changes_.freeze();
}

bool ViewState::capture(std::size_t bytes) {
  for (std::size_t captured = 0; captured < bytes;) {
    const std::int32_t* number = changes_.next();
    if (number == nullptr) break;
    Entity& e = entity(*number);
    captured += kUnitCost;
    if (!changes_.waits(e.changed)) continue;
    capture_entity(*number);
    e.changed = 0;
    captured += scratch_unit_.size();
  }
  return changes_.end_if_done();
}

void ViewState::settle(bool kept) {
  const std::vector<std::int32_t> frozen = changes_.settle();
  sink_ = nullptr;
  for (const std::int32_t number : frozen)
    if (!kept) before_change(entity(number), number);
}

bool ViewState::begin_restore(std::string_view summary) {
  clear();
  data::ByteReader reader(summary);
  std::string_view signature;
  std::uint64_t last_known = 0, dropped = 0;
  if (!reader.text(signature) || signature != signature_ || !reader.u64(last_known) ||
      !reader.u64(dropped) || static_cast<std::int64_t>(dropped) < 0 || reader.remaining() > 0)
    return false;
  last_known_ = static_cast<std::int64_t>(last_known);
  dropped_late_ = static_cast<std::int64_t>(dropped);
  return true;
}

bool ViewState::restore_unit(std::string_view key, std::string_view bytes) {
  if (keys_.find(key) != KeyTable::kNull) return false;
  const std::int32_t number = keys_.intern(key);
  add_entities();
  if (!take_unit(bytes, number, Expired::given_up) || !bytes.empty()) return false;
  Entity& e = entity(number);
  if (!e.has_events() && e.base == nullptr && !taken_back_.contains(number))
    before_change(e, number);  // nothing is left of it
  return true;
}

void ViewState::end_restore() { order_taken_back(); }

}  // namespace coeval::kernel
