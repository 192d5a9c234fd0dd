#include "define/expression_text.h"

#include <algorithm>

namespace coeval::define {

namespace {

// Characters, not bytes: columns are what an editor shows.
int code_points(std::string_view text) {
  return static_cast<int>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

}  // namespace

ExpressionText ExpressionText::of(const TomlValue& value) {
  return {value.text, value.text_position.value_or(value.position),
          value.text_position.has_value()};
}

SourcePosition ExpressionText::place(std::size_t begin, std::size_t end) const {
  if (!exact) return start;
  begin = std::min(begin, text.size());
  end = std::clamp(end, begin, text.size());
  const std::string_view before = std::string_view(text).substr(0, begin);
  const std::size_t newline = before.rfind('\n');
  SourcePosition place = start;
  if (newline == std::string_view::npos) {
    place.column += code_points(before);
  } else {
    place.line += static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    place.column = 1 + code_points(before.substr(newline + 1));
  }
  const std::string_view marked = std::string_view(text).substr(begin, end - begin);
  place.length = std::max(1, code_points(marked.substr(0, marked.find('\n'))));
  return place;
}

}  // namespace coeval::define
