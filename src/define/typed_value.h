#pragma once

#include <optional>

#include "data/value.h"
#include "define/document.h"

namespace coeval::define {

/// A value of a definition file as one of `type`; nothing where it does not fit: text where a
/// number is asked for, an integer that is none, a time where a date is. A float takes integers,
/// and is finite; float32 is not rounded. A decimal takes integers, numbers, and texts that spell
/// one.
std::optional<data::Value> typed_value(const TomlValue& value, data::Type type);

}  // namespace coeval::define
