#include "define/nesting.h"

namespace coeval::define {

namespace {

// Skips the string that starts at `i`, counting lines; returns the offset after it.
std::size_t skip_string(std::string_view text, std::size_t i, int& line) {
  const char quote = text[i];
  const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
  const bool multi_line = text.substr(i).starts_with(triple);
  i += multi_line ? 3 : 1;
  while (i < text.size()) {
    if (text[i] == '\n') {
      if (!multi_line) return i;  // unterminated: the parser will say so
      ++line;
    }
    if (text[i] == '\\' && quote == '"') {
      i += i + 1 < text.size() && text[i + 1] != '\n' ? 2 : 1;
    } else if (text[i] == quote && (!multi_line || text.substr(i).starts_with(triple))) {
      i += multi_line ? 3 : 1;
      // A multi-line string may end with up to two quotes of its own before the closing three.
      for (int extra = 0; multi_line && extra < 2 && i < text.size() && text[i] == quote; ++extra)
        ++i;
      return i;
    } else {
      ++i;
    }
  }
  return i;
}

std::size_t skip_comment(std::string_view text, std::size_t i) {
  const std::size_t end = text.find('\n', i);
  return end == std::string_view::npos ? text.size() : end;
}

bool ends_key(char c) {
  return c == '\n' || c == '=' || c == ',' || c == '{' || c == '[' || c == ']';
}

}  // namespace

std::optional<int> line_of_deep_key(std::string_view toml) {
  int line = 1, parts = 1;
  for (std::size_t i = 0; i < toml.size();) {
    const char c = toml[i];
    if (c == '"' || c == '\'') {
      i = skip_string(toml, i, line);
      continue;
    }
    if (c == '#') {
      i = skip_comment(toml, i);
      continue;
    }
    if (ends_key(c)) parts = 1;
    if (c == '.' && ++parts > kMaxKeyParts) return line;
    if (c == '\n') ++line;
    ++i;
  }
  return std::nullopt;
}

}  // namespace coeval::define
