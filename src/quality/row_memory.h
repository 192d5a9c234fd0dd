#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "quality/checks.h"
#include "quality/key_times.h"
#include "quality/last_values.h"

namespace coeval::quality {

/// What checks of rows remember of the rows before, for all sources of a project that takes rows in
/// one at a time: of `increasing` the last value of each key, of `refers` when each key of the
/// other source was known. A server fills it from files and log when it starts.
///
/// Memory: bounded by LastValues and KeyTimes, for each check. Threading: one thread.
class RowMemory {
 public:
  /// `project` outlives it. Errors: those of RowChecks::compile.
  static Result<std::unique_ptr<RowMemory>> create(const define::Project& project,
                                                   define::Environment environment);

  /// Whether any check asks for rows of this source.
  bool asks_for(int source) const;
  /// Rows of a source that are there, in order, with their known times. Where there are more keys
  /// than fit, checks that ask for them fail from then on, with that error.
  void remember(int source, const data::Batch& rows, std::span<const std::int64_t> known_us);
  /// For a check of rows of a source that are not there yet: it may see several in order, and
  /// whether they are let in is remember()'s to hear. Valid until the next call of either.
  RowContext context(int source, std::span<const std::int64_t> arrivals);

 private:
  struct Order {
    std::unique_ptr<RowChecks> checks;
    LastValues last;
  };
  // Keys of one column of a source, for one check.
  struct Keys {
    int source = -1, column = -1;
    KeyTimes times;
    Status full;
  };
  RowMemory() = default;

  std::map<int, Order> orders_;       // by source
  std::map<std::string, Keys> keys_;  // by source and column
  KnownKeys known_keys_;
  std::optional<LastValues> trial_;
};

}  // namespace coeval::quality
