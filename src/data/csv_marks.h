#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Where the structure of a CSV text is: the first pass of its decoder.

namespace coeval::data {

/// Finds the delimiters, quotes and line feeds of a text.
struct CsvMarks {
  const char* name;  ///< of the instruction set
  /// Their places go to `marks`, ascending, which has room for text.size() + 64; says how many. The
  /// text is shorter than 4 GiB.
  std::size_t (*find)(std::string_view text, char delimiter, std::uint32_t* marks);
};

/// Byte by byte, on any machine.
const CsvMarks& plain_csv_marks();
/// One for each instruction set that this machine and build have, the plain one first.
std::span<const CsvMarks* const> all_csv_marks();
const CsvMarks& quickest_csv_marks();

}  // namespace coeval::data
