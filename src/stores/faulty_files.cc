#include "stores/faulty_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "stores/files.h"

namespace coeval::stores {

namespace {

using State = FaultyFiles::State;

// Takes one from a budget, or says that it is used up.
bool spend(std::uint64_t& left) {
  if (left == 0) return false;
  if (left != FaultPlan::kNever) --left;
  return true;
}

// splitmix64: a small generator whose every output is a function of the seed.
std::uint64_t next_random(std::uint64_t& seed) {
  std::uint64_t z = seed += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

class FaultyFile final : public AppendFile {
 public:
  FaultyFile(std::unique_ptr<AppendFile> under, std::shared_ptr<State> state, std::string path)
      : under_(std::move(under)), state_(std::move(state)), path_(std::move(path)) {}

  Result<std::size_t> write_some(std::string_view bytes) override {
    FaultPlan& plan = state_->plan;
    if (plan.room_bytes == 0)
      return std::unexpected(error_from_errno(plan.write_error, "write to", path_));
    const std::uint64_t allowed = std::min(plan.room_bytes, plan.write_limit);
    COEVAL_ASSIGN(
        const std::size_t written,
        under_->write_some(bytes.substr(0, std::min<std::uint64_t>(allowed, bytes.size()))));
    if (plan.room_bytes != FaultPlan::kNever) plan.room_bytes -= written;
    state_->written += written;
    state_->sizes[path_].written += written;
    return written;
  }

  Status sync() override {
    if (!spend(state_->plan.syncs_left))
      return std::unexpected(error_from_errno(state_->plan.sync_error, "sync", path_));
    auto& sizes = state_->sizes[path_];
    sizes.synced = sizes.written;
    return {};
  }

  Status truncate(std::uint64_t size) override {
    COEVAL_TRY(under_->truncate(size));
    auto& sizes = state_->sizes[path_];
    sizes.written = size;
    sizes.synced = std::min(sizes.synced, size);
    return {};
  }

 private:
  std::unique_ptr<AppendFile> under_;
  std::shared_ptr<State> state_;
  std::string path_;
};

}  // namespace

FaultyFiles::FaultyFiles(std::shared_ptr<FileLayer> under)
    : under_(std::move(under)), state_(std::make_shared<State>()) {}

Result<std::unique_ptr<AppendFile>> FaultyFiles::open(const std::string& path, Open how) {
  if (!spend(state_->plan.opens_left))
    return std::unexpected(error_from_errno(EMFILE, "open", path));
  struct stat found{};
  const bool existed = ::stat(path.c_str(), &found) == 0;
  COEVAL_ASSIGN(auto file, under_->open(path, how));
  if (!existed) state_->created.insert(path);
  const auto size = existed ? static_cast<std::uint64_t>(found.st_size) : 0;
  state_->sizes.try_emplace(path, Sizes{size, size});
  return std::make_unique<FaultyFile>(std::move(file), state_, path);
}

Status FaultyFiles::remove(const std::string& path) {
  auto bytes = read_file(path);
  COEVAL_TRY(under_->remove(path));
  if (bytes) {
    const std::uint64_t size = bytes->size();
    const auto sizes = state_->sizes.try_emplace(path, Sizes{size, size}).first->second;
    state_->removed[path] = {std::move(*bytes), sizes};
  }
  state_->sizes.erase(path);
  state_->created.erase(path);
  return {};
}

Status FaultyFiles::rename(const std::string& from, const std::string& to) {
  COEVAL_TRY(under_->rename(from, to));
  state_->sizes[to] = state_->sizes[from];
  state_->sizes.erase(from);
  state_->created.erase(from);
  return {};
}

Status FaultyFiles::sync_folder(const std::string& folder) {
  if (!spend(state_->plan.syncs_left))
    return std::unexpected(error_from_errno(state_->plan.sync_error, "sync", folder));
  std::erase_if(state_->created, [&](const auto& path) { return folder_of(path) == folder; });
  std::erase_if(state_->removed,
                [&](const auto& removed) { return folder_of(removed.first) == folder; });
  return {};
}

Status FaultyFiles::lose_power(std::uint64_t seed) {
  for (const auto& [path, sizes] : state_->sizes) {
    if (state_->created.contains(path) && next_random(seed) % 2 == 0) {
      COEVAL_TRY(under_->remove(path));
      continue;
    }
    const std::uint64_t keep =
        sizes.synced + next_random(seed) % (sizes.written - sizes.synced + 1);
    if (::truncate(path.c_str(), static_cast<off_t>(keep)) != 0)
      return std::unexpected(error_from_errno(errno, "cut", path));
  }
  for (const auto& [path, removed] : state_->removed) {
    const bool comes_back = next_random(seed) % 2 == 0;
    const std::uint64_t keep =
        removed.sizes.synced +
        next_random(seed) % (removed.sizes.written - removed.sizes.synced + 1);
    if (comes_back && ::access(path.c_str(), F_OK) != 0)
      COEVAL_TRY(bring_back(path, removed, keep));
  }
  state_->sizes.clear();
  state_->created.clear();
  state_->removed.clear();
  return {};
}

Status FaultyFiles::bring_back(const std::string& path, const State::Removed& removed,
                               std::uint64_t keep) {
  COEVAL_ASSIGN(const auto file, under_->open(path, Open::create_new));
  return append_all(*file, std::string_view(removed.bytes).substr(0, keep));
}

}  // namespace coeval::stores
