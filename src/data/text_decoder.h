#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/text_tables.h"

namespace coeval::data {

/// Bytes behind a piece of text that a decoder may look at: all of them 0.
inline constexpr std::size_t kTextPadding = 64;
/// Pieces are shorter: places in them, and in the strings of a column, have 32 bits.
inline constexpr std::size_t kLargestPiece = (std::size_t{1} << 31) - 1;

struct TextOptions {
  char delimiter = ',';                   ///< CSV
  std::vector<std::string> json_columns;  ///< JSON lines: read_jsonl's `as_text`
  bool code_strings = false;              ///< strings that repeat arrive dictionary-coded
  /// A row that is longer, without its line end, is a bad row.
  std::size_t max_row_bytes = kLargestPiece;
};

/// Rows of one piece of a text.
struct TextRows {
  Batch batch;
  TextPlaces places;      ///< `text` and `text_offset` are the caller's to set
  std::size_t taken = 0;  ///< bytes of the piece that are done with
};

/// Types the rows of a text that comes in pieces: those of read_csv() and read_jsonl(), row by row,
/// value by value and fault by fault, whatever the pieces. Threading: one thread.
///
/// A piece is the text from where the last one's `taken` ended, at least as much as was there
/// before, with kTextPadding bytes of 0 behind it; `last` says that no text follows it.
class TextDecoder {
 public:
  virtual ~TextDecoder() = default;
  virtual const Schema& schema() const = 0;
  /// Takes what comes before the first row: a byte order mark, a header. Says how many bytes that
  /// was, or nothing as long as the piece does not hold all of it. Errors: those of read_csv().
  virtual Result<bool> begin(std::string_view piece, bool last, std::size_t& taken) = 0;
  /// Reads at most `rows` rows, good and bad. `taken` is 0 where the piece does not hold the end of
  /// a row: give it more, or skip(). Errors: bad_csv for a quote that is never closed, once all
  /// rows before it were given.
  virtual Result<TextRows> decode(std::string_view piece, bool last, std::int64_t rows) = 0;
  /// Passes over a row that is too long to be held: call it with its beginning, then with what
  /// follows, until `skipping` is over. The row comes back as a bad one, with its first bytes.
  /// Errors: as decode.
  virtual Result<TextRows> skip(std::string_view piece, bool last) = 0;
  virtual bool skipping() const = 0;
};

/// Both take the schema and options for as long as they live. Errors: unsupported, as
/// check_csv_types; bad_csv for a delimiter that cannot be one.
Result<std::unique_ptr<TextDecoder>> make_csv_decoder(Schema schema, TextOptions options);
std::unique_ptr<TextDecoder> make_jsonl_decoder(Schema schema, TextOptions options);

}  // namespace coeval::data
