#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "definitions.h"
#include "kernel/event_index.h"
#include "kernel/kernel.h"
#include "mortal_files.h"
#include "plants.h"
#include "serving/engine.h"
#include "stores/event_log.h"
#include "stores/faulty_files.h"
#include "stores/snapshots.h"
#include "stores/temporary_folder.h"

namespace coeval::sim {

/// The sizes that make a small world meet every boundary.
struct ServerSizes {
  std::uint64_t segment_bytes = 4096;
  std::uint64_t snapshot_every = 40;  ///< log records
  std::size_t slice_bytes = 300;      ///< of a snapshot, captured in one round
};

/// A server on a disk of its own: coeval's engine over a log, brought up as `coeval serve` does it,
/// and brought down in every way there is. What goes wrong with the disk is set in faults().
class Server {
 public:
  Server(const Definition& definition, Plant plant, ServerSizes sizes, std::int64_t now_us);

  /// What recovery went on from.
  struct Recovered {
    std::optional<Position> snapshot;
    std::string warning;  ///< of a snapshot that was passed over
  };
  /// Brings it up from what is on the disk. After an error it is down.
  Result<Recovered> start();
  /// Ends the process without a word.
  void kill();
  /// Ends it in order: what destructors do is done.
  void close();
  /// What a power failure may leave besides what lose_power() of FaultyFiles does: some bytes that
  /// were not durable come out as others.
  enum class Rot : std::uint8_t {
    none,
    tail,    ///< to the end of the log
    middle,  ///< sound records may stand behind, so that opening may ask for `coeval doctor`
  };
  /// The machine loses power; the server must be down.
  Result<Rot> lose_power(Random& random);
  /// `coeval doctor --repair`; the server must be down.
  Result<stores::LogReport> repair() const;
  /// Takes a snapshot of the state, whatever of it is on disk: the bug of a plant.
  Status save_snapshot_unsynced();
  /// Changes a byte of the newest snapshot, if there is one; says whether. The server must be down.
  Result<bool> damage_newest_snapshot(Random& random);

  bool running() const { return engine_ != nullptr; }
  serving::Engine& engine() { return *engine_; }
  const stores::EventLog& log() const { return *log_; }
  /// The log as another process sees it.
  Result<std::unique_ptr<stores::EventLog>> read_log() const;
  const std::string& folder() const { return folder_.path(); }
  kernel::Kernel& kernel() { return *kernel_; }
  /// Canonical bytes of the state.
  std::string state() const { return kernel::serialize_state(*kernel_, *names_); }

  stores::FaultPlan& faults() { return faulty_->plan(); }
  MortalFiles& files() { return *mortal_; }
  void set_now(std::int64_t us) { now_us_ = us; }
  void set_seconds(double s) { *seconds_ = s; }

 private:
  void open_engine(std::unique_ptr<stores::EventLog> log, std::unique_ptr<kernel::Kernel> kernel,
                   std::unique_ptr<kernel::EventIndexes> names,
                   std::optional<stores::SnapshotChain> snapshot);
  Position replay_from(Position snapshot, Position end) const;
  Result<Rot> garble(const std::string& path, std::uint64_t durable, Random& random) const;
  std::string newest(const std::string& folder, const std::string& suffix) const;

  /// Shows the engine the simulator's time.
  class SimulatedClock;

  const Definition& definition_;
  Plant plant_;
  ServerSizes sizes_;
  stores::TemporaryFolder folder_{stores::TemporaryFolder::Where::in_memory};
  std::shared_ptr<stores::FaultyFiles> faulty_;
  std::shared_ptr<MortalFiles> mortal_;
  std::shared_ptr<stores::FileLayer> files_;  // what coeval writes through
  std::int64_t now_us_;
  std::shared_ptr<double> seconds_ = std::make_shared<double>(0);
  std::optional<std::string> state_kept_;  // by a plant
  std::unique_ptr<serving::Engine> engine_;
  // Owned by the engine.
  stores::EventLog* log_ = nullptr;
  kernel::Kernel* kernel_ = nullptr;
  kernel::EventIndexes* names_ = nullptr;
};

}  // namespace coeval::sim
