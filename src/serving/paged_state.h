#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "kernel/state_part.h"
#include "stores/stored_state.h"

namespace coeval::serving {

/// What entities may take after some have left: not all of it, so that they do not leave one by
/// one.
constexpr std::size_t kept_bytes(std::size_t memory_bytes) { return memory_bytes / 4 * 3; }

/// A state whose entities stand in a store and come into memory when events or questions name them.
/// Names of events and rows that are looked up are in memory all the same, and kept in the store.
///
/// Threading: the state's thread.
class PagedState final : public kernel::UnitSource {
 public:
  explicit PagedState(std::shared_ptr<stores::StoredState> stored) : stored_(std::move(stored)) {}

  /// Brings an empty state up from the store, if that has one before `end`, and gives the position
  /// to go on from. Nothing when there is none; the state is empty then. From then on the kernel
  /// pages, and the state notes what changes. `log` and `why` as of StoredState::find. Errors: io;
  /// snapshot_corrupt: the state is empty then too.
  Result<std::optional<Position>> restore(Position end, kernel::Kernel& kernel,
                                          kernel::EventIndexes& names,
                                          const stores::EventLog* log = nullptr,
                                          std::string* why = nullptr);
  /// Whether entities take more than `memory_bytes`.
  static bool is_full(std::size_t memory_bytes, const kernel::Kernel& kernel) {
    return kernel.entity_bytes() > memory_bytes;
  }
  /// While a history is folded: when entities take more than `memory_bytes`, writes what changed,
  /// as the state with the log before `at`, and drops some. Errors: io, disk_full.
  Status make_room(std::size_t memory_bytes, stores::LogPoint at, kernel::Kernel& kernel,
                   const kernel::EventIndexes& names);

  Result<std::vector<std::optional<std::string>>> read_units(
      std::uint32_t part, std::span<const std::string_view> keys) override;

  /// How often a key was looked for.
  std::uint64_t keys_read() const { return keys_read_; }

  stores::StoredState& stored() { return *stored_; }
  /// Puts another store in the place of the one that it has, of which the state has nothing yet.
  void replace(std::shared_ptr<stores::StoredState> stored) { stored_ = std::move(stored); }
  std::shared_ptr<stores::SnapshotTarget> target() { return stored_; }

 private:
  Result<std::optional<Position>> restore_parts(const stores::StoredState::Head& head,
                                                const std::vector<kernel::NamedPart>& parts,
                                                std::size_t paged);

  std::shared_ptr<stores::StoredState> stored_;
  std::uint64_t keys_read_ = 0;
};

}  // namespace coeval::serving
