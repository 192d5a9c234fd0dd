#include "data/json_marks.h"

namespace coeval::data {

namespace {

std::size_t find(std::string_view text, std::uint32_t* marks) {
  std::size_t count = 0;
  bool in_string = false, escaped = false, closed = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool quote = c == '"' && !escaped;
    const bool ends = (c == ',' || c == '}') && !in_string && !closed;
    closed = quote && in_string;
    in_string = in_string != quote;
    if (closed || ends || c == '\\' || static_cast<unsigned char>(c) < 0x20)
      marks[count++] = static_cast<std::uint32_t>(at);
    escaped = c == '\\' && !escaped;
  }
  return count;
}

}  // namespace

const JsonMarks& plain_json_marks() {
  static const JsonMarks kPlain = {"plain", find};
  return kPlain;
}

}  // namespace coeval::data
