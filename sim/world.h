#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "model.h"
#include "server.h"

namespace coeval::sim {

/// What happened in worlds, for the report and for the test that the simulator does what it says.
struct Tally {
  std::uint64_t events = 0, predictions = 0, refusals = 0, commits = 0, failed_commits = 0;
  std::uint64_t restarts = 0, crashes = 0, power_failures = 0, records_lost = 0;
  std::uint64_t repairs = 0, records_repaired_away = 0;
  std::uint64_t snapshots_used = 0, snapshots_damaged = 0, states_compared = 0;
  void add(const Tally& other);
};

/// One server and what it must be, from an empty disk on. Each step does one thing to the server
/// and compares; an error says what differs. Deterministic: a function of the arguments.
class World {
 public:
  using Trace = std::function<void(const std::string&)>;
  static Result<std::unique_ptr<World>> create(const Definition& definition, Plant plant,
                                               std::uint64_t seed, Trace trace);
  Status step();
  /// The disk is well again, the server is brought down and up, and nothing may be missing.
  Status finish();

  /// The folder that it lives in, whose name is another in every run.
  const std::string& folder() const { return server_.folder(); }
  const std::string& action() const { return action_; }  ///< what the last step did
  const Tally& tally() const { return tally_; }

 private:
  World(const Definition& definition, Plant plant, std::uint64_t seed, ServerSizes sizes,
        Trace trace);

  Status act();
  // The actions.
  Status send_events();
  Status commit();
  Status ask();
  Status snapshot();
  Status restart();
  Status crash(bool power_fails, bool damages_snapshot);
  Status change_faults();
  Status move_clock();
  void heal();
  void say(std::string action);

  // What was before a call to the engine; settle() after it says what is promised now.
  struct Before {
    std::size_t size = 0;
    bool ready = true, faulty = false;
  };
  Before before();
  void settle(const Before& before);
  Status check_taken(const std::string& body, std::int64_t rows, std::int64_t duplicates,
                     bool one_is_bad) const;
  Status judge_refusal(const Before& before, int status, const std::string& body) const;
  /// What a crash has done to the files.
  struct Damage {
    bool power_failed = false, snapshot = false;
    Server::Rot log = Server::Rot::none;
    bool refused = false;  ///< in order, but refusing writes: what was refused must not come back
  };
  Status lose_power(Damage& damage);
  Status recover(Damage damage);
  Status repair(std::size_t at_least);
  Status check_recovered(const Server::Recovered& recovered, std::size_t at_least,
                         std::size_t at_most);
  Status check_step();
  Status check_log();
  Status check_records(const stores::EventLog& log);
  Status check_state();
  Status judge_snapshot(const Before& before, const Status& saved);
  bool faulty();
  std::int64_t next_known_us() const;

  const Definition& definition_;
  Plant plant_;
  Random random_;
  Trace trace_;
  Server server_;
  std::unique_ptr<Model> model_;
  RowHabits habits_;
  std::int64_t now_us_;
  double seconds_ = 0;
  bool fault_in_round_ = false;       // since the last commit
  bool fault_in_snapshot_ = false;    // since the one that is under way was begun
  std::uint64_t slow_steps_ = 0;      // the disk is slow: so long no round ends
  std::uint64_t calm_ = 1;            // faults are so many times rarer than in the wildest world
  std::uint64_t snapshot_floor_ = 0;  // a snapshot of at least this position is on disk
  std::string action_;
  Tally tally_;
};

}  // namespace coeval::sim
