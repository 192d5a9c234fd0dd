#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/column.h"

namespace coeval::data {

/// What append_row (row_codec.h) writes, of many rows column by column, which takes a fraction of
/// the time: first how many bytes each row of [begin, end) has, then the bytes, one row behind the
/// other, into memory that the caller has found for them.
void measure_rows(const Batch& batch, std::int64_t begin, std::int64_t end,
                  std::vector<std::size_t>& sizes);
/// `to` has room for all `sizes`, those of the rows from `begin` on.
void write_rows(char* to, const Batch& batch, std::int64_t begin,
                std::span<const std::size_t> sizes);

}  // namespace coeval::data
