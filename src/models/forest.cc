#include "models/forest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/check.h"
#include "models/forest_layout.h"
#include "models/forest_walk.h"
#include "models/xgboost_model.h"

namespace coeval::models {
namespace {

/// Keys of a block of rows: well inside a first-level cache, and small enough for the stack.
constexpr std::size_t kKeysOnStack = 4096;
constexpr std::size_t kMaxBlockRows = 16;

/// The same steps as XGBoost's ProbToMargin, in float32.
float logit(float probability) {
  const float clamped = std::min(std::max(probability, 1e-6f), 1.0f - 1e-6f);
  return -std::log(1.0f / clamped - 1.0f);
}

/// The same steps as XGBoost's Sigmoid, in float32. The system's expf is what XGBoost itself calls.
float sigmoid(float margin) {
  const float exponent = std::min(-margin, 88.7f);
  return 1.0f / (std::exp(exponent) + 1.0f + 1e-16f);
}

std::size_t block_rows(std::size_t stride) {
  return std::clamp<std::size_t>(kKeysOnStack / stride, 1, kMaxBlockRows);
}

}  // namespace

Forest::Forest() : layout_(std::make_shared<const ForestLayout>()) {}

Result<Forest> Forest::from_xgboost_ubj(std::string_view bytes) {
  COEVAL_ASSIGN(const XgboostModel model, read_xgboost_ubj(bytes));
  COEVAL_ASSIGN(ForestLayout layout, lay_out(model));
  const bool logistic = model.objective == XgboostObjective::logistic;
  Forest forest;
  forest.link_ = logistic ? Link::logistic : Link::identity;
  forest.base_margin_ = logistic ? logit(model.base_score) : model.base_score;
  forest.layout_ = std::make_shared<const ForestLayout>(std::move(layout));
  return forest;
}

std::size_t Forest::width() const { return layout_->width; }
std::size_t Forest::trees() const { return layout_->trees.size(); }
std::size_t Forest::memory_bytes() const { return sizeof(Forest) + layout_->memory_bytes(); }

float Forest::margin(std::span<const float> row) const {
  float margin = 0;
  margins(row, {&margin, 1});
  return margin;
}

float Forest::transform(float margin) const {
  return link_ == Link::logistic ? sigmoid(margin) : margin;
}

void Forest::margins(std::span<const float> rows, std::span<float> out) const {
  const std::size_t width = layout_->width, stride = layout_->keys_count;
  COEVAL_CHECK(rows.size() == out.size() * width);
  std::array<std::int32_t, kKeysOnStack> on_stack;
  std::vector<std::int32_t> on_heap(stride > kKeysOnStack ? stride : 0);
  const std::span<std::int32_t> keys =
      on_heap.empty() ? std::span<std::int32_t>(on_stack) : on_heap;
  const std::size_t block = block_rows(stride);
  for (std::size_t first = 0; first < out.size(); first += block) {
    const std::size_t count = std::min(block, out.size() - first);
    for (std::size_t row = 0; row < count; ++row) {
      write_keys(*layout_, rows.subspan((first + row) * width, width),
                 keys.subspan(row * stride, stride));
    }
    const auto margins = out.subspan(first, count);
    std::ranges::fill(margins, base_margin_);
    add_leaves(*layout_, keys.first(count * stride), margins);
  }
}

}  // namespace coeval::models
