#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/json.h"
#include "data/text_tables.h"

namespace coeval::data {

/// Types the lines of JSON lines, one object each. Plain and with every fault told; the decoder of
/// large files (jsonl_decoder.cc) asks it about whatever it does not see at a glance.
class JsonlRows {
 public:
  /// Both must outlive it.
  JsonlRows(const Schema& schema, std::span<const std::string> as_text);

  /// Reads a line into values(). False where something is wrong with it.
  bool read(std::string_view line, std::int64_t number);
  std::span<const Value> values() const { return values_; }
  /// The line that was read last, which could not be.
  BadTextRow bad_row(std::string_view line, std::int64_t number, std::uint64_t offset);

  static std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  static bool is_blank(std::string_view line) {
    return line.find_first_not_of(" \t") == std::string_view::npos;
  }
  /// What of the text the values of its columns need.
  const JsonTexts& texts() const { return texts_; }

 private:
  void read_member(const Json& row, std::size_t column);

  const Schema& schema_;
  JsonParser parser_;
  JsonTexts texts_;
  std::vector<Value> values_;  // one row, complete before any of it is used
  std::string fault_;          // of the line as a whole
  std::vector<BadCell> bad_cells_;
};

}  // namespace coeval::data
