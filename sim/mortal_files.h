#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include "plants.h"
#include "random_rows.h"
#include "stores/append_file.h"

namespace coeval::sim {

/// Files of a process that may die within any operation: a write may then be in the file in part, a
/// rename or removal done or not. From its death on every operation fails and changes nothing, so
/// that what destructors still do on the way out is not done, as by kill -9. Also knows what of
/// each file is durable. Deterministic.
class MortalFiles final : public stores::FileLayer {
 public:
  explicit MortalFiles(std::shared_ptr<stores::FileLayer> under);
  /// Lets so many more operations pass; the next is the one it dies in. `seed` decides how far that
  /// one comes.
  void die_after(std::uint64_t operations, std::uint64_t seed);
  /// Dies in the next sync of a file, with what was written before in the system's cache only.
  void die_in_sync() { state_->dies_in_sync = true; }
  void die() { state_->dead = true; }
  bool dead() const { return state_->dead; }
  /// A new process begins.
  void revive();
  /// Bytes of a file that no power failure may take.
  std::uint64_t durable_bytes(const std::string& path) const;
  /// After a power failure: all that is there is durable.
  void forget_sizes() { state_->sizes.clear(); }

  Result<std::unique_ptr<stores::AppendFile>> open(const std::string& path, Open how) override;
  Status remove(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status sync_folder(const std::string& folder) override;

  struct Sizes {
    std::uint64_t written = 0, synced = 0;
  };
  struct State {
    static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
    bool dead = false, dies_in_sync = false;
    std::uint64_t operations_left = kNever;
    Random random{0};
    std::map<std::string, Sizes> sizes;

    enum class Fate : std::uint8_t { passes, dies_before, dies_after, dead };
    /// What becomes of the next operation.
    Fate next();
  };

 private:
  std::shared_ptr<stores::FileLayer> under_;
  std::shared_ptr<State> state_;  // shared with the open files
};

/// Decorates a layer with the bug of a plant, or with none.
std::shared_ptr<stores::FileLayer> plant_in_files(Plant plant,
                                                  std::shared_ptr<stores::FileLayer> under);

}  // namespace coeval::sim
