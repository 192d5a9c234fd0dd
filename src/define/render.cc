#include <algorithm>
#include <string>

#include "define/project.h"

namespace coeval::define {

namespace {

constexpr int kWidestLine = 120;

struct Paint {
  bool on;
  std::string operator()(const char* code, const std::string& text) const {
    return on ? std::string("\x1b[") + code + "m" + text + "\x1b[0m" : text;
  }
  std::string problem(const std::string& text) const { return (*this)("1;31", text); }
  std::string frame(const std::string& text) const { return (*this)("1;34", text); }
};

// One line of the file as code points, with nothing in it that a terminal would obey.
std::vector<std::string> line_characters(const std::string& source, int line) {
  std::size_t begin = 0;
  for (int i = 1; i < line && begin < source.size(); ++i) {
    const std::size_t newline = source.find('\n', begin);
    begin = newline == std::string::npos ? source.size() : newline + 1;
  }
  std::vector<std::string> characters;
  for (std::size_t i = begin; i < source.size() && source[i] != '\n' && source[i] != '\r'; ++i) {
    const auto byte = static_cast<unsigned char>(source[i]);
    if ((byte & 0xC0U) == 0x80U && !characters.empty())
      characters.back() += source[i];
    else
      characters.emplace_back(1, byte < 0x20 || byte == 0x7F ? ' ' : source[i]);
  }
  return characters;
}

// The part of a line around a column; long lines are cut on both sides.
struct Excerpt {
  std::string text;
  int caret = 0;  // 0-based
  int length = 1;
};

Excerpt excerpt(const std::vector<std::string>& characters, int column, int length) {
  const int size = static_cast<int>(characters.size());
  const int at = std::clamp(column - 1, 0, size);
  const int first =
      size <= kWidestLine ? 0 : std::clamp(at - kWidestLine / 3, 0, size - kWidestLine);
  const int last = std::min(size, first + kWidestLine);
  Excerpt out;
  for (int i = first; i < last; ++i) out.text += characters[static_cast<std::size_t>(i)];
  out.caret = at - first;
  if (first > 0) {
    out.text = "…" + out.text;
    ++out.caret;
  }
  if (last < size) out.text += "…";
  out.length = std::clamp(length, 1, std::max(1, last - at));
  return out;
}

}  // namespace

std::string render(const Error& error, const std::string& source, bool colour) {
  const Paint paint{colour};
  std::string text =
      paint.problem("error[" + code_name(error.code) + "]") + ": " + error.message + "\n";
  const SourcePosition& place = error.position;
  std::string number = std::to_string(std::max(place.line, 0));
  const std::string margin(number.size(), ' ');
  if (place.line > 0) {
    text += margin + paint.frame("--> ") + place.file + ":" + number + ":" +
            std::to_string(place.column) + "\n";
    const auto characters = line_characters(source, place.line);
    if (!characters.empty()) {
      const Excerpt part = excerpt(characters, place.column, place.length);
      text += margin + " " + paint.frame("|") + "\n";
      text += paint.frame(number + " |") + " " + part.text + "\n";
      text += margin + " " + paint.frame("|") + " " +
              std::string(static_cast<std::size_t>(part.caret), ' ') +
              paint.problem(std::string(static_cast<std::size_t>(part.length), '^')) + "\n";
    }
  }
  for (const auto& context : error.context) text += margin + " = note: " + context + "\n";
  if (!error.advice.empty()) text += margin + " = help: " + error.advice + "\n";
  return text;
}

}  // namespace coeval::define
