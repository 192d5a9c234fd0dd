#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// Where the structure of a text of JSON lines is: the first pass of its decoder.

namespace coeval::data {

/// Finds what may end a value of a text that begins outside of strings: the quotes that end
/// strings, commas and closing braces outside of strings and not right behind such a quote, and
/// everywhere backslashes and control characters, line feeds among them.
struct JsonMarks {
  const char* name;  ///< of the instruction set
  /// Their places go to `marks`, ascending, which has room for text.size() + 64; says how many. The
  /// text is shorter than 4 GiB.
  std::size_t (*find)(std::string_view text, std::uint32_t* marks);
};

/// Byte by byte, on any machine.
const JsonMarks& plain_json_marks();
/// One for each instruction set that this machine and build have, the plain one first.
std::span<const JsonMarks* const> all_json_marks();
const JsonMarks& quickest_json_marks();

}  // namespace coeval::data
