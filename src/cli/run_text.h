#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "stores/run_store.h"

namespace coeval::cli {

/// "0.78123", "NaN": six digits, for tables. JSON has all of them.
std::string metric_text(double value);
/// "2026-11-28T13:45:00Z", without the fraction.
std::string second_text(std::int64_t us);
/// Lines of columns as wide as they need to be.
std::vector<std::string> table(const std::vector<std::vector<std::string>>& rows);

/// A run with all that is known of it.
data::Json run_json(const stores::Run& run);
/// The same as lines of text.
std::vector<std::string> run_lines(const stores::Run& run);

/// The run that a person means: the beginning of an id, or the newest that made a version, as
/// late@v7. Errors: not_found; usage when several begin so.
Result<stores::Run> find_run(stores::RunStore& runs, const std::string& named);

/// What differs of two runs, and all their metrics.
data::Json comparison_json(const stores::Run& a, const stores::Run& b);
std::vector<std::string> comparison_lines(const stores::Run& a, const stores::Run& b);

}  // namespace coeval::cli
