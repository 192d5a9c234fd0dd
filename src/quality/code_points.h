#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace coeval::quality {

/// A set of code points, surrogates among them, as ascending ranges that do not touch.
class CodePoints {
 public:
  static constexpr std::uint32_t kLast = 0x10FFFF;
  struct Range {
    std::uint32_t first = 0, last = 0;
    friend bool operator==(const Range&, const Range&) = default;
  };

  CodePoints() = default;
  CodePoints(std::initializer_list<Range> ranges);

  /// Complexity: constant for what lies beyond the last range, otherwise linear in the ranges.
  void add(Range range);
  void add(const CodePoints& others);
  CodePoints inverse() const;
  bool contains(std::uint32_t point) const;
  bool is_ascii() const { return ranges_.empty() || ranges_.back().last < 0x80; }
  std::span<const Range> ranges() const { return ranges_; }
  friend bool operator==(const CodePoints&, const CodePoints&) = default;

 private:
  std::vector<Range> ranges_;
};

/// A range of bytes at one place of a text in UTF-8.
struct ByteRange {
  std::uint8_t first = 0, last = 0;
  friend auto operator<=>(const ByteRange&, const ByteRange&) = default;
};

/// Gives `take` the members' texts in UTF-8 as products of byte ranges, one to four bytes long.
/// As RE2 does it, the full range from U+0080 on is any lead byte with any continuation bytes, so
/// that overlong forms and the like are members too.
void utf8_ranges(const CodePoints& points,
                 const std::function<void(std::span<const ByteRange>)>& take);

/// Sets that only Unicode's tables know: RE2, which has the tables, is shown every code point.
class UnicodeClasses {
 public:
  /// The code points that `expression` matches, which must stand for one character, such as
  /// "\\p{Greek}" or "(?i)\\x{df}". Each new question takes some ten milliseconds, so that no more
  /// than kMaxQuestions are answered: nullptr then.
  const CodePoints* matching(const std::string& expression);

 private:
  static constexpr std::size_t kMaxQuestions = 8;
  std::string every_;  ///< all code points in order
  std::map<std::string, CodePoints> known_;
};

}  // namespace coeval::quality
