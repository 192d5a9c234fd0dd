#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "data/hash.h"
#include "stores/table_files.h"

namespace coeval::ingest {

/// The hash of a file that is read from its beginning to its end, taken as its bytes pass: they are
/// not read again. Threading: one thread at a time.
class PassedHash {
 public:
  /// Opens a file as stores::open_bytes() does, and hashes it as it lies on the disk. For one file,
  /// from its beginning each time; the hash outlives what is opened.
  stores::OpenBytes opener();
  /// Whether the end was seen: only then is the hash that of the file.
  bool is_whole() const { return whole_; }
  std::string hex() { return hash_.hex(); }

 private:
  class Bytes;
  data::Sha256 hash_;
  bool whole_ = false;
};

}  // namespace coeval::ingest
