#include "cli/server_upkeep.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "replay/retention.h"
#include "stores/log_scan.h"
#include "stores/sealed_files.h"

namespace coeval::cli {

namespace {

constexpr std::chrono::seconds kPause{10};
constexpr int kLowestPriority = 19;

// A thread of this process has a priority of its own on Linux.
void step_back() {
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)),
                                kLowestPriority));
}

Result<bool> has_unsealed(const std::string& log_folder) {
  COEVAL_ASSIGN(const stores::SegmentFiles files, stores::find_segments(log_folder));
  if (files.segments.size() < 2) return false;
  COEVAL_ASSIGN(const auto sealed, stores::list_sealed(log_folder));
  for (std::size_t i = 0; i + 1 < files.segments.size(); ++i)
    if (std::ranges::count(sealed, files.segments[i].first, &stores::SealedSegment::first) == 0)
      return true;
  return false;
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
    const Status done = round();
    const std::string text = done ? std::string() : one_line(done.error());
    if (!text.empty() && text != said_) context_.terminal.say("log: " + text);
    said_ = text;
  } while (wait());
}

Status ServerUpkeep::round() {
  const std::string folder = context_.log_folder();
  COEVAL_ASSIGN(const bool unsealed, has_unsealed(folder));
  if (!unsealed) return {};
  COEVAL_ASSIGN(stores::TableFiles * tables, formats_("x.parquet"));
  COEVAL_ASSIGN(const auto sealed, stores::seal_closed_segments(folder, *tables));
  if (sealed.segments.empty()) return {};
  replay::TrimOptions options;
  options.now_us = sealed.segments.back().last_known.us;
  COEVAL_ASSIGN(const auto trimmed, replay::trim_log(*context_.project, folder, options));
  if (!trimmed.removed.empty())
    context_.terminal.say("log: " + replay::removed_text(trimmed.trim));
  return {};
}

}  // namespace coeval::cli
