#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "define/project.h"
#include "ingest/past_rows.h"
#include "quality/batch_checks.h"
#include "quality/checks.h"
#include "quality/key_times.h"

namespace coeval::ingest {

/// What checks of a source ask beside the rows of one batch: keys of other sources (`refers`), the
/// source's own rows so far (`volume`), sums of other sources (`sum … equals`). Each from what the
/// project has so far: read_past(). Threading: one thread.
class Surroundings {
 public:
  /// Reads what the source's checks ask for; nothing where none asks. `file` is what the batch is
  /// read from: were it the source's own, it would be its own history. What `past` refers to lives
  /// as long. Errors: those of read_past; no_such_file for a source that has neither file nor log.
  static Result<Surroundings> read(const Past& past, int source, const std::string& file);

  /// The same of what checks of rows ask for alone.
  static Result<Surroundings> read_for_rows(const Past& past, int source);

  quality::KnownKeys known_keys() const;
  quality::BatchContext context(std::int64_t now_us) const;

 private:
  explicit Surroundings(const Past& past) : past_(past) {}
  Status read_keys(const define::Check& check);

  Past past_;
  std::map<std::string, std::unique_ptr<quality::KeyTimes>> keys_;  // by name of the check
  std::optional<quality::HourlyRows> history_;
};

}  // namespace coeval::ingest
