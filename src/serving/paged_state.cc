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
                                                    kernel::EventIndexes& names) {
  const auto parts = kernel::state_parts(kernel, names);
  for (const kernel::NamedPart& part : parts) part.part->track_changes();
  kernel.page_from(*this);
  auto restored = restore_parts(end, parts, kernel.views().size());
  if (!restored)
    for (const kernel::NamedPart& part : parts) (void)part.part->begin_restore({});
  return restored;
}

// Of the first `paged` parts what is not units: those come when they are named.
Result<std::optional<Position>> PagedState::restore_parts(
    Position end, const std::vector<kernel::NamedPart>& parts, std::size_t paged) {
  COEVAL_ASSIGN(const auto head, stored_->find(end));
  if (!head) return std::nullopt;
  if (!std::ranges::equal(head->parts, parts, {}, &stores::SnapshotPart::name,
                          &kernel::NamedPart::name))
    return unreadable("list of parts");
  for (std::uint32_t i = 0; i < parts.size(); ++i) {
    const kernel::NamedPart& part = parts[i];
    if (!part.part->begin_restore(head->parts[i].summary)) return unreadable(part.name);
    if (i >= paged)
      COEVAL_TRY(stored_->scan(i, [&](const stores::StateUnit& unit) -> Status {
        if (part.part->restore_unit(unit.key, *unit.bytes)) return {};
        return unreadable(part.name);
      }));
    part.part->end_restore();
  }
  return head->position;
}

Status PagedState::make_room(std::size_t memory_bytes, Position position, kernel::Kernel& kernel,
                             const kernel::EventIndexes& names) {
  if (kernel.entity_bytes() <= memory_bytes) return {};
  StateSnapshots snapshots(kernel::state_parts(kernel, names), target(), {}, [] { return 0.0; });
  snapshots.begin(position);
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
