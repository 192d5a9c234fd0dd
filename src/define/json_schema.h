#pragma once

#include "data/json.h"

namespace coeval::define {

/// The JSON Schema (draft-07) of coeval.toml, for editors: tables, keys and kinds of values, with
/// the functions and aggregates that expressions may call in its descriptions. It knows names and
/// shapes; types, leaks and what a name refers to are the check's. Nothing that the check accepts
/// is refused by it.
data::Json json_schema();

}  // namespace coeval::define
