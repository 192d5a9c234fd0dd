#pragma once

#include <cstddef>
#include <string>

#include "data/column.h"
#include "data/hash.h"

namespace coeval::quality {

/// Adds a value of a key's column to the text whose hash tells keys apart: equal values of one type
/// give equal text, and no two texts one after another can be taken for two others. False for a
/// null, which is no key.
bool append_key(std::string& text, const data::Column& column, std::int64_t row);

struct KeyHash {
  std::size_t operator()(data::Hash128 key) const { return key.low; }
};

}  // namespace coeval::quality
