#include "ingest/side_hash.h"

#include <doctest/doctest.h>

#include <string>

#include "data/hash.h"
#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::ingest {

TEST_CASE("a file is hashed while others read it, as it is alone") {
  const stores::TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{3} << 20}) {
    const std::string path = folder.path() + "/rows", bytes(size, 'x');
    REQUIRE(stores::write_file_atomically(path, bytes));
    SideHash hash(path);
    const auto found = hash.hex();
    REQUIRE(found.has_value());
    CHECK(*found == data::sha256_hex(bytes));
    SideHash nobody_asks(path);
  }
}

TEST_CASE("a file that is not there, and one that is none, fail when they are asked for") {
  const stores::TemporaryFolder folder;
  SideHash absent(folder.path() + "/absent"), is_folder(folder.path());
  const auto found = absent.hex();
  REQUIRE_FALSE(found.has_value());
  CHECK(found.error().code == Code::no_such_file);
  CHECK_FALSE(is_folder.hex().has_value());
}

}  // namespace coeval::ingest
