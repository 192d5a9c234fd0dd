#include "server.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "replay/fold.h"
#include "serving/state_snapshots.h"
#include "stores/files.h"

namespace coeval::sim {

namespace {

constexpr const char* kBasis = "simulated";

Status write_bytes_at(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  if (!file) return fail(Code::io, "the simulator cannot change '" + path + "'");
  return {};
}

}  // namespace

class Server::SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(const std::int64_t& now_us) : now_us_(now_us) {}
  std::int64_t now_us() override { return now_us_; }

 private:
  const std::int64_t& now_us_;
};

Server::Server(const Definition& definition, Plant plant, ServerSizes sizes, std::int64_t now_us)
    : definition_(definition),
      plant_(plant),
      sizes_(sizes),
      faulty_(std::make_shared<stores::FaultyFiles>()),
      mortal_(std::make_shared<MortalFiles>(faulty_)),
      files_(plant_in_files(plant, mortal_)),
      now_us_(now_us) {}

Result<Server::Recovered> Server::start() {
  Recovered recovered;
  COEVAL_ASSIGN(auto log, stores::open_log(folder_ / "log", {sizes_.segment_bytes, files_}));
  COEVAL_ASSIGN(auto kernel, kernel::Kernel::create(definition_.project, definition_.views));
  auto names = std::make_unique<kernel::EventIndexes>(*definition_.project);
  const Position end = log->next_position();
  std::optional<stores::SnapshotChain> snapshot;
  if (state_kept_) {
    COEVAL_ASSIGN(const auto found, stores::find_snapshot(folder_ / "snapshots", kBasis, end,
                                                          &recovered.warning, log.get()));
    if (found) recovered.snapshot = found->position();
    COEVAL_TRY(kernel::restore_state(*std::exchange(state_kept_, {}), *kernel, *names));
  } else {
    COEVAL_ASSIGN(snapshot, serving::restore_snapshot(folder_ / "snapshots", kBasis, end, *kernel,
                                                      *names, &recovered.warning, log.get()));
    Position from{0};
    if (snapshot) {
      recovered.snapshot = snapshot->position();
      if (plant_ == Plant::names_forgotten)
        names = std::make_unique<kernel::EventIndexes>(*definition_.project);
      from = replay_from(snapshot->position(), end);
    }
    COEVAL_TRY(replay::fold_log(*kernel, *names, *log, from));
  }
  open_engine(std::move(log), std::move(kernel), std::move(names), std::move(snapshot));
  COEVAL_TRY(engine_->prepare());
  engine_->set_models({{kModel, definition_.model}});
  return recovered;
}

Position Server::replay_from(Position snapshot, Position end) const {
  if (plant_ == Plant::snapshot_position_one_too_high) return {snapshot.value + 1};
  if (plant_ == Plant::snapshot_position_one_too_low && snapshot.value > 0)
    return {snapshot.value - 1};
  if (plant_ == Plant::tail_not_replayed) return end;
  return snapshot;
}

void Server::open_engine(std::unique_ptr<stores::EventLog> log,
                         std::unique_ptr<kernel::Kernel> kernel,
                         std::unique_ptr<kernel::EventIndexes> names,
                         std::optional<stores::SnapshotChain> snapshot) {
  serving::Engine::Options options;
  options.snapshot_every = sizes_.snapshot_every;
  options.snapshot_files = files_;
  options.snapshot_pace.slice_bytes = sizes_.slice_bytes;
  options.monotonic_s = [seconds = seconds_] { return *seconds; };
  log_ = log.get();
  kernel_ = kernel.get();
  names_ = names.get();
  engine_ = std::make_unique<serving::Engine>(
      definition_.project, std::move(kernel), std::move(log),
      std::make_unique<SimulatedClock>(now_us_), folder_.path(), options, std::move(names));
  engine_->set_basis(kBasis, std::move(snapshot));
}

