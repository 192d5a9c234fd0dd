// Any bytes as a model file: an error or a forest that can be walked; never a crash, a hang or
// memory out of proportion. Seeds: src/models/testdata/*.ubj.

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "models/forest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::array kCells = {0.0f,
                                 -1.0f,
                                 2.5f,
                                 3.4e38f,
                                 std::numeric_limits<float>::quiet_NaN(),
                                 std::numeric_limits<float>::infinity()};
  const auto forest = coeval::models::Forest::from_xgboost_ubj(
      std::string_view(reinterpret_cast<const char*>(data), size));
  if (!forest || forest->width() > 4096) return 0;
  std::vector<float> rows(3 * forest->width());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = kCells[i % kCells.size()];
  std::array<float, 3> together;
  forest->margins(rows, together);
  const float alone = forest->margin(std::span(rows).last(forest->width()));
  // One row alone and inside a block: the same answer, or both NaN.
  if (alone != together[2] && !(std::isnan(alone) && std::isnan(together[2]))) __builtin_trap();
  return 0;
}
