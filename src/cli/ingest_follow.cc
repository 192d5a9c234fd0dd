#include "cli/ingest_follow.h"

#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "cli/log_upkeep.h"
#include "ingest/follow.h"

namespace coeval::cli {

namespace {

constexpr std::size_t kMostTold = 10'000;  // files that wait and of which that is said

// Whether the same file may be taken later: nothing is wrong with it nor with the log. (That
// another process holds the log can be only while it is opened anew.)
bool may_pass(Code code) { return code == Code::disk_full || code == Code::log_locked; }

class Follower {
 public:
  Follower(Context& context, std::optional<ingest::Ingestion> ingestion, int source,
           OutcomeReport& report)
      : context_(context), ingestion_(std::move(ingestion)), source_(source), report_(report) {}

  int run() {
    ingest::FolderWatch::Options options{
        context_.in.follow,
        [this](const std::string& path) { return context_.formats(path).has_value(); },
        [this](const std::string& line) { context_.terminal.say(line); }};
    auto watch = ingest::FolderWatch::open(std::move(options));
    if (!watch) return context_.report(watch.error());
    const Status ended = watch->run([&](const std::string& path) { return take(path); });
    if (!ended && !failed_) return context_.report(ended.error());
    const int code = report_.finish();
    if (failed_) return *failed_;
    std::error_code none;
    std::erase_if(waiting_,
                  [&](const auto& file) { return !std::filesystem::exists(file.first, none); });
    return waiting_.empty() ? code : info(waiting_.begin()->second).exit_code;
  }

 private:
  Result<ingest::BatchOutcome> ingest(const std::string& path) {
    if (!ingestion_) {
      COEVAL_ASSIGN(ingestion_, open_ingestion(context_));
    }
    return ingestion_->file(source_, path, ingest::display_path(*context_.project, path));
  }

  // Each state of a file is said once. Nothing of it is in the log before all of it is.
  Result<bool> take(const std::string& path) {
    const auto outcome = ingest(path);
    if (outcome) {
      if (waiting_.erase(path) > 0) context_.terminal.say("going on with '" + path + "'");
      report_.add(path, *outcome);
      keep_up_log(context_);
      return true;
    }
    const Error error = Error(outcome.error()).within("ingesting '" + path + "'");
    if (!may_pass(error.code)) {
      waiting_.erase(path);
      COEVAL_TRY(give_up(error));
      return true;
    }
    wait_with(path, error);
    ingestion_.reset();  // the log refuses writes since the error, and its lock goes first
    return false;
  }

  void wait_with(const std::string& path, const Error& error) {
    const auto told = waiting_.find(path);
    const bool is_new = told == waiting_.end();
    if (is_new ? waiting_.size() >= kMostTold : told->second == error.code) return;
    context_.report(error);
    if (is_new)
      context_.terminal.say("waiting; nothing of '" + path +
                            "' is in the log, and it is tried again until it can be");
    waiting_[path] = error.code;
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
  std::map<std::string, Code> waiting_;  // files that wait, by what for
  std::optional<int> failed_;            // the exit code of the last file that was not taken
};

}  // namespace

int follow_folder(Context& context, std::optional<ingest::Ingestion> ingestion, int source,
                  OutcomeReport& report) {
  return Follower(context, std::move(ingestion), source, report).run();
}

}  // namespace coeval::cli
