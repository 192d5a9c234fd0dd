#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace coeval::sim {

/// A bug that is put into a world on purpose, to see whether the simulator finds it. They live
/// here, in the files and the driver that the simulator puts around coeval, and never in src/.
enum class Plant : std::uint8_t {
  none,
  // Of files.
  log_fsync_skipped,
  folder_fsync_skipped,
  snapshot_fsync_skipped,
  fsync_error_swallowed,
  cut_one_byte_short,
  cut_one_byte_too_many,
  cut_skipped,
  last_byte_dropped,
  short_write_taken_for_whole,
  full_disk_taken_for_written,
  writes_swapped,
  removal_skipped,
  // Of recovery and of the server's loop.
  snapshot_position_one_too_high,
  snapshot_position_one_too_low,
  tail_not_replayed,
  names_forgotten,
  state_outlives_crash,
  snapshot_before_commit,
  acknowledged_before_commit,
};

struct PlantInfo {
  Plant plant;
  std::string_view name;  ///< as --plant takes it
  std::string_view what;
};

/// All but none.
std::span<const PlantInfo> plants();
std::optional<Plant> find_plant(std::string_view name);

}  // namespace coeval::sim
