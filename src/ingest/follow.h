#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>

#include "base/error.h"

namespace coeval::ingest {

/// Takes files as they come to stand in a folder, whole: those renamed into it, those whose writer
/// closed them, and those that were there at the start. A file that somebody still writes is left
/// until it is closed. Names that begin with '.' or end in .tmp or .part are nobody's business.
/// Folders below it are not looked into.
///
/// A file that cannot be taken yet is offered again after a pause, from a second to a minute, which
/// grows while none is taken; those that come meanwhile are taken in between. Of those that wait at
/// most kMostTries are tried after a pause, so that none waits for all others to fail.
///
/// Threading: one thread, which waits; SIGTERM, SIGINT and SIGHUP end the wait, after the file
/// under way.
class FolderWatch {
 public:
  struct Options {
    std::string folder;
    std::function<bool(const std::string& path)> is_readable;  ///< of a format that we know
    std::function<void(const std::string& line)> say;
  };
  /// Lets the signals that end the wait wait themselves. To be called before any thread starts.
  static void block_signals();
  /// Errors: no_such_file, io.
  static Result<FolderWatch> open(Options options);
  FolderWatch(FolderWatch&& other) noexcept;
  FolderWatch& operator=(FolderWatch&&) = delete;
  ~FolderWatch();

  /// Takes a file, for good or ill; false: not yet.
  using Take = std::function<Result<bool>(const std::string& path)>;
  static constexpr std::size_t kMostTries = 8;
  /// Calls `take` for each file until a signal comes. Errors: io; those of `take`, which end it.
  Status run(const Take& take);

 private:
  explicit FolderWatch(Options options) : options_(std::move(options)) {}
  Status scan(const Take& take);
  Result<bool> offer(const std::string& name, const Take& take);
  Result<bool> read_events(const Take& take);
  Status offer_again(const Take& take);
  bool ended() const;

  Options options_;
  int events_ = -1, signals_ = -1;
  std::set<std::string> passed_over_;  // names of which that was said
  std::deque<std::string> waiting_;    // names that could not be taken yet
  bool others_wait_ = false;           // more than are remembered: the folder has them
  std::int64_t pause_ms_ = 0;
};

}  // namespace coeval::ingest
