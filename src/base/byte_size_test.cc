#include "base/byte_size.h"

#include <doctest/doctest.h>

namespace coeval {
namespace {

TEST_CASE("sizes have units of 1000 and of 1024") {
  CHECK(parse_bytes("4GB") == 4'000'000'000);
  CHECK(parse_bytes("3KiB") == 3072);
  CHECK(parse_bytes("17") == 17);
  for (const char* text : {"", "GB", "4 GB", "-4GB", "0MB", "4gb", "1.5GB", "99999999999TB"})
    CHECK_FALSE(parse_bytes(text));
}

}  // namespace
}  // namespace coeval
