#include "quality/code_points.h"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <vector>

namespace coeval::quality {
namespace {

TEST_CASE("a set of code points holds what a set of numbers holds") {
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    CodePoints points;
    std::set<std::uint32_t> plain;
    for (int i = 0; i < 12; ++i) {
      const auto first = static_cast<std::uint32_t>(random() % 60);
      const auto last = first + static_cast<std::uint32_t>(random() % 6);
      points.add({first, last});
      for (auto p = first; p <= last; ++p) plain.insert(p);
    }
    const CodePoints others = points.inverse();
    for (std::uint32_t p = 0; p < 80; ++p) {
      REQUIRE(points.contains(p) == plain.contains(p));
      REQUIRE(others.contains(p) != plain.contains(p));
    }
    REQUIRE(others.inverse() == points);
    for (std::size_t i = 1; i < points.ranges().size(); ++i)
      REQUIRE(points.ranges()[i - 1].last + 1 < points.ranges()[i].first);
  }
  CHECK(CodePoints().inverse() == CodePoints({{0, CodePoints::kLast}}));
}

std::size_t texts_of(const CodePoints& points) {
  std::size_t all = 0;
  utf8_ranges(points, [&](std::span<const ByteRange> text) {
    std::size_t product = 1;
    for (const ByteRange range : text) product *= range.last - range.first + 1u;
    all += product;
  });
  return all;
}

TEST_CASE("each code point has one text, but the full range beyond ASCII has more") {
  for (const std::uint32_t last : {0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xFFFFu, 0x10000u, 0x10FFFEu})
    for (const std::uint32_t first : {0u, 0x41u, 0x7Fu})
      CHECK(texts_of({{first, last}}) == last - first + 1);
  CHECK(texts_of({{0x81, CodePoints::kLast}}) == CodePoints::kLast - 0x80);
  CHECK(texts_of({{0x80, CodePoints::kLast}}) == 30 * 64 + 16 * 64 * 64 + 5 * 64 * 64 * 64);
}

TEST_CASE("Unicode's tables answer a few questions") {
  UnicodeClasses classes;
  const CodePoints* members = classes.matching("(?i)s");
  REQUIRE(members != nullptr);
  CHECK(*members == CodePoints({{'S', 'S'}, {'s', 's'}, {0x17F, 0x17F}}));
  CHECK(*classes.matching("(?s).") == CodePoints({{0, CodePoints::kLast}}));
  CHECK(classes.matching("[^\\x00-\\x{10FFFF}]")->ranges().empty());
  for (int i = 0; i < 5; ++i)
    CHECK(classes.matching("\\x{10FFF" + std::to_string(i) + "}") != nullptr);
  CHECK(classes.matching("a") == nullptr);
  CHECK(classes.matching("(?i)s") != nullptr);  // it is known
}

}  // namespace
}  // namespace coeval::quality