void Server::kill() {
  if (plant_ == Plant::state_outlives_crash && running()) state_kept_ = state();
  mortal_->die();
  close();
  mortal_->revive();
}

void Server::close() {
  engine_.reset();
  log_ = nullptr;
  kernel_ = nullptr;
  names_ = nullptr;
}

std::string Server::newest(const std::string& folder, const std::string& suffix) const {
  std::string found;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / folder, absent)) {
    const std::string path = entry.path().string();
    if (path.ends_with(suffix)) found = std::max(found, path);
  }
  return found;
}

Result<Server::Rot> Server::lose_power(Random& random) {
  const std::string tail = newest("log", ".seg");
  const std::uint64_t durable = tail.empty() ? 0 : mortal_->durable_bytes(tail);
  const std::string written = tail.empty() ? "" : stores::read_file(tail).value_or("");
  COEVAL_TRY(faulty_->lose_power(random.bits()));
  mortal_->forget_sizes();
  if (tail.empty() || !std::filesystem::exists(tail)) return Rot::none;
  // All that was written may have come to the disk, but for what rots.
  if (random.one_in(2)) COEVAL_TRY(write_bytes_at(tail, 0, written));
  if (random.one_in(2)) return Rot::none;
  return garble(tail, durable, random);
}

// Pages that were never written: bytes that were not durable come out as zeros or as anything, or
// with one bit changed. A sound record behind a bad one is damage by definition (event_log.cc),
// which is for a person to look at; bad bytes to the end of the file are what opening mends.
Result<Server::Rot> Server::garble(const std::string& path, std::uint64_t durable,
                                   Random& random) const {
  std::error_code gone;
  const std::uint64_t size = std::filesystem::file_size(path, gone);
  if (gone || size <= durable) return Rot::none;
  const std::uint64_t kind = random.below(6);
  std::uint64_t from = durable + random.below(size - durable);
  if (kind == 0) from = size - 1;
  COEVAL_ASSIGN(const std::string before, stores::read_file(path));
  std::string bytes = before.substr(from);
  if (kind == 0) bytes[0] = static_cast<char>(bytes[0] ^ (1 << random.below(8)));
  if (kind == 1) bytes.assign(bytes.size(), '\0');
  if (kind == 2)
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
  if (kind >= 3) bytes.assign(1 + random.below(bytes.size()), '\0');
  COEVAL_TRY(write_bytes_at(path, from, bytes));
  return kind >= 3 ? Rot::middle : Rot::tail;
}

Result<stores::LogReport> Server::repair() const {
  return stores::inspect_log(folder_ / "log", true);
}

Result<std::unique_ptr<stores::EventLog>> Server::read_log() const {
  return stores::open_log_for_reading(folder_ / "log");
}

Status Server::save_snapshot_unsynced() {
  COEVAL_ASSIGN(auto kernel, kernel::Kernel::create(definition_.project, definition_.views));
  kernel::EventIndexes names(*definition_.project);
  COEVAL_TRY(kernel::restore_state(state(), *kernel, names));
  serving::StateSnapshots snapshots(
      kernel::state_parts(*kernel, names),
      std::make_shared<stores::SnapshotSeries>(folder_ / "snapshots", kBasis, std::nullopt, files_),
      {}, [] { return 0.0; });
  snapshots.begin(log_->next_position());
  return snapshots.finish();
}

Result<bool> Server::damage_newest_snapshot(Random& random) {
  const std::string path = newest("snapshots", ".state");
  if (path.empty()) return false;
  COEVAL_ASSIGN(std::string bytes, stores::read_file(path));
  if (bytes.empty()) return false;
  const std::uint64_t at = random.below(bytes.size());
  const auto flipped = static_cast<char>(bytes[at] ^ static_cast<char>(1u << random.below(8)));
  COEVAL_TRY(write_bytes_at(path, at, std::string_view(&flipped, 1)));
  return true;
}

}  // namespace coeval::sim
