#include "quality/pattern_syntax.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "data/utf8.h"

namespace coeval::quality {

namespace {

using Kind = Pattern::Kind;
using Assertion = Pattern::Assertion;
using Range = CodePoints::Range;

constexpr int kMaxDepth = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_octal(char c) { return c >= '0' && c <= '7'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Classes by name, of ASCII all.
struct NamedClass {
  std::string_view name;
  std::array<Range, 4> members;
  std::size_t count;
};

constexpr std::array<NamedClass, 14> kPosixClasses = {{
    {"alnum", {{{'0', '9'}, {'A', 'Z'}, {'a', 'z'}}}, 3},
    {"alpha", {{{'A', 'Z'}, {'a', 'z'}}}, 2},
    {"ascii", {{{0, 0x7F}}}, 1},
    {"blank", {{{'\t', '\t'}, {' ', ' '}}}, 2},
    {"cntrl", {{{0, 0x1F}, {0x7F, 0x7F}}}, 2},
    {"digit", {{{'0', '9'}}}, 1},
    {"graph", {{{'!', '~'}}}, 1},
    {"lower", {{{'a', 'z'}}}, 1},
    {"print", {{{' ', '~'}}}, 1},
    {"punct", {{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}}, 4},
    {"space", {{{'\t', '\r'}, {' ', ' '}}}, 2},
    {"upper", {{{'A', 'Z'}}}, 1},
    {"word", {{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}}, 4},
    {"xdigit", {{{'0', '9'}, {'A', 'F'}, {'a', 'f'}}}, 3},
}};
constexpr std::array<NamedClass, 3> kPerlClasses = {{
    {"d", {{{'0', '9'}}}, 1},
    {"s", {{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}}, 3},
    {"w", {{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}}, 4},
}};

template <std::size_t kCount>
std::optional<CodePoints> named(const std::array<NamedClass, kCount>& classes,
                                std::string_view name) {
  const auto found = std::ranges::find(classes, name, &NamedClass::name);
  if (found == classes.end()) return std::nullopt;
  CodePoints members;
  for (std::size_t i = 0; i < found->count; ++i) members.add(found->members[i]);
  return members;
}

// Both cases of ASCII's letters, and the two characters beyond that fold to such.
CodePoints folded_ascii(const CodePoints& points) {
  CodePoints all = points;
  for (std::uint32_t lower = 'a'; lower <= 'z'; ++lower) {
    const std::uint32_t upper = lower - 0x20;
    if (!points.contains(lower) && !points.contains(upper)) continue;
    all.add({lower, lower});
    all.add({upper, upper});
  }
  if (all.contains('k')) all.add({0x212A, 0x212A});  // the sign of kelvin
  if (all.contains('s')) all.add({0x17F, 0x17F});    // the long s
  return all;
}

std::string escaped(std::uint32_t point) {
  std::string digits;
  for (; point != 0 || digits.empty(); point >>= 4) digits += "0123456789abcdef"[point & 15];
  std::ranges::reverse(digits);
  return "\\x{" + digits + "}";
}

class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : rest_(pattern) {}

  std::optional<Pattern> read() {
    Pattern whole = choice(0);
    if (failed_ || !rest_.empty()) return std::nullopt;
    return whole;
  }

 private:
  struct Flags {
    bool fold = false;     ///< i
    bool lines = false;    ///< m: ^ and $ hold at lines' ends too
    bool dot_all = false;  ///< s
  };

  // --- the text ---

  void fail() {
    failed_ = true;
    rest_ = {};
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::uint32_t take_point() {
    const std::size_t length = data::utf8_sequence(rest_);
    if (length == 0) return fail(), 0;
    constexpr std::array<std::uint8_t, 5> kLeadBits = {0, 0x7F, 0x1F, 0x0F, 0x07};
    std::uint32_t point = static_cast<unsigned char>(rest_[0]) & kLeadBits[length];
    for (std::size_t i = 1; i < length; ++i)
      point = point << 6 | (static_cast<unsigned char>(rest_[i]) & 0x3F);
    rest_.remove_prefix(length);
    return point;
  }

  // --- the structure ---

  Pattern choice(int depth) {
    if (depth > kMaxDepth) fail();
    Pattern all{.kind = Kind::choice};
    do all.parts.push_back(sequence(depth));
    while (take("|"));
    return all.parts.size() == 1 ? std::move(all.parts[0]) : std::move(all);
  }

  Pattern sequence(int depth) {
    Pattern all{.kind = Kind::sequence};
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') add_next(all.parts, depth);
    return all;
  }

  // What stands next, which may be a repeat of the last part or nothing but flags.
  void add_next(std::vector<Pattern>& parts, int depth) {
    std::uint32_t least = 0, most = 0;
    if (take_repeat(least, most)) return repeat_last(parts, least, most);
    switch (rest_[0]) {
      case '(':
        rest_.remove_prefix(1);
        return add_group(parts, depth);
      case '[':
        rest_.remove_prefix(1);
        return add_characters(parts, bracketed());
      case '.':
        rest_.remove_prefix(1);
        return add_characters(
            parts, flags_.dot_all ? CodePoints().inverse() : CodePoints({{'\n', '\n'}}).inverse());
      case '^':
        rest_.remove_prefix(1);
        return add_assertion(parts, flags_.lines ? Assertion::line_begin : Assertion::text_begin);
      case '$':
        rest_.remove_prefix(1);
        return add_assertion(parts, flags_.lines ? Assertion::line_end : Assertion::text_end);
      case '\\':
        return add_escaped(parts);
      default:
        return add_characters(parts, literal(take_point()));
    }
  }

  static void add_characters(std::vector<Pattern>& parts, CodePoints characters) {
    parts.push_back({.kind = Kind::characters, .characters = std::move(characters)});
  }
  static void add_assertion(std::vector<Pattern>& parts, Assertion assertion) {
    parts.push_back({.kind = Kind::assertion, .assertion = assertion});
  }

  void repeat_last(std::vector<Pattern>& parts, std::uint32_t least, std::uint32_t most) {
    if (parts.empty()) return fail();
    Pattern repeat{.kind = Kind::repeat, .least = least, .most = most};
    repeat.parts.push_back(std::move(parts.back()));
    parts.back() = std::move(repeat);
  }

  bool take_repeat(std::uint32_t& least, std::uint32_t& most) {
    if (take("*")) {
      most = Pattern::kEndless;
    } else if (take("+")) {
      least = 1, most = Pattern::kEndless;
    } else if (take("?")) {
      most = 1;
    } else if (!take_counts(least, most)) {
      return false;
    }
    take("?");
    return true;
  }

  // A brace that begins no counts stands for itself.
  bool take_counts(std::uint32_t& least, std::uint32_t& most) {
    std::string_view text = rest_;
    if (!text.starts_with('{')) return false;
    text.remove_prefix(1);
    if (!take_number(text, least)) return false;
    most = least;
    if (text.starts_with(',')) {
      text.remove_prefix(1);
      most = Pattern::kEndless;
      if (!text.starts_with('}') && !take_number(text, most)) return false;
    }
    if (!text.starts_with('}')) return false;
    text.remove_prefix(1);
    rest_ = text;
    return true;
  }
  static bool take_number(std::string_view& text, std::uint32_t& value) {
    if (text.empty() || !is_digit(text[0])) return false;
    if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) return false;
    for (value = 0; !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
      if (value >= 100'000'000) return false;
      value = value * 10 + static_cast<std::uint32_t>(text[0] - '0');
    }
    return true;
  }

  void add_group(std::vector<Pattern>& parts, int depth) {
    const Flags outside = flags_;
    if (take("?P<")) {
      const std::size_t end = rest_.find('>');
      if (end == std::string_view::npos) return fail();
      rest_.remove_prefix(end + 1);
    } else if (take("?")) {
      if (!take_flags()) return;
    }
    Pattern inner = choice(depth + 1);
    flags_ = outside;
    if (!take(")")) return fail();
    parts.push_back(std::move(inner));
  }

  // Flags, and whether they are of a group; otherwise they hold from here on.
  bool take_flags() {
    for (bool on = true; !rest_.empty();) {
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c == ':') return true;
      if (c == ')') return false;
      if (c == '-') on = false;
      if (c == 'i') flags_.fold = on;
      if (c == 'm') flags_.lines = on;
      if (c == 's') flags_.dot_all = on;
      if (std::string_view("-imsU").find(c) == std::string_view::npos) break;
    }
    return fail(), false;
  }

