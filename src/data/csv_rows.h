#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/cell_text.h"
#include "data/column.h"
#include "data/csv_records.h"
#include "data/text_tables.h"

namespace coeval::data {

/// The field's text with doubled quotes made single; `room` holds it when it differs.
std::string_view unquoted(const CsvField& field, std::string& room);

/// Types the records of one CSV text: by its header, then one record after another. Plain and with
/// every fault told; the decoder of large files (csv_decoder.cc) asks it about whatever it does not
/// see at a glance. Offsets are bytes from the beginning of the text.
class CsvRows {
 public:
  /// The schema must outlive it.
  CsvRows(const Schema& schema, char delimiter);

  /// Finds the columns by name. Errors: bad_csv.
  Status read_header(const CsvRecord& record, std::uint64_t offset);
  /// What the text is when it has no first record. Errors: bad_csv, always.
  static std::unexpected<Error> no_header();
  /// Reads a record into cells(), which point into it. False where something is wrong with it.
  bool read(const CsvRecord& record, std::uint64_t offset);
  std::span<const Cell> cells() const { return cells_; }
  /// The record that was read last, which could not be, as it begins on `line`.
  BadTextRow bad_row(const CsvRecord& record, std::int64_t line, std::uint64_t offset);

  /// An empty line is a null in a table of one column, and nothing in a wider one.
  bool is_blank(const CsvRecord& record) const { return width() > 1 && record.raw.empty(); }
  /// Fields of the header.
  std::size_t width() const { return header_.size(); }
  /// For each column of the schema its field; kAbsent for a nullable one that the header lacks.
  static constexpr std::size_t kAbsent = SIZE_MAX;
  std::span<const std::size_t> places() const { return places_; }

  /// A quote that opens and is never closed. `offset` is that of the quote.
  std::unexpected<Error> unterminated(std::int64_t line, std::uint64_t offset,
                                      std::size_t field) const;
  /// The name of a field by the header.
  std::string field_name(std::size_t field) const;

 private:
  bool may_be_absent(const Field& field) const;
  Result<std::size_t> place_of(const std::string& column) const;
  std::unexpected<Error> no_column(const std::string& column) const;
  std::string wrong_width(const CsvRecord& record, std::uint64_t offset) const;
  void read_cell(const CsvRecord& record, std::uint64_t offset, std::size_t column);
  void find_byte_0(const CsvRecord& record, std::uint64_t offset);

  const Schema& schema_;
  char delimiter_;
  std::vector<std::string> header_;
  std::vector<std::size_t> places_;
  std::vector<Cell> cells_;         // one row, complete before any of it is used
  std::vector<std::string> rooms_;  // what cells_ points to when quotes were doubled
  std::string fault_;               // of the record as a whole
  std::vector<BadCell> bad_cells_;
};

}  // namespace coeval::data
