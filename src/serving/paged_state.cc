#include "serving/paged_state.h"

#include <algorithm>
#include <utility>

#include "serving/state_snapshots.h"

namespace coeval::serving {

namespace {

std::unexpected<Error> unreadable(const std::string& part) {
  return fail(Code::snapshot_corrupt, "the stored state's " + part + " cannot be read back",
              "move the state's folder away: it is rebuilt from the log");
}

}  // namespace

Result<std::optional<Position>> PagedState::restore(Position end, kernel::Kernel& kernel,
                                                    kernel::EventIndexes& names,
                                                    const stores::EventLog* log, std::string* why) {
  const auto parts = kernel::state_parts(kernel, names);
  for (const kernel::NamedPart& part : parts) part.part->track_changes();
  kernel.page_from(*this);
  COEVAL_ASSIGN(const auto head, stored_->find(end, log, why));
  if (!head) return std::nullopt;
  auto restored = restore_parts(*head, parts, kernel.views().size());
  if (!restored)
    for (const kernel::NamedPart& part : parts) (void)part.part->begin_restore({});
  return restored;
}

// Of the first `paged` parts what is not units: those come when they are named.
Result<std::optional<Position>> PagedState::restore_parts(
    const stores::StoredState::Head& head, const std::vector<kernel::NamedPart>& parts,
    std::size_t paged) {
  if (!std::ranges::equal(head.parts, parts, {}, &stores::SnapshotPart::name,
                          &kernel::NamedPart::name))
    return unreadable("list of parts");
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    const kernel::NamedPart& part = parts[i];
    if (!part.part->begin_restore(head.parts[i].summary)) return unreadable(part.name);
    if (i >= paged)
      COEVAL_TRY(stored_->scan(i, [&](const stores::StateUnit& unit) -> Status {
        if (part.part->restore_unit(unit.key, *unit.bytes)) return {};
        return unreadable(part.name);
      }));
    part.part->end_restore();
  }
  return head.position;
}

Status PagedState::make_room(std::size_t memory_bytes, stores::LogPoint at, kernel::Kernel& kernel,
                             const kernel::EventIndexes& names) {
  if (!is_full(memory_bytes, kernel)) return {};
  StateSnapshots snapshots(kernel::state_parts(kernel, names), target(), {}, [] { return 0.0; });
  snapshots.begin(at);
  COEVAL_TRY(snapshots.finish());
  kernel.drop_entities(kept_bytes(memory_bytes));
  return {};
}

Result<std::vector<std::optional<std::string>>> PagedState::read_units(
    std::uint32_t part, std::span<const std::string_view> keys) {
  std::vector<stores::UnitKey> wanted;
  wanted.reserve(keys.size());
  for (const std::string_view key : keys) wanted.push_back({part, key});
  keys_read_ += keys.size();
  return stored_->read(wanted);
}

}  // namespace coeval::serving
