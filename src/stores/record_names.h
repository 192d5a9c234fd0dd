#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/column.h"

namespace coeval::stores {

/// The number that stands for a source's name in a log record: the low 32 bits of XXH3-64 of the
/// name.
std::uint32_t source_tag(std::string_view source_name);

/// The number that stands for a schema in a log record: the low 32 bits of XXH3-64 of
/// schema_text(). A row of the log is decoded only by a schema with the record's tag.
std::uint32_t schema_tag(const data::Schema& schema);

/// A tag as messages and files show it: eight hexadecimal digits.
std::string tag_text(std::uint32_t tag);

/// One line a field: name, a tab, type, and "?" when nullable. The order of fields matters, as it
/// does to data::encode_row. Changing this text makes every logged row unreadable: a test pins it.
std::string schema_text(const data::Schema& schema);

}  // namespace coeval::stores
