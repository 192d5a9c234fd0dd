#include "data/hash.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"

namespace coeval::data {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  COEVAL_CHECK(state_->context != nullptr);
  COEVAL_CHECK(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

Sha256& Sha256::update(std::string_view bytes) {
  COEVAL_CHECK(state_ != nullptr);  // hex() has ended this computation
  COEVAL_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1);
  return *this;
}

std::string Sha256::hex() {
  COEVAL_CHECK(state_ != nullptr);
  std::array<unsigned char, 32> digest{};
  COEVAL_CHECK(EVP_DigestFinal_ex(state_->context, digest.data(), nullptr) == 1);
  state_.reset();
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) { return Sha256().update(bytes).hex(); }

namespace {

std::unexpected<Error> read_failed(int number, const std::string& path) {
  const Code code = number == ENOENT ? Code::no_such_file : Code::io;
  return fail(code, "cannot read '" + path + "': " + std::strerror(number));
}

struct OpenFile {
  explicit OpenFile(const std::string& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

}  // namespace

Result<std::string> sha256_of_file(const std::string& path) {
  const OpenFile file(path);
  if (file.fd < 0) return read_failed(errno, path);
  Sha256 hash;
  std::vector<char> chunk(1u << 20);
  for (;;) {
    const ssize_t size = ::read(file.fd, chunk.data(), chunk.size());
    if (size == 0) return hash.hex();
    if (size > 0)
      hash.update({chunk.data(), static_cast<std::size_t>(size)});
    else if (errno != EINTR)
      return read_failed(errno, path);
  }
}

Hash128 xxh3_128(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.low64, hash.high64};
}

std::uint64_t xxh3_64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace coeval::data
