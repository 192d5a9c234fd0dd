#include "ingest/side_hash.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "data/hash.h"
#include "stores/byte_source.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

// Of no use once it was told to stop.
Result<std::string> hash_of(const std::string& path, const std::stop_token& stop) {
  COEVAL_ASSIGN(const auto bytes, stores::open_raw_bytes(path));
  data::Sha256 hash;
  std::vector<char> chunk(kChunkBytes);
  while (!stop.stop_requested()) {
    COEVAL_ASSIGN(const std::size_t got, bytes->read(chunk));
    if (got == 0) break;
    hash.update({chunk.data(), got});
  }
  return hash.hex();
}

}  // namespace

SideHash::SideHash(std::string path) : path_(std::move(path)) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path_, none)) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { found_ = hash_of(path_, stop); });
}

Result<std::string> SideHash::hex() {
  if (!thread_.joinable()) return data::sha256_of_file(path_);
  thread_.join();
  return std::move(*found_);
}

}  // namespace coeval::ingest
