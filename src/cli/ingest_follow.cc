#include "cli/ingest_follow.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "cli/log_upkeep.h"
#include "ingest/follow.h"

namespace coeval::cli {

namespace {

// A file that finds no room is read again from its begin, so the pauses grow.
constexpr double kShortestPauseS = 1, kLongestPauseS = 60;

class Follower {
 public:
  Follower(Context& context, ingest::Ingestion ingestion, int source, OutcomeReport& report)
      : context_(context), ingestion_(std::move(ingestion)), source_(source), report_(report) {}

  int run() {
    ingest::FolderWatch::Options options{
        context_.in.follow,
        [this](const std::string& path) { return context_.formats(path).has_value(); },
        [this](const std::string& line) { context_.terminal.say(line); }};
    auto watch = ingest::FolderWatch::open(std::move(options));
    if (!watch) return context_.report(watch.error());
    const Status ended = watch->run([&](const std::string& path) { return take(*watch, path); });
    if (!ended && !failed_) return context_.report(ended.error());
    const int code = report_.finish();
    return failed_.value_or(code);
  }

 private:
  // Whether the same file may be taken later: nothing is wrong with it nor with the log. (That
  // another process holds the log can be only while it is opened anew.)
  static bool passes(Code code) { return code == Code::disk_full || code == Code::log_locked; }

  Result<ingest::BatchOutcome> ingest(const std::string& path) {
    if (!ingestion_) {
      COEVAL_ASSIGN(ingestion_, open_ingestion(context_));
    }
    return ingestion_->file(source_, path, ingest::display_path(*context_.project, path));
  }

  // Each state is said once. Nothing of a file is in the log before all of it is.
  Status take(ingest::FolderWatch& watch, const std::string& path) {
    std::optional<Code> waits_for;
    for (double pause_s = kShortestPauseS;; pause_s = std::min(2 * pause_s, kLongestPauseS)) {
      const auto outcome = ingest(path);
      if (outcome) {
        if (waits_for) context_.terminal.say("going on with '" + path + "'");
        report_.add(path, *outcome);
        keep_up_log(context_);
        return {};
      }
      const Error error = Error(outcome.error()).within("ingesting '" + path + "'");
      if (!passes(error.code)) return give_up(error);
      const int exit_code =
          waits_for == error.code ? info(error.code).exit_code : context_.report(error);
      if (!waits_for)
        context_.terminal.say("waiting; nothing of '" + path +
                              "' is in the log, and it is tried "
                              "again until it can be");
      waits_for = error.code;
      if (!watch.wait(pause_s)) {
        failed_ = exit_code;
        return {};
      }
      ingestion_.reset();  // the log refuses writes since the error, and its lock goes first
    }
  }

  // A bad file is no reason not to take the next; a log that cannot be written is.
  Status give_up(const Error& error) {
    failed_ = context_.report(error);
    if (error.code == Code::log_corrupt || error.code == Code::internal)
      return std::unexpected(error);
    return {};
  }

  Context& context_;
  std::optional<ingest::Ingestion> ingestion_;
  int source_;
  OutcomeReport& report_;
  std::optional<int> failed_;  // the exit code of the last file that was not taken
};

}  // namespace

int follow_folder(Context& context, ingest::Ingestion ingestion, int source,
                  OutcomeReport& report) {
  return Follower(context, std::move(ingestion), source, report).run();
}

}  // namespace coeval::cli
