#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/text_tables.h"

namespace coeval::stores {

/// Reads a table in batches. Threading: one thread.
class TableReader {
 public:
  virtual ~TableReader() = default;
  virtual const data::Schema& schema() const = 0;
  virtual std::int64_t rows() const = 0;
  /// The next batch, or an empty one (rows == 0) at the end. Errors: bad_file.
  virtual Result<data::Batch> next() = 0;
  /// Rows of a text format that could not be typed; they are in no batch. Empty for typed formats.
  virtual std::span<const data::BadTextRow> bad_rows() const { return {}; }
  /// Text formats: the 1-based line on which each row of the batches began, in batch order.
  virtual std::span<const std::int64_t> lines() const { return {}; }
};

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
};
struct WriteOptions {
  /// 0 is quick and large; above it zstd's levels. (docs/adr/0002)
  int compression_level = 0;
  int threads = 2;
};

/// A file format. Parquet lives in adapters/parquet, loaded on first use.
class TableFiles {
 public:
  virtual ~TableFiles() = default;
  /// Errors: no_such_file, bad_file (truncated, checksum), unknown_key for a missing column,
  /// unsupported for a column type that V1 does not have.
  virtual Result<std::unique_ptr<TableReader>> open(const std::string& path,
                                                    const ReadOptions& options) = 0;
  virtual Result<std::unique_ptr<TableWriter>> create(const std::string& path,
                                                      const data::Schema& schema,
                                                      const WriteOptions& options) = 0;
};

}  // namespace coeval::stores
