#include "data/json_row_shape.h"

#include <algorithm>
#include <cstring>

namespace coeval::data {

void JsonRowShape::add(const Between& place, std::string_view bytes) {
  Between between = place;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::string_view word = bytes.substr(0, 8);
    std::memcpy(&between.words[i], word.data(), word.size());
    std::memset(&between.masks[i], 0xFF, word.size());
    bytes.remove_prefix(word.size());
  }
  between.rest = bytes;
  between_.push_back(std::move(between));
}

void JsonRowShape::learn(const char* text, const std::uint32_t* marks, std::size_t count,
                         std::span<const Member> members) {
  marks_ = 0;
  between_.clear();
  values_.clear();
  // marks[mark] + lead is where what lies before the next value begins.
  std::uint32_t mark = 0, lead = 1;
  for (const Member& member : members) {
    std::uint32_t next = mark + 1;
    while (next <= count && marks[next] < member.begin) ++next;
    if (next > count) return;
    const char end = text[marks[next]], first = text[member.begin];
    const bool ends = member.quoted ? end == '"' : end == ',' || end == '}';
    if (!ends || (!member.quoted && (first == '{' || first == '['))) return;
    const std::uint32_t begin = marks[mark] + lead;
    add({mark, lead, next - 1, marks[next - 1] - marks[mark], {}, {}, {}},
        {text + begin, member.begin - begin});
    values_.push_back({member.column, member.quoted, next - 1, member.begin - marks[next - 1]});
    mark = next;
    lead = 0;
  }
  std::uint32_t last = mark + 1;
  while (last <= count && text[marks[last]] != '\n') ++last;
  if (last > count) return;
  const std::uint32_t begin = marks[mark] + lead;
  add({mark, lead, last, marks[last] - marks[mark], {}, {}, {}},
      {text + begin, marks[last] + 1 - begin});
  carriage_ = text[marks[last] - 1] == '\r';
  marks_ = last;
}

}  // namespace coeval::data
