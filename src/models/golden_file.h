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
  std::vector<float> margins, scores;  ///< one each, or one of each class
};

/// golden.bin, little-endian:
///   "coevgold"          magic
///   u32 version: 1 of models with one output, 2 of those with several
///   u32 width, u32 rows
///   u32 outputs, of version 2 alone
///   rows × (width × f32 cells, outputs × f32 margins, outputs × f32 scores), NaN with its bits
///   u32 CRC32C of all before
/// All rows must have `width` cells, and `outputs` margins and scores.
std::string write_golden(std::size_t width, std::size_t outputs, std::span<const GoldenRow> rows);

/// Errors: bad_model.
Result<std::vector<GoldenRow>> read_golden(std::string_view bytes);

}  // namespace coeval::models
