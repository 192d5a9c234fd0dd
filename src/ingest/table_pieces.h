#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/text_tables.h"
#include "define/project.h"
#include "replay/history.h"
#include "stores/table_files.h"

namespace coeval::ingest {

/// Some rows of a file, in its order, with where they stand in it.
struct Piece {
  data::Batch table;           ///< as the file has them: not yet of the source's types
  std::int64_t first_row = 0;  ///< of the file, 0-based
  data::TextPlaces text;       ///< text formats: where the rows lie, and what is no row

  std::int64_t rows() const { return table.rows + static_cast<std::int64_t>(text.bad.size()); }
  /// Where a person finds a row: its line, or its number where the format has no lines.
  std::int64_t place(std::int64_t row) const {
    return text.lines.empty() ? first_row + row : text.lines[static_cast<std::size_t>(row)];
  }
  /// The row of a text that begins on a line; -1 when none does.
  std::int64_t row_on(std::int64_t line) const;
};

/// Hands the rows of a table on piece by piece; the next is read while one is used. Of a text only
/// what begins on `first_line` or behind it, where that is not 0. Errors: the format's; those of
/// `sink`, which end it.
Status read_pieces(const define::Source& source, const replay::OpenFormat& formats,
                   const std::string& path, std::int64_t first_line,
                   const std::function<Status(const Piece&)>& sink);

}  // namespace coeval::ingest
