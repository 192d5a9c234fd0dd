#include "stores/request_record.h"

#include <doctest/doctest.h>

namespace coeval::stores {
namespace {

const RequestRecord kRecord{3, {0x0102030405060708, 9}, {10, 11}, 200, "{}"};

TEST_CASE("the bytes of a request are pinned") {
  const std::string bytes = encode(kRecord);
  // 1 version, 4 count, 32 hashes, 4 status, 4 length, 2 answer
  REQUIRE(bytes.size() == 47);
  CHECK(bytes.substr(0, 14) == std::string("\1\3\0\0\0\x8\7\6\5\4\3\2\1\x9", 14));
  CHECK(bytes.substr(37) == std::string("\xC8\0\0\0\2\0\0\0{}", 10));
}

TEST_CASE("a request is read back, and no other bytes are one") {
  const std::string bytes = encode(kRecord);
  const auto again = decode_request(bytes);
  REQUIRE(again);
  CHECK(*again == kRecord);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(decode_request(bytes.substr(0, size)).error().code == Code::bad_file);
  CHECK_FALSE(decode_request(bytes + "x"));
  CHECK_FALSE(decode_request("\2" + bytes.substr(1)));
}

}  // namespace
}  // namespace coeval::stores
