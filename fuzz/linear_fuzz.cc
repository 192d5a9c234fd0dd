// Any bytes as a linear model's file: an error, or a model that writes itself back as the same
// model, scores a row alone as inside a block, and whose contributions add up.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "models/linear_model.h"

namespace {

using coeval::models::LinearModel;

void try_rows(const LinearModel& model) {
  constexpr float kCells[] = {0.0f,
                              -1.0f,
                              2.5f,
                              3.4e38f,
                              std::numeric_limits<float>::quiet_NaN(),
                              std::numeric_limits<float>::infinity(),
                              1.0f,
                              -1e-36f};
  const std::size_t width = model.width();
  std::vector<float> rows(3 * width), margins(3), scores(3);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = kCells[i % std::size(kCells)];
  model.predict(rows, margins, scores);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::span<const float> row = std::span(rows).subspan(i * width, width);
    float margin = 0, score = 0;
    model.predict(row, {&margin, 1}, {&score, 1});
    if (std::bit_cast<std::uint32_t>(margin) != std::bit_cast<std::uint32_t>(margins[i]) ||
        std::bit_cast<std::uint32_t>(score) != std::bit_cast<std::uint32_t>(scores[i]))
      __builtin_trap();
    if (std::isnan(margin) || std::isnan(score)) __builtin_trap();
    std::vector<double> parts(width + 1);
    model.contributions(row, parts);
    double sum = 0, size = 1;
    for (const double part : parts) {
      sum += part;
      size += std::abs(part);
    }
    if (!(std::abs(sum - model.margin(row)) <= 1e-9 * size)) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto model = LinearModel::read({reinterpret_cast<const char*>(data), size});
  if (!model || model->width() > 2048) return 0;
  const auto again = LinearModel::read(model->to_text());
  if (!again || !(again->parts() == model->parts())) __builtin_trap();
  try_rows(*model);
  return 0;
}
