#include "training/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "stores/files.h"

namespace coeval::training {
namespace {

constexpr std::size_t kLastWordsBytes = 4096;
constexpr std::size_t kLongestLineBytes = 4096;
/// How often the deadline and the child are looked at while its pipes say nothing. An ordinary end
/// is seen at once, for it closes the pipes.
constexpr int kLookMs = 50;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return std::unexpected(stores::error_from_errno(errno, "make", "a pipe"));
  }
  Pipe pipe{Descriptor(ends[0]), Descriptor(ends[1])};
  // Only our end: the child may block when it writes.
  ::fcntl(pipe.read.get(), F_SETFL, O_NONBLOCK);
  return pipe;
}

/// Strings as execve wants them. Built before the fork, because after it nothing may allocate.
class CStrings {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  char* const* get() {
    pointers_.clear();
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

CStrings arguments_of(const ChildCommand& command) {
  CStrings arguments;
  arguments.add(command.program);
  for (const std::string& argument : command.arguments) arguments.add(argument);
  return arguments;
}

bool is_set(const std::string& assignment) {
  return ::getenv(assignment.substr(0, assignment.find('=')).c_str()) != nullptr;
}

CStrings environment_of(const ChildCommand& command) {
  CStrings environment;
  for (char** entry = environ; *entry != nullptr && !command.whole_environment; ++entry) {
    environment.add(*entry);
  }
  for (const std::string& added : command.environment) {
    if (command.whole_environment || !is_set(added)) environment.add(added);
  }
  return environment;
}

/// What the new process needs to become the program.
struct Start {
  const char* program;
  char* const* arguments;
  char* const* environment;
  int stdout_fd, stderr_fd;
  const int* descriptors;
  int descriptor_count;
  rlim_t memory_limit;
  pid_t parent;
  const char* folder;  ///< null: where it is
  bool own_group;
};

void say(const char* text) {
  const ssize_t ignored = ::write(STDERR_FILENO, text, std::strlen(text));
  static_cast<void>(ignored);
}

// Gives the descriptors their numbers. They may have each other's, so all move out of the way
// first.
int hand_down(const Start& start) {
  constexpr int kFirst = STDERR_FILENO + 1;
  std::array<int, kMostDescriptors> aside{};
  for (int i = 0; i < start.descriptor_count; ++i)
    aside[static_cast<std::size_t>(i)] =
        ::fcntl(start.descriptors[i], F_DUPFD, kFirst + static_cast<int>(kMostDescriptors));
  for (int i = 0; i < start.descriptor_count; ++i)
    ::dup2(aside[static_cast<std::size_t>(i)], kFirst + i);
  return start.descriptor_count;
}

// Runs between fork and exec, in a copy of a process that had other threads: only async-signal-safe
// calls, no allocation, no locks.
[[noreturn]] void become(const Start& start) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (start.own_group) ::setpgid(0, 0);
  if (::getppid() != start.parent) ::_exit(127);  // It died before the line above.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int empty = ::open("/dev/null", O_RDONLY);
  ::dup2(empty, STDIN_FILENO);
  ::dup2(start.stdout_fd, STDOUT_FILENO);
  ::dup2(start.stderr_fd, STDERR_FILENO);
  ::close_range(STDERR_FILENO + 1 + static_cast<unsigned>(hand_down(start)), UINT_MAX, 0);
  if (start.memory_limit != 0) {
    const rlimit limit{start.memory_limit, start.memory_limit};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  if (start.folder != nullptr && ::chdir(start.folder) != 0) {
    say("cannot enter ");
    say(start.folder);
    ::_exit(127);
  }
  ::execve(start.program, start.arguments, start.environment);
  const int fault = errno;
  say("cannot start ");
  say(start.program);
  say(": ");
  say(::strerrordesc_np(fault));
  ::_exit(127);
}

/// Cuts a stream of bytes into lines.
class Lines {
 public:
  void add(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
    for (const char byte : bytes) {
      if (byte != '\n') {
        if (line_.size() < kLongestLineBytes) line_.push_back(byte);
        continue;
      }
      if (on_line) on_line(line_);
      line_.clear();
    }
  }

 private:
  std::string line_;
};

void keep_tail(std::string& tail, std::string_view bytes) {
  tail.append(bytes);
  if (tail.size() > kLastWordsBytes) tail.erase(0, tail.size() - kLastWordsBytes);
}

/// The parent's side of a running child.
class Child {
 public:
  Child(pid_t pid, Descriptor out, Descriptor err, const ChildCommand& command)
      : pid_(pid), out_(std::move(out)), err_(std::move(err)), command_(command) {}

