#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.h"
#include "data/column.h"
#include "data/text_tables.h"

namespace coeval::data {

/// One cell of a text table on its way into a column: as Value, but strings stay in the text.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string_view>;

/// Reads the text of a CSV field as the declared type, all of it or not at all: no spaces around,
/// no thousands separators. (semantics: V1) Floats may be nan and inf in their usual spellings.
/// Errors: type_mismatch, out_of_range.
Result<Cell> parse_cell(std::string_view text, Type type);

void append_cell(ColumnBuilder& builder, const Cell& cell);
Value to_value(const Cell& cell);
/// The reason of each, on one line.
std::string reasons_of(std::span<const BadCell> cells);

}  // namespace coeval::data
