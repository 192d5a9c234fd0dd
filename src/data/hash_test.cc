#include "data/hash.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <random>

#include "data/crc32c_paths.h"

namespace coeval::data {
namespace {

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  const std::string million(1'000'000, 'a');
  CHECK(sha256_hex(million) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 in pieces equals SHA-256 at once") {
  CHECK(Sha256().update("a").update("").update("bc").hex() == sha256_hex("abc"));
}

TEST_CASE("a file's SHA-256 is that of its bytes, and an absent file is named") {
  std::array<char, 32> folder{"/tmp/coeval-hash-XXXXXX"};
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string path = std::string(folder.data()) + "/bytes";
  const std::string bytes(3'000'000, 'x');
  std::ofstream(path) << bytes;
  CHECK(*sha256_of_file(path) == sha256_hex(bytes));
  REQUIRE(unlink(path.c_str()) == 0);
  const auto absent = sha256_of_file(path);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == Code::no_such_file);
  CHECK(absent.error().message.find(path) != std::string::npos);
  CHECK(sha256_of_file(folder.data()).error().code == Code::io);  // a folder
  rmdir(folder.data());
}

TEST_CASE("XXH3 gives the values that its specification publishes") {
  CHECK(xxh3_64("") == 0x2D06800538D394C2);
  CHECK(xxh3_128("") == Hash128{0x6001C324468D497F, 0x99AA06D3014798D8});
  CHECK(xxh3_64("a", 1) != xxh3_64("a", 2));
}

TEST_CASE("CRC32C gives the vectors of RFC 3720") {
  const std::string zeros(32, '\0'), ones(32, '\xFF');
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising += static_cast<char>(i);
    falling += static_cast<char>(31 - i);
  }
  const auto each = [&](auto crc) {
    CHECK(crc("123456789") == 0xE3069283);
    CHECK(crc("") == 0);
    CHECK(crc(zeros) == 0x8A9136AA);
    CHECK(crc(ones) == 0x62A8AB43);
    CHECK(crc(rising) == 0x46DD794E);
    CHECK(crc(falling) == 0x113FDB5C);
  };
  each([](std::string_view bytes) { return crc32c(bytes); });
  each([](std::string_view bytes) { return crc32c_by_table(bytes, 0); });
}

TEST_CASE("CRC32C goes on from any cut, by table and by instruction alike") {
  std::mt19937 random(7);
  std::string bytes(1000, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  const std::string_view all = bytes;
  const std::uint32_t whole = crc32c(all);
  for (std::size_t cut = 0; cut <= all.size(); cut += 1 + random() % 9) {
    REQUIRE(crc32c(all.substr(cut), crc32c(all.substr(0, cut))) == whole);
    REQUIRE(crc32c_by_table(all.substr(cut), crc32c_by_table(all.substr(0, cut), 0)) == whole);
    if (has_crc32c_instruction())
      REQUIRE(crc32c_by_instruction(all.substr(cut), 5) == crc32c_by_table(all.substr(cut), 5));
  }
}

}  // namespace
}  // namespace coeval::data