  ChildEnd wait() {
    const double deadline = monotonic_seconds() + command_.time_budget_s;
    while (!ended(WNOHANG)) {
      const double left_s = deadline - monotonic_seconds();
      if (left_s <= 0) return stop();
      look(static_cast<int>(std::min<double>(kLookMs, left_s * 1000 + 1)));
    }
    kill_group();
    drain();
    return std::move(end_);
  }

 private:
  // What the program started and left behind goes with it.
  void kill_group() const {
    if (command_.own_group) ::kill(-pid_, SIGKILL);
  }

  bool ended(int options) {
    int status = 0;
    pid_t result = 0;
    do {
      result = ::waitpid(pid_, &status, options);
    } while (result < 0 && errno == EINTR);
    if (result == 0) return false;
    // A program that ignores SIGCHLD is not told how its children end: what the child left decides.
    if (result < 0) return true;
    if (WIFSIGNALED(status)) {
      end_.signal = WTERMSIG(status);
    } else {
      end_.exit_code = WEXITSTATUS(status);
    }
    return true;
  }

  ChildEnd stop() {
    kill_group();
    ::kill(pid_, SIGKILL);
    ended(0);
    drain();
    end_.timed_out = true;
    return std::move(end_);
  }

  /// Waits until a pipe has something, or closes, or the time is over; reads what there is.
  void look(int timeout_ms) {
    std::array<pollfd, 2> pipes{pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0}};
    ::poll(pipes.data(), pipes.size(), timeout_ms);
    drain();
  }

  void drain() {
    read_all(out_, [this](std::string_view bytes) { lines_.add(bytes, command_.on_line); });
    read_all(err_, [this](std::string_view bytes) { keep_tail(end_.last_words, bytes); });
  }

  /// Reads without blocking; closes our end when the other one is closed, so that poll rests.
  template <class Take>
  static void read_all(Descriptor& pipe, Take take) {
    std::array<char, 4096> buffer;
    while (pipe.is_open()) {
      const ssize_t got = ::read(pipe.get(), buffer.data(), buffer.size());
      if (got > 0) {
        take(std::string_view(buffer.data(), static_cast<std::size_t>(got)));
      } else if (got == 0) {
        pipe.close();
      } else if (errno != EINTR) {
        return;
      }
    }
  }

  pid_t pid_;
  Descriptor out_, err_;
  const ChildCommand& command_;
  Lines lines_;
  ChildEnd end_;
};

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", seconds);
  return text;
}

}  // namespace

Result<ChildEnd> run_child(const ChildCommand& command) {
  COEVAL_CHECK(command.descriptors.size() <= kMostDescriptors);
  COEVAL_ASSIGN(Pipe out, make_pipe());
  COEVAL_ASSIGN(Pipe err, make_pipe());
  CStrings arguments = arguments_of(command), environment = environment_of(command);
  const Start start{
      .program = command.program.c_str(),
      .arguments = arguments.get(),
      .environment = environment.get(),
      .stdout_fd = out.write.get(),
      .stderr_fd = err.write.get(),
      .descriptors = command.descriptors.data(),
      .descriptor_count = static_cast<int>(command.descriptors.size()),
      .memory_limit = command.memory_limit_bytes,
      .parent = ::getpid(),
      .folder = command.working_folder.empty() ? nullptr : command.working_folder.c_str(),
      .own_group = command.own_group};
  const pid_t pid = ::fork();
  if (pid < 0) return std::unexpected(stores::error_from_errno(errno, "start", command.program));
  if (pid == 0) become(start);
  // Here too: whichever of the two comes first, a kill of the group finds it.
  if (command.own_group) ::setpgid(pid, pid);
  out.write.close();
  err.write.close();
  return Child(pid, std::move(out.read), std::move(err.read), command).wait();
}

std::string describe(const ChildEnd& end, double time_budget_s) {
  if (end.timed_out) return "did not finish in " + seconds_text(time_budget_s) + " s";
  if (end.signal == 0) return "ended with exit code " + std::to_string(end.exit_code);
  const char* name = ::sigabbrev_np(end.signal);
  return "was killed by " +
         (name != nullptr ? "SIG" + std::string(name) : "signal " + std::to_string(end.signal));
}

std::string last_lines(std::string_view text) {
  constexpr int kLines = 5;
  while (text.ends_with('\n')) text.remove_suffix(1);
  std::size_t begin = text.size();
  for (int line = 0; line < kLines && begin != std::string_view::npos && begin > 0; ++line) {
    begin = text.rfind('\n', begin - 1);
  }
  if (begin != std::string_view::npos && begin < text.size()) text.remove_prefix(begin);
  std::string joined;
  for (const char c : text) {
    if (c != '\n') {
      joined += c;
    } else if (!joined.empty()) {
      joined += " | ";
    }
  }
  return joined;
}

}  // namespace coeval::training
