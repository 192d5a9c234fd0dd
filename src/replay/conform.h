#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/text_tables.h"
#include "define/project.h"
#include "quality/checks.h"

namespace coeval::replay {

/// Rows of a table, or of a part of one, in a source's types.
struct ConformedRows {
  data::Batch rows;  ///< of the source's schema; null where a value could not be read
  std::vector<quality::UnreadableValue> unreadable;  ///< ascending by row
  /// Per row its number in the table, or −1 − its number among the bad rows; empty: its own number.
  std::vector<std::int64_t> numbers;

  std::int64_t number(std::int64_t row) const {
    return numbers.empty() ? row : numbers[static_cast<std::size_t>(row)];
  }
};

/// Brings a table's columns to a source's schema: picks by name, narrows integers, widens none. A
/// value that does not fit is unreadable. Errors: unknown_key for a missing column,
/// type_mismatch, naming each column of another type.
Result<ConformedRows> conform(const data::Batch& table, const define::Source& source);

/// The same for rows of a text, with those of its bad rows among them, by line, in which single
/// fields could not be read. `lines`: per row of the table. Errors: also those of
/// data::concatenate.
Result<ConformedRows> conform(const data::Batch& table, std::span<const std::int64_t> lines,
                              std::span<const data::BadTextRow> bad, const define::Source& source);

}  // namespace coeval::replay
