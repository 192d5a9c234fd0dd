#include "define/text_pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <string>

#include "data/utf8.h"

namespace coeval::define {

namespace {

// A program that needs more is refused, and the automaton of a search is rebuilt rather than let
// grow beyond.
constexpr std::int64_t kMaxPatternMemory = 1 << 20;

// One character, or one byte that belongs to none.
std::string_view next_character(std::string_view text) {
  return text.substr(0, std::max<std::size_t>(1, data::utf8_sequence(text)));
}

std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(next_character(text).size());
  return count;
}

Status check_length(std::string_view pattern) {
  if (pattern.size() <= TextPattern::kMaxCharacters) return {};
  const std::size_t count = characters(pattern);
  if (count <= TextPattern::kMaxCharacters) return {};
  return fail(Code::bad_call, "a pattern has " + std::to_string(count) + " characters",
              "at most " + std::to_string(TextPattern::kMaxCharacters));
}

// Bytes, not characters: so `%` and `_` have a meaning over any bytes. A character is a byte that
// starts one, and the continuation bytes after it.
constexpr std::string_view kOneCharacter = "[^\\x80-\\xbf][\\x80-\\xbf]*";

Result<std::string> like_expression(std::string_view pattern,
                                    std::optional<std::string_view> escape) {
  std::string out;
  while (!pattern.empty()) {
    std::string_view next = next_character(pattern);
    pattern.remove_prefix(next.size());
    if (escape && next == *escape) {
      next = next_character(pattern);
      if (next != "%" && next != "_" && next != *escape)
        return fail(Code::bad_call, "an escape character stands before nothing that needs it",
                    "it goes before %, _ or itself");
      pattern.remove_prefix(next.size());
    } else if (next == "%" || next == "_") {
      out += next == "%" ? ".*" : kOneCharacter;
      continue;
    }
    out += re2::RE2::QuoteMeta(re2::StringPiece(next.data(), next.size()));
  }
  return out;
}

}  // namespace

struct TextPattern::Compiled {
  re2::RE2 expression;
  re2::RE2::Anchor anchor;
};

TextPattern::TextPattern(std::unique_ptr<Compiled> compiled) : compiled_(std::move(compiled)) {}
TextPattern::~TextPattern() = default;

Result<std::shared_ptr<const TextPattern>> TextPattern::regular(std::string_view pattern) {
  COEVAL_TRY(check_length(pattern));
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kMaxPatternMemory);
  auto compiled = std::unique_ptr<Compiled>(new Compiled{
      re2::RE2(re2::StringPiece(pattern.data(), pattern.size()), options), re2::RE2::UNANCHORED});
  if (!compiled->expression.ok())
    return fail(Code::bad_call, "not a regular expression: " + compiled->expression.error(),
                "RE2 syntax, such as '^[A-Z]{2}[0-9]+$'");
  return std::shared_ptr<const TextPattern>(new TextPattern(std::move(compiled)));
}

Result<std::shared_ptr<const TextPattern>> TextPattern::like(
    std::string_view pattern, std::optional<std::string_view> escape) {
  COEVAL_TRY(check_length(pattern));
  if (escape && (escape->empty() || next_character(*escape).size() != escape->size()))
    return fail(Code::bad_call, "'escape' takes one character", "such as escape '!'");
  COEVAL_ASSIGN(const std::string expression, like_expression(pattern, escape));
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_dot_nl(true);
  options.set_max_mem(kMaxPatternMemory);
  auto compiled =
      std::unique_ptr<Compiled>(new Compiled{re2::RE2(expression, options), re2::RE2::ANCHOR_BOTH});
  if (!compiled->expression.ok())
    return fail(Code::bad_call, "the pattern needs too much memory", "shorten it");
  return std::shared_ptr<const TextPattern>(new TextPattern(std::move(compiled)));
}

bool TextPattern::matches(std::string_view text) const {
  return compiled_->expression.Match(re2::StringPiece(text.data(), text.size()), 0, text.size(),
                                     compiled_->anchor, nullptr, 0);
}

}  // namespace coeval::define