  // --- characters ---

  void add_escaped(std::vector<Pattern>& parts) {
    if (take("\\Q")) return add_quoted(parts);
    if (take("\\A")) return add_assertion(parts, Assertion::text_begin);
    if (take("\\z")) return add_assertion(parts, Assertion::text_end);
    if (take("\\b")) return add_assertion(parts, Assertion::word_boundary);
    if (take("\\B")) return add_assertion(parts, Assertion::no_word_boundary);
    if (take("\\C")) return parts.push_back({.kind = Kind::byte});
    if (auto members = escaped_class()) return add_characters(parts, std::move(*members));
    add_characters(parts, literal(take_escaped_point()));
  }

  void add_quoted(std::vector<Pattern>& parts) {
    while (!rest_.empty() && !take("\\E")) add_characters(parts, literal(take_point()));
  }

  CodePoints literal(std::uint32_t point) {
    if (!flags_.fold) return {{point, point}};
    if (point < 0x80) return folded_ascii({{point, point}});
    return ask_tables("(?i)" + escaped(point));
  }

  // The members that an item of a class stands for, in both cases if need be.
  CodePoints folded(const CodePoints& points) {
    if (!flags_.fold) return points;
    if (points.is_ascii()) return folded_ascii(points);
    CodePoints all;
    for (const Range range : points.ranges())
      all.add(ask_tables("(?i)[" + escaped(range.first) + "-" + escaped(range.last) + "]"));
    return all;
  }

