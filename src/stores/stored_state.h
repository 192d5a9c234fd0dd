#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "stores/snapshot_target.h"
#include "stores/state_store.h"

namespace coeval::stores {

/// A state in a StateStore: its snapshots are written there, each over the one before, and its
/// units can be read one by one while they are.
///
/// What a snapshot takes in memory until it is published is what changed since the last.
///
/// Threading: as a target one thread at a time; read() may be called by another thread.
class StoredState final : public SnapshotTarget {
 public:
  /// `basis` says what the state depends on (SnapshotHead::basis).
  StoredState(std::unique_ptr<StateStore> store, std::string basis);

  struct Head {
    Position position;
    std::vector<SnapshotPart> parts;
    std::uint64_t log_check = 0;
  };
  /// Looks for what a state of this basis can be brought up from, at most at `end`, and with `log`
  /// of that log: nothing where the store was never written, is of another basis or log, or stands
  /// in the middle of a history that was being folded; `why` (may be null) says which, as a clause,
  /// and is empty for a store that was never written. Errors: io, snapshot_corrupt.
  Result<std::optional<Head>> find(Position end, const EventLog* log = nullptr,
                                   std::string* why = nullptr);
  /// The position of what the store holds, whatever it is of; nothing when it holds nothing.
  Result<std::optional<Position>> stored_position() { return store_->position(); }
  /// Whether the store holds nothing at all.
  Result<bool> is_empty();

  /// What is written from now on is in the middle of a history that has no positions, and cannot be
  /// gone on from; until it is whole.
  void set_whole(bool whole) { whole_ = whole; }

  /// As StateStore.
  Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) const;
  Status scan(std::uint32_t part, const TakeUnit& take) const;
  /// Reads every unit there is, and looks at every checksum. Errors: io, snapshot_corrupt.
  Result<std::uint64_t> count_units() const;
  Result<std::uint64_t> size_bytes() const { return store_->size_bytes(); }

  bool needs_all() const override { return false; }
  std::optional<Position> position() const override { return position_; }
  Status begin(LogPoint at, std::vector<SnapshotPart> parts) override;
  Status add(const UnitFrame& frame) override;
  Status publish() override;
  Status tidy() override { return {}; }

 private:
  const std::unique_ptr<StateStore> store_;
  const std::string basis_;
  bool whole_ = true;
  std::optional<Position> position_;  // of the newest that is whole
  // The one that is being written.
  Position next_position_;
  std::string next_head_;
  std::vector<UnitFrame> frames_;
};

}  // namespace coeval::stores
