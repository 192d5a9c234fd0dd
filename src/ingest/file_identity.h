#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace coeval::ingest {

/// What tells whether a file is the one that it was.
struct FileStamp {
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
/// Errors: no_such_file, io.
Result<FileStamp> stamp_of(const std::string& path);

/// The first bytes of a file: their SHA-256, and the lines in them.
struct Prefix {
  std::string sha256;
  std::int64_t lines = 0;
  /// Whether the last of them ends a line, or only what follows does, or it was cut within one.
  enum class End { line, before_line_end, within_line };
  End end = End::within_line;
};
/// Errors: no_such_file, io.
Result<Prefix> prefix_of(const std::string& path, std::uint64_t bytes);

/// Whether two files are there and begin with the same bytes, as far as a first look tells: at most
/// `bytes` of them, and few.
bool begin_alike(const std::string& a, const std::string& b, std::uint64_t bytes);

/// Whether the name says CSV or JSON lines that are not packed: such files may grow at their end.
bool may_grow(const std::string& path);
/// The names of the columns of a CSV file, as its first line has them; of other files nothing.
std::string csv_header(const std::string& path);

}  // namespace coeval::ingest
