#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace coeval::data {

/// How a line of JSON is built: what lies between its values, byte by byte, and where among the
/// marks (json_marks.h) each value is. Lines of one shape differ in their values alone.
///
/// Marks count from a text with kTextPadding bytes behind it; `marks[0]` is the one before a line,
/// the line feed that ends the line before.
class JsonRowShape {
 public:
  /// A value of a line.
  struct Value {
    int column = -1;         ///< what the key stands for; -1: nothing
    bool quoted = false;     ///< between quotes that are not part of it
    std::uint32_t mark = 0;  ///< the last mark before it
    std::uint32_t lead = 0;  ///< bytes from there to the value; it ends at the next mark
  };
  /// A value of a line that was read: where it begins, in the text.
  struct Member {
    int column = -1;
    bool quoted = false;
    std::uint32_t begin = 0;
  };

  bool is_known() const { return marks_ > 0; }
  /// Takes the shape of a line that is valid, with `count` marks behind marks[0]. Knows none where
  /// a value holds marks, or where the line's end is not among them.
  void learn(const char* text, const std::uint32_t* marks, std::size_t count,
             std::span<const Member> members);
  /// Marks of a line, its line feed among them.
  std::size_t marks() const { return marks_; }
  std::span<const Value> values() const { return values_; }
  /// Whether the line ends in a carriage return and a line feed.
  bool has_carriage() const { return carriage_; }
  /// Whether the line behind marks[0] has this shape; it has as many marks at least.
  bool fits(const char* text, const std::uint32_t* marks) const {
    for (const Between& between : between_) {
      const std::uint32_t mark = marks[between.mark];
      if (marks[between.end_mark] - mark != between.span) return false;
      if (!between.stands_at(text + static_cast<std::uint32_t>(mark + between.lead))) return false;
    }
    return true;
  }

 private:
  // What lies before, between, and behind values; up to sixteen bytes are compared as two words.
  struct Between {
    std::uint32_t mark = 0, lead = 0;      // it begins so many bytes behind the mark
    std::uint32_t end_mark = 0, span = 0;  // the last mark in it is so far behind that one
    std::uint64_t words[2] = {}, masks[2] = {};
    std::string rest;
    bool stands_at(const char* at) const {
      std::uint64_t found[2];
      std::memcpy(found, at, sizeof found);
      const std::uint64_t differ =
          ((found[0] ^ words[0]) & masks[0]) | ((found[1] ^ words[1]) & masks[1]);
      return differ == 0 &&
             (rest.empty() || std::memcmp(at + sizeof found, rest.data(), rest.size()) == 0);
    }
  };
  void add(const Between& place, std::string_view bytes);

  std::size_t marks_ = 0;
  bool carriage_ = false;
  std::vector<Between> between_;
  std::vector<Value> values_;
};

}  // namespace coeval::data
