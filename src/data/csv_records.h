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
  std::size_t fault_at = 0;     ///< the byte of `raw` where, and the field it is in
  std::size_t fault_field = 0;
};

/// Cuts RFC 4180 text into records, by the book: fields stand between delimiters. Lines end in LF
/// or CRLF; the last may lack it. A record with a quote in a wrong place carries a fault and ends
/// where its line ends.
class CsvScanner {
 public:
  /// `first_line` is the number, in its file, of the line that `text` begins with.
  explicit CsvScanner(std::string_view text, char delimiter = ',', std::int64_t first_line = 1)
      : text_(text), delimiter_(delimiter), line_(first_line) {}
  /// False at the end of the text, and when a quoted field is never closed: see
  /// unterminated_line().
  bool next(CsvRecord& record);
  /// The line on which a quote opens that nothing closes; 0 if there is none.
  std::int64_t unterminated_line() const { return unterminated_line_; }
  /// The byte of the text where it stands, and the number of its field in its record.
  std::size_t unterminated_at() const { return unterminated_at_; }
  std::size_t unterminated_field() const { return unterminated_field_; }
  /// Bytes of the text that the records so far took, line ends included, and the next one's line.
  std::size_t taken() const { return at_; }
  std::int64_t line() const { return line_; }

 private:
  bool field(CsvRecord& record);
  bool quoted_field(CsvRecord& record, CsvField& out);
  void plain_field(CsvRecord& record, CsvField& out);
  bool at_line_end() const;
  void take_line_end();
  void wrong(CsvRecord& record, const char* fault) const;

  std::string_view text_;
  char delimiter_;
  std::size_t at_ = 0, record_at_ = 0;
  std::int64_t line_;
  std::int64_t unterminated_line_ = 0;
  std::size_t unterminated_at_ = 0, unterminated_field_ = 0;
};

}  // namespace coeval::data
