#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"

namespace coeval::cases {

/// One word of a table's row. Quoted words are text and nothing else: "null" is four letters.
struct Cell {
  std::string text;
  bool quoted = false;
};

/// "n:int32!": name, type, and ! for a column that is never null.
struct Heading {
  std::string name;
  data::Type type = data::Type::string;
  bool nullable = true;
};

struct Row {
  int line = 0;
  std::vector<Cell> cells;
};

/// The events of one source, as they stand in the file.
struct EventTable {
  std::string source;
  std::vector<Heading> columns;  ///< ts first; `known` second where it is given
  std::vector<Row> rows;
  bool has_known() const { return columns.size() > 1 && columns[1].name == "known"; }
};

/// Questions: their own columns, then what the answer must be.
struct AskTable {
  int line = 0;                  ///< 0: the case asks nothing
  std::vector<Heading> columns;  ///< at first
  std::vector<std::string> features;
  std::vector<Row> rows;
};

/// A definition that must be refused: an error with this code whose text has all these parts.
struct Refusal {
  int line = 0;
  std::string code;
  std::vector<std::string> parts;
};

/// How many events a view must have left outside, as too late. (semantics: T6)
struct Dropped {
  int line = 0;
  std::string view;
  std::int64_t count = 0;
};

/// One case of a file; README.md tells the format.
struct Case {
  std::string file, title;
  int line = 0;
  std::vector<std::string> definition;  ///< lines of TOML as written
  std::vector<EventTable> events;
  AskTable ask;
  std::vector<Refusal> refusals;
  std::vector<Dropped> dropped;

  std::string place(int at) const { return file + ":" + std::to_string(at); }
};

/// Errors: bad_file with file and line.
Result<std::vector<Case>> read_cases(const std::string& path, std::string_view text);

/// The value of a cell. Numbers: decimal, hexadecimal floats, p/q (one division), nan, inf, -inf.
/// Timestamps: 2024-02-29T10:00[:00[.000001]], UTC; without a date the day is 2024-01-01.
/// Errors: type_mismatch.
Result<data::Value> read_value(const Cell& cell, data::Type type);

/// A value for a person: floats with the fewest digits and their bits in hexadecimal.
std::string show_value(const data::Value& value, data::Type type);

}  // namespace coeval::cases
