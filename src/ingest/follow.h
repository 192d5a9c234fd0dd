#pragma once

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

  /// Calls `take` for each file until a signal comes. Errors: io; those of `take`, which end it.
  Status run(const std::function<Status(const std::string& path)>& take);
  /// For a `take` that cannot go on yet: waits so long. False when a signal came, which is left for
  /// run() to end by. Files that come meanwhile are offered afterwards.
  bool wait(double seconds) const;

 private:
  explicit FolderWatch(Options options) : options_(std::move(options)) {}
  Status scan(const std::function<Status(const std::string&)>& take);
  Status offer(const std::string& name, const std::function<Status(const std::string&)>& take);
  Result<bool> read_events(const std::function<Status(const std::string&)>& take);
  bool ended() const;

  Options options_;
  int events_ = -1, signals_ = -1;
  std::set<std::string> passed_over_;  // names of which that was said
};

}  // namespace coeval::ingest
