#include "quality/key_hash.h"

#include <string_view>

namespace coeval::quality {

using data::Type;

bool append_key(std::string& text, const data::Column& column, std::int64_t row) {
  if (column.is_null(row)) return false;
  if (column.type() == Type::boolean) {
    text += column.bit(row) ? '1' : '0';
    return true;
  }
  if (column.type() != Type::string) {
    const std::int64_t value = column.integer(row);
    text.append(reinterpret_cast<const char*>(&value), sizeof value);
    return true;
  }
  const std::string_view value = column.string(row);
  text += std::to_string(value.size()) + ':';
  text += value;
  return true;
}

}  // namespace coeval::quality
