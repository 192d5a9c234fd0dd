#include "data/csv_marks.h"

namespace coeval::data {

namespace {

std::size_t find(std::string_view text, char delimiter, std::uint32_t* marks) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size(); ++at)
    if (text[at] == delimiter || text[at] == '"' || text[at] == '\n')
      marks[count++] = static_cast<std::uint32_t>(at);
  return count;
}

}  // namespace

const CsvMarks& plain_csv_marks() {
  static const CsvMarks kPlain = {"plain", find};
  return kPlain;
}

}  // namespace coeval::data
