#include "ingest/follow.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "stores/files.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kEventBytes = std::size_t{64} << 10;
constexpr std::size_t kMostNamesSaid = 1000, kMostWaiting = 10'000;
// A file that finds no room is read again from its begin.
constexpr std::int64_t kShortestPauseMs = 1000, kLongestPauseMs = 60'000;

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  return set;
}

bool is_hidden(const std::string& name) {
  return name.empty() || name.front() == '.' || name.ends_with(".tmp") || name.ends_with(".part");
}

// A lease for reading is refused while the file is open for writing anywhere. Where we may not ask
// (another's file, a file system without leases) a file counts as closed.
bool is_being_written(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  const bool written = ::fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
  ::close(fd);  // and the lease with it
  return written;
}

}  // namespace

void FolderWatch::block_signals() {
  const sigset_t set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Result<FolderWatch> FolderWatch::open(Options options) {
  FolderWatch watch(std::move(options));
  const std::string& folder = watch.options_.folder;
  const auto failed = [&folder] {
    return std::unexpected(stores::error_from_errno(errno, "watch folder", folder));
  };
  watch.events_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (watch.events_ < 0) return failed();
  const std::uint32_t what =
      IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR | IN_DELETE_SELF | IN_MOVE_SELF;
  if (::inotify_add_watch(watch.events_, folder.c_str(), what) < 0) return failed();
  const sigset_t set = ending_signals();
  watch.signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (watch.signals_ < 0) return failed();
  return watch;
}

FolderWatch::FolderWatch(FolderWatch&& other) noexcept
    : options_(std::move(other.options_)),
      events_(std::exchange(other.events_, -1)),
      signals_(std::exchange(other.signals_, -1)),
      passed_over_(std::move(other.passed_over_)),
      waiting_(std::move(other.waiting_)),
      others_wait_(other.others_wait_),
      pause_ms_(other.pause_ms_) {}

FolderWatch::~FolderWatch() {
  for (const int fd : {events_, signals_})
    if (fd >= 0) ::close(fd);
}

bool FolderWatch::ended() const {
  pollfd poll{signals_, POLLIN, 0};
  return ::poll(&poll, 1, 0) > 0;
}

// Whether it waits now.
Result<bool> FolderWatch::offer(const std::string& name, const Take& take) {
  const std::string path = options_.folder + "/" + name;
  std::error_code none;
  if (is_hidden(name) || !std::filesystem::is_regular_file(path, none)) return false;
  if (!options_.is_readable(path)) {
    const bool said = passed_over_.size() >= kMostNamesSaid || !passed_over_.insert(name).second;
    if (!said) options_.say("passed over " + path + ": not a table");
    return false;
  }
  // Its writer's close will tell us again.
  if (is_being_written(path)) return false;
  COEVAL_ASSIGN(const bool taken, take(path));
  std::erase(waiting_, name);
  if (taken) return false;
  if (waiting_.empty()) pause_ms_ = kShortestPauseMs;
  if (waiting_.size() < kMostWaiting)
    waiting_.push_back(name);
  else
    others_wait_ = true;
  return true;
}

// The first in turn, which go to the end where they still cannot be taken.
Status FolderWatch::offer_again(const Take& take) {
  const std::int64_t longer_ms = std::min(2 * pause_ms_, kLongestPauseMs);
  std::size_t failures = 0;
  bool any_went = false;
  for (std::size_t left = waiting_.size(); left > 0 && failures < kMostTries && !ended(); --left) {
    const std::string name = std::move(waiting_.front());
    waiting_.pop_front();
    COEVAL_ASSIGN(const bool waits, offer(name, take));
    failures += waits ? 1 : 0;
    any_went = any_went || !waits;
  }
  pause_ms_ = any_went ? kShortestPauseMs : longer_ms;
  if (waiting_.empty() && std::exchange(others_wait_, false)) return scan(take);
  return {};
}

Status FolderWatch::scan(const Take& take) {
  std::vector<std::string> names;
  std::error_code failed;
  std::filesystem::directory_iterator file(options_.folder, failed);
  for (const std::filesystem::directory_iterator end; !failed && file != end;
       file.increment(failed))
    names.push_back(file->path().filename().string());
  if (failed)
    return std::unexpected(
        stores::error_from_errno(failed.value(), "read folder", options_.folder));
  std::ranges::sort(names);
  for (const auto& name : names) {
    if (ended()) return {};
    COEVAL_TRY(offer(name, take));
  }
  return {};
}

// False when the folder is gone.
Result<bool> FolderWatch::read_events(const Take& take) {
  alignas(inotify_event) char buffer[kEventBytes];
  const ssize_t size = ::read(events_, buffer, sizeof buffer);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (size <= 0)
    return std::unexpected(stores::error_from_errno(errno, "watch folder", options_.folder));
  bool overflown = false;
  std::vector<std::string> names;  // each once, in the order in which they were first named
  for (const char* at = buffer; at < buffer + size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(at);
    at += sizeof *event + event->len;
    if ((event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) return false;
    overflown = overflown || (event->mask & IN_Q_OVERFLOW) != 0;
    if (event->len == 0) continue;
    const std::string name(event->name);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  for (const auto& name : names) {
    if (ended()) return true;
    COEVAL_TRY(offer(name, take));
  }
  if (overflown) COEVAL_TRY(scan(take));
  return true;
}

Status FolderWatch::run(const Take& take) {
  using Clock = std::chrono::steady_clock;
  pause_ms_ = kShortestPauseMs;
  COEVAL_TRY(scan(take));
  auto paused_at = Clock::now();
  while (!ended()) {
    const auto passed = std::chrono::ceil<std::chrono::milliseconds>(Clock::now() - paused_at);
    const std::int64_t left_ms = std::max<std::int64_t>(0, pause_ms_ - passed.count());
    pollfd polls[] = {{events_, POLLIN, 0}, {signals_, POLLIN, 0}};
    const int ready = ::poll(polls, 2, waiting_.empty() ? -1 : static_cast<int>(left_ms));
    if (ready < 0 && errno != EINTR)
      return std::unexpected(stores::error_from_errno(errno, "watch folder", options_.folder));
    if (!waiting_.empty() && (ready == 0 || left_ms == 0)) {
      COEVAL_TRY(offer_again(take));
      paused_at = Clock::now();
    }
    if (ready <= 0 || (polls[0].revents & POLLIN) == 0) continue;
    const bool none_waited = waiting_.empty();
    COEVAL_ASSIGN(const bool there, read_events(take));
    if (none_waited) paused_at = Clock::now();
    if (!there)
      return fail(Code::no_such_file, "the folder '" + options_.folder + "' was moved or removed",
                  "follow the new one");
  }
  return {};
}

}  // namespace coeval::ingest
