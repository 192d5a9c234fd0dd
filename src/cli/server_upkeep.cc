#include "cli/server_upkeep.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>

#include "cli/log_upkeep.h"

namespace coeval::cli {

namespace {

constexpr std::chrono::seconds kPause{10};
constexpr int kLowestPriority = 19;

// A thread of this process has a priority of its own on Linux.
void step_back() {
  static_cast<void>(
      setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), kLowestPriority));
}

}  // namespace

ServerUpkeep::ServerUpkeep(Context& context)
    : context_(context),
      formats_(make_formats(context.installation)),
      thread_([this] { work(); }) {}

ServerUpkeep::~ServerUpkeep() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

bool ServerUpkeep::wait() {
  std::unique_lock lock(mutex_);
  return !stopped_.wait_for(lock, kPause, [this] { return stop_; });
}

void ServerUpkeep::work() {
  step_back();
  do {
    const Status done = seal_and_trim(context_, formats_, 1);
    const std::string text = done ? std::string() : one_line(done.error());
    if (!text.empty() && text != said_) context_.terminal.say("log: " + text);
    said_ = text;
  } while (wait());
}

}  // namespace coeval::cli
