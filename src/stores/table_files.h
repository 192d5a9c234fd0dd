#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/text_tables.h"
#include "stores/byte_source.h"

namespace coeval::stores {

/// Reads a table in batches. What is held of a file at a time is bounded: see ReadOptions.
/// Threading: one thread.
class TableReader {
 public:
  virtual ~TableReader() = default;
  virtual const data::Schema& schema() const = 0;
  /// Rows of the whole table, or -1 where only reading it to its end can tell: text, streams.
  virtual std::int64_t rows() const = 0;
  /// The next batch. The end is a batch without rows when there are no bad_rows() beside it: a
  /// piece of a text may hold bad rows only (at_end() says it in one word). Errors: bad_file; for
  /// text bad_csv too, where nothing behind the place can be read.
  virtual Result<data::Batch> next() = 0;
  /// Text formats: where the rows of the latest batch lie in the text, and the rows that could not
  /// be typed, which are in no batch: those between the batch before and this one's end. Empty for
  /// typed formats. Lives until the next call of next(); a copy is cheap and shares the text.
  virtual const data::TextPlaces& places() const {
    static const data::TextPlaces kNone;
    return kNone;
  }
  std::span<const data::BadTextRow> bad_rows() const { return places().bad; }
  /// Per row of the latest batch its 1-based line.
  std::span<const std::int64_t> lines() const { return places().lines; }
  bool at_end(const data::Batch& latest) const { return latest.rows == 0 && bad_rows().empty(); }
  /// Bytes read so far of the file, packed as it is, and those it has; 0 where they are not known.
  virtual std::uint64_t bytes_read() const { return 0; }
  virtual std::uint64_t bytes_total() const { return 0; }
};

/// Opens the bytes of a path; a caller may hash or count what passes by.
using OpenBytes = std::function<Result<std::unique_ptr<ByteSource>>(const std::string& path)>;

/// Writes a table. The file appears under its name only when close() has succeeded (temporary name,
/// fsync, rename); dropping the writer leaves nothing.
class TableWriter {
 public:
  virtual ~TableWriter() = default;
  virtual Status write(const data::Batch& batch) = 0;
  virtual Status close() = 0;
};

struct ReadOptions {
  std::vector<std::string> columns;  ///< empty = all; order as given
  bool code_strings = true;  ///< string columns arrive dictionary-coded where the format can
  std::int64_t batch_rows = 1 << 17;
  int threads = 2;
  /// Text formats carry no types: the columns to read must be declared here. Others ignore it.
  std::optional<data::Schema> schema;
  /// JSON lines: string columns whose value may also be an object or array, taken as its text.
  std::vector<std::string> json_columns;
  /// Text is read in pieces of so many bytes; no batch reaches over the end of a piece.
  std::size_t window_bytes = std::size_t{8} << 20;
  /// A line or record that is longer is a bad row, and is never held whole.
  std::size_t max_record_bytes = std::size_t{16} << 20;
  /// CSV: what stands between fields; a comma, a semicolon, a tab or '|'.
  char delimiter = ',';
  /// Text and streams of Arrow: opens the file; empty = open_bytes(), which unpacks gzip and zstd.
  OpenBytes open_bytes;
};
struct WriteOptions {
  /// 0 is quick and large; above it zstd's levels. (docs/adr/0002)
  int compression_level = 0;
  int threads = 2;
  /// What the file says of itself, by key: Parquet's key-value metadata. Other formats have no
  /// place for it.
  std::vector<std::pair<std::string, std::string>> metadata{};
};

/// A file format. Parquet lives in adapters/parquet, loaded on first use.
class TableFiles {
 public:
  virtual ~TableFiles() = default;
  /// "-" is standard input, for formats that are read in one direction. Errors: no_such_file,
  /// bad_file (truncated, checksum), unknown_key for a missing column, unsupported for a column
  /// type that V1 does not have.
  virtual Result<std::unique_ptr<TableReader>> open(const std::string& path,
                                                    const ReadOptions& options) = 0;
  virtual Result<std::unique_ptr<TableWriter>> create(const std::string& path,
                                                      const data::Schema& schema,
                                                      const WriteOptions& options) = 0;
  /// The names of all columns of a typed table, those among them whose type open() refuses. Errors:
  /// those of open().
  virtual Result<std::vector<std::string>> column_names(const std::string& path) {
    COEVAL_ASSIGN(const auto reader, open(path, {}));
    std::vector<std::string> names;
    for (const data::Field& field : reader->schema().fields) names.push_back(field.name);
    return names;
  }
};

}  // namespace coeval::stores
