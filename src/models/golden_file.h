#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::models {

/// A row as the model reads it, with what the model answered when it was built.
struct GoldenRow {
  std::vector<float> row;
  float margin = 0, score = 0;
};

/// golden.bin, little-endian:
///   "coevgold"          magic
///   u32 version = 1
///   u32 width, u32 rows
///   rows × (width × f32 cells, f32 margin, f32 score), NaN with its bits
///   u32 CRC32C of all before
/// All rows must have `width` cells.
std::string write_golden(std::size_t width, std::span<const GoldenRow> rows);

/// Errors: bad_model.
Result<std::vector<GoldenRow>> read_golden(std::string_view bytes);

}  // namespace coeval::models
