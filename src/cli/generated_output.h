#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "cli/context.h"
#include "stores/table_files.h"

namespace coeval::cli {

inline constexpr std::string_view kStandardOutput = "-";
inline constexpr std::string_view kNowhere = "/dev/null";

/// Whether rows that go there are in no file afterwards.
inline bool is_no_file(std::string_view out) { return out == kStandardOutput || out == kNowhere; }

/// Where `gen` writes: a file by its ending, standard output in context.in.format, or nowhere,
/// where rows are made and not even encoded. Errors: those of check_out; unsupported for an ending
/// that cannot be written; io.
Result<std::unique_ptr<stores::TableWriter>> open_generated(Context& context,
                                                            const std::string& out,
                                                            const data::Schema& schema);

}  // namespace coeval::cli
