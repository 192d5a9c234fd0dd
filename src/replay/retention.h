#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "stores/log_trim.h"
#include "stores/sealed_files.h"

namespace coeval::replay {

/// How long the log keeps the events of a source.
struct SourceRetention {
  std::string source;
  std::optional<std::int64_t> keep_us;  ///< nothing = for ever
  std::string why;                      ///< "retention 90d", "view user reads all time", …
};
/// At least what the source declares; more where something may still look further back: the longest
/// window of its views and their lateness, the horizon of its names, a label of a source that is
/// kept longer. For ever where no retention is declared, and where rows are looked up: the newest
/// of a key counts however old it is.
std::vector<SourceRetention> retention_of(const define::Project& project);

struct TrimOptions {
  std::int64_t now_us = 0;
  /// Predictions known longer ago may go; nothing = every prediction is kept, and so is a segment
  /// that holds one.
  std::optional<std::int64_t> keep_predictions_us;
  bool dry_run = false;  ///< only find out what would go
};

/// What a trim did, or would do.
struct TrimReport {
  std::vector<stores::SealedSegment> removed;  ///< from the front
  std::int64_t events = 0, predictions = 0;
  stores::LogTrim trim;  ///< as it is after it
  std::string stopped;   ///< why the next segment stays
};

/// Removes sealed segments from the front of a log while each holds nothing that must be kept:
/// events, predictions and tables. What is removed is noted durably first. Beside a writer, too;
/// one process at a time. Errors: io, log_corrupt; log_locked.
Result<TrimReport> trim_log(const define::Project& project, const std::string& log_folder,
                            const TrimOptions& options);

/// Which questions could see what retention has removed, so that no one can answer them any more as
/// they were answered.
class RemovedPast {
 public:
  RemovedPast() = default;
  /// For questions that read `views`.
  RemovedPast(const define::Project& project, std::span<const int> views,
              const std::optional<stores::LogTrim>& trim);
  bool is_seen_at(std::int64_t at_us) const;
  bool is_empty() const { return spans_.empty(); }

 private:
  struct Span {
    std::int64_t after_us, until_us;  ///< (after, until]
  };
  std::vector<Span> spans_;
};

/// "retention removed 1,234 events … on …", for people.
std::string removed_text(const stores::LogTrim& trim);

}  // namespace coeval::replay
