#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace coeval::data {

/// A field of a CSV record as it stands in the text.
struct CsvField {
  std::string_view text;  ///< without the outer quotes; "" still doubled when `doubled`
  bool quoted = false;
  bool doubled = false;
};

/// One record: a line, or several when quotes hold line breaks.
struct CsvRecord {
  std::vector<CsvField> fields;
  std::string_view raw;         ///< without the line end
  std::int64_t line = 0;        ///< 1-based line it begins on
  const char* fault = nullptr;  ///< what is malformed inside it, or null
};

/// Cuts RFC 4180 text into records. Lines end in LF or CRLF; the last may lack it. A record with a
/// quote in a wrong place carries a fault and ends where its line ends.
class CsvScanner {
 public:
  explicit CsvScanner(std::string_view text) : text_(text) {}
  /// False at the end of the text, and when a quoted field is never closed: see
  /// unterminated_line().
  bool next(CsvRecord& record);
  /// The line on which a quote opens that nothing closes; 0 if there is none.
  std::int64_t unterminated_line() const { return unterminated_line_; }

 private:
  bool field(CsvRecord& record);
  bool quoted_field(CsvRecord& record, CsvField& out);
  void plain_field(CsvRecord& record, CsvField& out);
  bool at_line_end() const;
  void take_line_end();

  std::string_view text_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
  std::int64_t unterminated_line_ = 0;
};

}  // namespace coeval::data
