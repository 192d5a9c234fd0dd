#include "plants.h"

#include <array>

namespace coeval::sim {

namespace {

constexpr std::array kPlants = {
    PlantInfo{Plant::log_fsync_skipped, "log-fsync-skipped",
              "fsync of a segment returns at once and does nothing"},
    PlantInfo{Plant::folder_fsync_skipped, "folder-fsync-skipped",
              "a new segment's name is not made durable"},
    PlantInfo{Plant::snapshot_fsync_skipped, "snapshot-fsync-skipped",
              "a snapshot is renamed before its bytes are on disk"},
    PlantInfo{Plant::fsync_error_swallowed, "fsync-error-swallowed",
              "an fsync that fails is reported as done"},
    PlantInfo{Plant::cut_one_byte_short, "cut-one-byte-short",
              "cutting a file leaves one byte more than asked"},
    PlantInfo{Plant::cut_one_byte_too_many, "cut-one-byte-too-many",
              "cutting a file takes one byte more than asked"},
    PlantInfo{Plant::cut_skipped, "cut-skipped", "cutting a file does nothing"},
    PlantInfo{Plant::last_byte_dropped, "last-byte-dropped",
              "one write in sixteen leaves its last byte out and says that all is written"},
    PlantInfo{Plant::short_write_taken_for_whole, "short-write-taken-for-whole",
              "a write that took some of the bytes is reported as having taken all"},
    PlantInfo{Plant::full_disk_taken_for_written, "full-disk-taken-for-written",
              "a write that found no room is reported as done"},
    PlantInfo{Plant::writes_swapped, "writes-swapped",
              "a write to a segment reaches the file after the next one"},
    PlantInfo{Plant::removal_skipped, "removal-skipped",
              "a segment that was begun and failed is not removed"},
    PlantInfo{Plant::snapshot_position_one_too_high, "snapshot-position-one-too-high",
              "recovery goes on one record behind the snapshot's position"},
    PlantInfo{Plant::snapshot_position_one_too_low, "snapshot-position-one-too-low",
              "recovery applies the last record of the snapshot again"},
    PlantInfo{Plant::tail_not_replayed, "tail-not-replayed",
              "recovery takes the snapshot for the whole state"},
    PlantInfo{Plant::names_forgotten, "names-forgotten",
              "recovery restores the views and not the names of events"},
    PlantInfo{Plant::state_outlives_crash, "state-outlives-crash",
              "after a crash the state goes on with events that the log lost"},
    PlantInfo{Plant::snapshot_before_commit, "snapshot-before-commit",
              "a snapshot is taken of events that are not yet on disk"},
    PlantInfo{Plant::acknowledged_before_commit, "acknowledged-before-commit",
              "events are acknowledged when they are appended, not when they are committed"},
};

}  // namespace

std::span<const PlantInfo> plants() { return kPlants; }

std::optional<Plant> find_plant(std::string_view name) {
  for (const PlantInfo& info : kPlants)
    if (info.name == name) return info.plant;
  return std::nullopt;
}

}  // namespace coeval::sim
