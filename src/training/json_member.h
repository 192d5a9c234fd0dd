#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "data/json.h"

namespace coeval::training {

/// Typed reads of one member of a worker's JSON files. Errors: bad_json, naming the key.
Result<std::int64_t> integer_member(const data::Json& json, std::string_view key);
Result<std::string> string_member(const data::Json& json, std::string_view key);
/// Written with a point or without.
Result<double> number_member(const data::Json& json, std::string_view key);
/// The array itself, which `json` owns.
Result<const data::Json::Array*> array_member(const data::Json& json, std::string_view key);

}  // namespace coeval::training
