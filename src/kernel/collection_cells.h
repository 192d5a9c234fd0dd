#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/collection.h"
#include "kernel/kernel.h"
#include "kernel/record_layout.h"
#include "kernel/string_table.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// The strings and lists of cells that were given out, kept for the one who asked, whatever becomes
/// of the events.
class AnsweredTexts {
 public:
  /// `strings` must outlive it.
  explicit AnsweredTexts(StringTable& strings) : strings_(&strings) {}

  Cell cell(const StringRef& string);
  /// A packed list.
  Cell cell_of_list(const std::string& bytes) {
    return cell(StringRef::adopt(strings_->take(bytes)));
  }
  /// Cells given out before are void from now on.
  void release();

 private:
  StringTable* strings_;
  std::vector<StringRef> answered_;
};

/// The answers of aggregates that are read from extremes: min, max, first, last, since, of all but
/// strings. (semantics: A7 V3)
Cell ordered_cell(const AggregatePlan& plan, const Extremes& extremes, std::int64_t at_us);

/// The answers of aggregates that are read from what was gathered. `counts`: of sketches, and of
/// lists that are too long. (semantics: A4 A7 V3)
Cell collection_cell(const AggregatePlan& plan, const Collection& collection, AnsweredTexts& texts,
                     EvaluationCounts& counts);

}  // namespace coeval::kernel
