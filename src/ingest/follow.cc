#include "ingest/follow.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "stores/files.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kEventBytes = std::size_t{64} << 10;
constexpr std::size_t kMostNamesSaid = 1000;

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
      passed_over_(std::move(other.passed_over_)) {}

FolderWatch::~FolderWatch() {
  for (const int fd : {events_, signals_})
    if (fd >= 0) ::close(fd);
}

bool FolderWatch::ended() const {
  pollfd poll{signals_, POLLIN, 0};
  return ::poll(&poll, 1, 0) > 0;
}

bool FolderWatch::wait(double seconds) const {
  pollfd poll{signals_, POLLIN, 0};
  return ::poll(&poll, 1, static_cast<int>(seconds * 1000)) <= 0;
}

Status FolderWatch::offer(const std::string& name,
                          const std::function<Status(const std::string&)>& take) {
  const std::string path = options_.folder + "/" + name;
  std::error_code none;
  if (is_hidden(name) || !std::filesystem::is_regular_file(path, none)) return {};
  if (!options_.is_readable(path)) {
    const bool said = passed_over_.size() >= kMostNamesSaid || !passed_over_.insert(name).second;
    if (!said) options_.say("passed over " + path + ": not a table");
    return {};
  }
  // Its writer's close will tell us again.
  return is_being_written(path) ? Status{} : take(path);
}

Status FolderWatch::scan(const std::function<Status(const std::string&)>& take) {
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
Result<bool> FolderWatch::read_events(const std::function<Status(const std::string&)>& take) {
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

Status FolderWatch::run(const std::function<Status(const std::string&)>& take) {
  COEVAL_TRY(scan(take));
  while (!ended()) {
    pollfd polls[] = {{events_, POLLIN, 0}, {signals_, POLLIN, 0}};
    if (::poll(polls, 2, -1) < 0 && errno != EINTR)
      return std::unexpected(stores::error_from_errno(errno, "watch folder", options_.folder));
    if ((polls[0].revents & POLLIN) == 0) continue;
    COEVAL_ASSIGN(const bool there, read_events(take));
    if (!there)
      return fail(Code::no_such_file, "the folder '" + options_.folder + "' was moved or removed",
                  "follow the new one");
  }
  return {};
}

}  // namespace coeval::ingest
