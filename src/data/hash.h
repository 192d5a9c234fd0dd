#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::data {

/// SHA-256, for identities that a person compares: recipe ids, bits ids, file hashes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256& update(std::string_view bytes);
  /// Lower-case hex of 64 digits; ends the computation.
  std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
/// Errors: no_such_file, io.
Result<std::string> sha256_of_file(const std::string& path);

/// XXH3-128, for speed: hash maps of keys, change detection.
struct Hash128 {
  std::uint64_t low = 0, high = 0;
  friend bool operator==(Hash128, Hash128) = default;
};
Hash128 xxh3_128(std::string_view bytes);
std::uint64_t xxh3_64(std::string_view bytes, std::uint64_t seed = 0);

/// CRC32C (Castagnoli) of `bytes` continuing from `crc` (0 to start). SSE4.2 where the machine has
/// it.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace coeval::data