  CodePoints ask_tables(const std::string& expression) {
    const CodePoints* members = unicode_.matching(expression);
    if (members == nullptr) return fail(), CodePoints();
    return *members;
  }

  CodePoints bracketed() {
    const bool inverse = take("^");
    CodePoints all;
    for (bool first = true; !rest_.empty() && (rest_[0] != ']' || first); first = false)
      all.add(class_item());
    if (!take("]")) fail();
    return inverse ? all.inverse() : all;
  }

  CodePoints class_item() {
    if (auto members = posix_class()) return *members;
    if (auto members = escaped_class()) return *members;
    Range range;
    range.first = range.last = class_point();
    if (rest_.starts_with('-') && rest_.size() > 1 && rest_[1] != ']') {
      rest_.remove_prefix(1);
      range.last = class_point();
    }
    if (range.last < range.first) return fail(), CodePoints();
    return folded({range});
  }
  std::uint32_t class_point() {
    return rest_.starts_with('\\') ? take_escaped_point() : take_point();
  }

  // "[:name:]", which stands for itself if it does not end.
  std::optional<CodePoints> posix_class() {
    if (!rest_.starts_with("[:")) return std::nullopt;
    const std::size_t end = rest_.find(":]", 2);
    if (end == std::string_view::npos) return std::nullopt;
    std::string_view name = rest_.substr(2, end - 2);
    const bool inverse = name.starts_with('^');
    if (inverse) name.remove_prefix(1);
    rest_.remove_prefix(end + 2);
    const auto members = named(kPosixClasses, name);
    if (!members) return fail(), CodePoints();
    return inverse ? folded(*members).inverse() : folded(*members);
  }

  // Perl's classes and Unicode's.
  std::optional<CodePoints> escaped_class() {
    if (rest_.size() < 2 || rest_[0] != '\\') return std::nullopt;
    const char name = rest_[1];
    if (name == 'p' || name == 'P') return unicode_class();
    const bool inverse = name == 'D' || name == 'S' || name == 'W';
    const char lower = static_cast<char>(inverse ? name | 0x20 : name);
    const auto members = named(kPerlClasses, {&lower, 1});
    if (!members) return std::nullopt;
    rest_.remove_prefix(2);
    return inverse ? folded(*members).inverse() : folded(*members);
  }

  CodePoints unicode_class() {
    const std::string_view from = rest_;
    rest_.remove_prefix(2);
    if (rest_.starts_with('{'))
      rest_.remove_prefix(std::min(rest_.find('}'), rest_.size() - 1) + 1);
    else
      take_point();
    const std::string text(from.substr(0, from.size() - rest_.size()));
    return failed_ ? CodePoints() : ask_tables((flags_.fold ? "(?i)" : "") + text);
  }

  // A character by an escape: punctuation, a control character, octal or hexadecimal digits.
  std::uint32_t take_escaped_point() {
    rest_.remove_prefix(1);
    if (rest_.empty()) return fail(), 0;
    const char c = rest_[0];
    if (is_octal(c)) return take_octal();
    rest_.remove_prefix(1);
    constexpr std::string_view kLetters = "afnrtv", kControls = "\a\f\n\r\t\v";
    if (const auto at = kLetters.find(c); at != std::string_view::npos)
      return static_cast<std::uint32_t>(kControls[at]);
    if (c == 'x') return take_hexadecimal();
    if (is_word(c) || static_cast<unsigned char>(c) >= 0x80) fail();
    return static_cast<unsigned char>(c);
  }

  std::uint32_t take_octal() {
    std::uint32_t point = 0;
    const bool zero = rest_[0] == '0';
    std::size_t digits = 0;
    for (; digits < 3 && !rest_.empty() && is_octal(rest_[0]); ++digits) {
      point = point * 8 + static_cast<std::uint32_t>(rest_[0] - '0');
      rest_.remove_prefix(1);
    }
    if (digits == 1 && !zero) fail();  // a reference to a group
    return point;
  }

  std::uint32_t take_hexadecimal() {
    const bool braces = take("{");
    std::uint32_t point = 0;
    std::size_t digits = 0;
    for (; !rest_.empty() && hex_digit(rest_[0]) >= 0 && (braces || digits < 2); ++digits) {
      point = point * 16 + static_cast<std::uint32_t>(hex_digit(rest_[0]));
      rest_.remove_prefix(1);
      if (point > CodePoints::kLast) fail();
    }
    if (braces ? digits == 0 || !take("}") : digits != 2) fail();
    return point;
  }

  std::string_view rest_;
  Flags flags_;
  UnicodeClasses unicode_;
  bool failed_ = false;
};

}  // namespace

std::optional<Pattern> read_pattern(std::string_view pattern) {
  return PatternReader(pattern).read();
}

}  // namespace coeval::quality
