#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::stores {

/// Bytes that are asked for piece by piece, in order: a file, standard input, what is packed in
/// them. Threading: one thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `into` from its beginning and says how many bytes it took; 0 is the end, and stays it.
  /// Fewer than asked for says nothing. `into` is not empty. Errors: io; bad_file for packed bytes
  /// that are damaged, cut short, or followed by others.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
  /// The path; "standard input" for "-".
  virtual const std::string& name() const = 0;
  /// Bytes taken of the underlying file, which for packed files are not those handed out: progress.
  virtual std::uint64_t bytes_read() const = 0;
  /// Bytes of the underlying file, or 0 when that cannot be known.
  virtual std::uint64_t bytes_total() const = 0;
};

/// The file as it lies on the disk; "-" is standard input. Errors: no_such_file, io.
Result<std::unique_ptr<ByteSource>> open_raw_bytes(const std::string& path);
/// A text that lives at least as long.
std::unique_ptr<ByteSource> bytes_of_text(std::string name, std::string_view text);
/// Unpacks `packed`, whose first bytes say how it is packed: gzip or zstd, members or frames one
/// after another; any other beginning is handed on as it is, unless `name` ends in .gz or .zst.
/// Memory is bounded: 32 KiB for gzip, and for zstd the window of the frame, at most 128 MiB.
/// Errors of open: bad_file when the ending promises a packing that is not there; io. Of read():
/// bad_file, with the byte of the packed file, for damage, a file that is cut short, bytes behind
/// the last member; unsupported for a zstd frame with a larger window.
Result<std::unique_ptr<ByteSource>> unpacked(std::unique_ptr<ByteSource> packed);
/// Both.
Result<std::unique_ptr<ByteSource>> open_bytes(const std::string& path);

/// The path without .gz or .zst: its ending tells the format.
std::string without_packing(const std::string& path);

}  // namespace coeval::stores
