#include "mortal_files.h"

#include <filesystem>
#include <system_error>
#include <utility>

namespace coeval::sim {

namespace {

using stores::AppendFile;
using stores::FileLayer;
using State = MortalFiles::State;

std::unexpected<Error> died() {
  return fail(Code::io, "the process is dead: nothing that it does reaches the disk");
}

// Runs an operation that is done as a whole or not at all.
template <class Operation>
Status run(State& state, Operation operation) {
  const State::Fate fate = state.next();
  if (fate == State::Fate::dead || fate == State::Fate::dies_before) return died();
  COEVAL_TRY(operation());
  if (fate == State::Fate::dies_after) return died();
  return {};
}

class MortalFile final : public AppendFile {
 public:
  MortalFile(std::unique_ptr<AppendFile> under, std::shared_ptr<State> state, std::string path)
      : under_(std::move(under)), state_(std::move(state)), path_(std::move(path)) {}

  Result<std::size_t> write_some(std::string_view bytes) override {
    const State::Fate fate = state_->next();
    if (fate == State::Fate::dead) return died();
    const bool dies = fate != State::Fate::passes;
    if (dies) bytes = bytes.substr(0, state_->random.below(bytes.size() + 1));
    if (dies && bytes.empty()) return died();
    COEVAL_ASSIGN(const std::size_t written, under_->write_some(bytes));
    state_->sizes[path_].written += written;
    if (dies) return died();
    return written;
  }

  Status sync() override {
    if (state_->dies_in_sync) state_->dead = true;
    return run(*state_, [&]() -> Status {
      COEVAL_TRY(under_->sync());
      auto& sizes = state_->sizes[path_];
      sizes.synced = sizes.written;
      return {};
    });
  }

  Status truncate(std::uint64_t size) override {
    return run(*state_, [&]() -> Status {
      COEVAL_TRY(under_->truncate(size));
      auto& sizes = state_->sizes[path_];
      sizes.written = size;
      sizes.synced = std::min(sizes.synced, size);
      return {};
    });
  }

 private:
  std::unique_ptr<AppendFile> under_;
  std::shared_ptr<State> state_;
  std::string path_;
};

}  // namespace

State::Fate State::next() {
  if (dead) return Fate::dead;
  if (operations_left == kNever) return Fate::passes;
  if (operations_left-- > 0) return Fate::passes;
  dead = true;
  return random.one_in(2) ? Fate::dies_before : Fate::dies_after;
}

MortalFiles::MortalFiles(std::shared_ptr<FileLayer> under)
    : under_(std::move(under)), state_(std::make_shared<State>()) {}

void MortalFiles::die_after(std::uint64_t operations, std::uint64_t seed) {
  state_->operations_left = operations;
  state_->random = Random(seed);
}

void MortalFiles::revive() {
  state_->dead = state_->dies_in_sync = false;
  state_->operations_left = State::kNever;
}

std::uint64_t MortalFiles::durable_bytes(const std::string& path) const {
  const auto found = state_->sizes.find(path);
  return found == state_->sizes.end() ? State::kNever : found->second.synced;
}

Result<std::unique_ptr<AppendFile>> MortalFiles::open(const std::string& path, Open how) {
  std::unique_ptr<AppendFile> file;
  COEVAL_TRY(run(*state_, [&]() -> Status {
    std::error_code absent;
    const std::uint64_t size = std::filesystem::file_size(path, absent);
    COEVAL_ASSIGN(file, under_->open(path, how));
    state_->sizes.try_emplace(path, absent ? Sizes{} : Sizes{size, size});
    return {};
  }));
  return std::make_unique<MortalFile>(std::move(file), state_, path);
}

Status MortalFiles::remove(const std::string& path) {
  return run(*state_, [&]() -> Status {
    COEVAL_TRY(under_->remove(path));
    state_->sizes.erase(path);
    return {};
  });
}

Status MortalFiles::rename(const std::string& from, const std::string& to) {
  return run(*state_, [&]() -> Status {
    COEVAL_TRY(under_->rename(from, to));
    state_->sizes[to] = state_->sizes[from];
    state_->sizes.erase(from);
    return {};
  });
}

Status MortalFiles::sync_folder(const std::string& folder) {
  return run(*state_, [&] { return under_->sync_folder(folder); });
}

}  // namespace coeval::sim
