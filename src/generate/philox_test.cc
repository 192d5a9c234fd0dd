#include "generate/philox.h"

#include <doctest/doctest.h>

#include <set>

namespace coeval::generate {
namespace {

// The vectors that the authors of Philox publish with Random123 (kat_vectors, philox4x32 10).
TEST_CASE("philox gives the answers that its authors published") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) ==
        PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("draws put the seed into the key and the purpose into the last word of the counter") {
  const Draws draws(0x299f31d0a4093822);
  CHECK(draws.at(static_cast<Purpose>(0x03707344), 0x243f6a88, 0x85a308d3, 0x13198a2e) ==
        PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  CHECK(draws.of(Purpose::user, 0x85a308d3243f6a88, 7) ==
        draws.at(Purpose::user, 0x243f6a88, 0x85a308d3, 7));
}

TEST_CASE("units lie within their ends, and below() reaches each of its numbers") {
  CHECK(to_unit(0) > 0);
  CHECK(to_unit(~0u) < 1);
  CHECK(to_unit(0, 0) > 0);
  CHECK(to_unit(~0u, ~0u) < 1);
  CHECK(to_unit(1u << 31, 0) > 0.5);
  CHECK(to_unit((1u << 31) - 1, ~0u) < 0.5);
  CHECK(below(0, 7) == 0);
  CHECK(below(~0u, 7) == 6);
  std::set<std::uint32_t> seen;
  for (std::uint32_t i = 0; i < 100; ++i) seen.insert(below(Draws(1).at(Purpose::user, i)[0], 7));
  CHECK(seen.size() == 7);
}

}  // namespace
}  // namespace coeval::generate
