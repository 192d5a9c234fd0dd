#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "stores/run_columns.h"
#include "stores/run_store.h"

namespace coeval::stores {

/// The kind or state that a database's word says. Errors: metadata for any other word.
Result<RunKind> run_kind(const std::string& word);
Result<RunState> run_state(const std::string& word);

/// The lines of a list, in the order of `runs`, with the fields `wanted` as their values. A long
/// list is read by column, a short one value by value: whichever is quicker. Errors: metadata.
Result<std::vector<RunRow>> run_rows(std::span<const std::int64_t> runs,
                                     const std::vector<std::string>& wanted, RunColumns& columns);

}  // namespace coeval::stores
