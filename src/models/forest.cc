#include "models/forest.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "models/complete_trees.h"
#include "models/forest_layout.h"
#include "models/forest_walk.h"
#include "models/grouped_trees.h"
#include "models/grouped_walk.h"
#include "models/lightgbm_model.h"
#include "models/xgboost_model.h"

namespace coeval::models {

struct ForestModel {
  ForestLayout layout;
  /// One of these serves, if it can, instead of layout.nodes, which are gone then.
  std::optional<GroupedTrees> grouped;
  std::optional<CompleteTrees> complete;
  std::vector<float> base_margins = {0.0f};
  ForestLink link;
};

namespace {

/// For the keys of a block of rows: well inside a first-level cache, and small enough for the
/// stack.
constexpr std::size_t kBytesOnStack = 16384;
constexpr std::size_t kMaxBlockRows = 16;

/// A number for each of a block's rows, on the stack as long as there is room.
template <class T, std::size_t kRoom>
class Scratch {
 public:
  explicit Scratch(std::size_t size) : on_heap_(size > kRoom ? size : 0) {}
  std::span<T> values() { return on_heap_.empty() ? std::span<T>(on_stack_) : on_heap_; }

 private:
  alignas(64) std::array<T, kRoom> on_stack_;
  std::vector<T> on_heap_;
};

/// Gives each block of rows to `visit`: its keys, its first row and how many there are. `write`
/// makes `stride` keys of a row.
template <class Key, class Write, class Visit>
void for_each_block(std::size_t width, std::size_t stride, std::span<const float> rows,
                    std::size_t count, const Write& write, const Visit& visit) {
  constexpr std::size_t kOnStack = kBytesOnStack / sizeof(Key);
  Scratch<Key, kOnStack> scratch(stride);
  const std::span<Key> keys = scratch.values();
  const std::size_t block = std::clamp<std::size_t>(kOnStack / stride, 1, kMaxBlockRows);
  for (std::size_t first = 0; first < count; first += block) {
    const std::size_t in_block = std::min(block, count - first);
    for (std::size_t row = 0; row < in_block; ++row) {
      write(rows.subspan((first + row) * width, width), keys.subspan(row * stride, stride));
    }
    visit(keys.first(in_block * stride), first, in_block);
  }
}

void start(const ForestModel& model, std::span<float> margins) {
  if (model.base_margins.size() == 1) {
    std::ranges::fill(margins, model.base_margins[0]);
    return;
  }
  for (std::size_t at = 0; at < margins.size(); at += model.base_margins.size()) {
    std::ranges::copy(model.base_margins, margins.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

template <class From, class To>
void convert(std::span<const From> from, std::span<To> to) {
  std::ranges::transform(from, to.begin(), [](From value) { return static_cast<To>(value); });
}

/// `start_with` puts into a block's margins what the leaves are added to.
template <class Sum, class Start>
void margins_by_keys(const ForestModel& model, std::span<const float> rows, std::span<Sum> out,
                     const Start& start_with) {
  const ForestLayout& layout = model.layout;
  for_each_block<std::uint32_t>(
      layout.width, layout.keys_count, rows, out.size() / layout.outputs,
      [&](std::span<const float> row, std::span<std::uint32_t> keys) {
        write_keys(layout, row, keys);
      },
      [&](std::span<const std::uint32_t> keys, std::size_t first, std::size_t count) {
        const auto margins = out.subspan(first * layout.outputs, count * layout.outputs);
        start_with(margins);
        add_leaves(layout, keys, margins);
      });
}

void margins_by_ranks(const ForestModel& model, std::span<const float> rows, std::span<float> out) {
  const ForestLayout& layout = model.layout;
  for_each_block<std::uint16_t>(
      layout.width, model.complete->slots, rows, out.size() / layout.outputs,
      [&](std::span<const float> row, std::span<std::uint16_t> ranks) {
        write_ranks(layout, *model.complete, row, ranks);
      },
      [&](std::span<const std::uint16_t> ranks, std::size_t first, std::size_t count) {
        const auto margins = out.subspan(first * layout.outputs, count * layout.outputs);
        start(model, margins);
        add_leaves(layout, *model.complete, ranks, margins);
      });
}

void margins_by_groups(const ForestModel& model, std::span<const float> rows,
                       std::span<float> out) {
  const ForestLayout& layout = model.layout;
  const GroupedTrees& trees = *model.grouped;
  const GroupedWalk& walk = quickest_grouped_walk();
  for_each_block<std::int8_t>(
      layout.width, trees.stride(), rows, out.size() / layout.outputs,
      [&](std::span<const float> row, std::span<std::int8_t> ranks) {
        walk.write_ranks(trees, row.data(), ranks.data());
        if (trees.masks != 0) write_masks(layout, trees, row, ranks.data());
      },
      [&](std::span<const std::int8_t> ranks, std::size_t first, std::size_t count) {
        const auto margins = out.subspan(first * layout.outputs, count * layout.outputs);
        start(model, margins);
        walk.add_leaves(trees, ranks.data(), count, margins.data());
      });
}

void float32_margins(const ForestModel& model, std::span<const float> rows, std::span<float> out) {
  if (model.grouped) return margins_by_groups(model, rows, out);
  if (model.complete) return margins_by_ranks(model, rows, out);
  margins_by_keys(model, rows, out, [&](std::span<float> margins) { start(model, margins); });
}

void float64_margins(const ForestModel& model, std::span<const float> rows, std::span<double> out) {
  margins_by_keys(model, rows, out,
                  [](std::span<double> margins) { std::ranges::fill(margins, 0.0); });
}

/// Scores of rows × outputs margins, in their own precision.
template <class T>
void apply_link(const ForestModel& model, std::span<const T> margins, std::span<T> scores) {
  const std::size_t outputs = model.layout.outputs, wide = model.link.scores(outputs);
  for (std::size_t row = 0; row * outputs < margins.size(); ++row) {
    model.link.apply(margins.subspan(row * outputs, outputs), scores.subspan(row * wide, wide));
  }
}

/// Rows whose float64 margins are on the stack at a time.
constexpr std::size_t kWideOnStack = 64;

}  // namespace

Forest::Forest() : model_(std::make_shared<const ForestModel>()) {}

Result<Forest> Forest::make(const SourceForest& source) {
  ForestModel model{.layout = {},
                    .grouped = {},
                    .complete = {},
                    .base_margins = source.base_margins,
                    .link = source.link};
  COEVAL_ASSIGN(model.layout, lay_out(source));
  if (&quickest_grouped_walk() != &plain_grouped_walk())  // there are vectors
    model.grouped = GroupedTrees::of(model.layout);
  if (!model.grouped) model.complete = CompleteTrees::of(model.layout);
  // New vectors give the memory back.
  if (model.grouped || model.complete) model.layout.nodes = std::vector<ForestLayout::Node>();
  if (model.grouped) model.layout.category_bits = std::vector<std::uint32_t>();
  Forest forest;
  forest.model_ = std::make_shared<const ForestModel>(std::move(model));
  return forest;
}

Result<Forest> Forest::from_xgboost(std::string_view bytes) {
  COEVAL_ASSIGN(const SourceForest source, read_xgboost(bytes));
  return make(source);
}

Result<Forest> Forest::from_lightgbm(std::string_view text) {
  COEVAL_ASSIGN(const SourceForest source, read_lightgbm(text));
  return make(source);
}

Result<Forest> Forest::read(std::string_view bytes) {
  return is_lightgbm(bytes) ? from_lightgbm(bytes) : from_xgboost(bytes);
}

std::size_t Forest::width() const { return model_->layout.width; }
std::size_t Forest::outputs() const { return model_->layout.outputs; }
std::size_t Forest::scores() const { return model_->link.scores(outputs()); }
std::size_t Forest::trees() const { return model_->layout.trees.size(); }
std::size_t Forest::memory_bytes() const {
  return sizeof(Forest) + sizeof(ForestModel) + model_->layout.memory_bytes() +
         (model_->grouped ? model_->grouped->memory_bytes() : 0) +
         (model_->complete ? model_->complete->memory_bytes() : 0) +
         model_->base_margins.capacity() * sizeof(float);
}

float Forest::margin(std::span<const float> row) const {
  COEVAL_CHECK(outputs() == 1);
  float margin = 0;
  margins(row, {&margin, 1});
  return margin;
}

float Forest::transform(float margin) const {
  COEVAL_CHECK(outputs() == 1);
  if (!model_->layout.in_float64) {
    float score = 0;
    model_->link.apply(std::span<const float>(&margin, 1), {&score, 1});
    return score;
  }
  const double wide = margin;
  double score = 0;
  model_->link.apply(std::span<const double>(&wide, 1), {&score, 1});
  return static_cast<float>(score);
}

void Forest::margins(std::span<const float> rows, std::span<float> out) const {
  const std::size_t rows_count = out.size() / outputs();
  COEVAL_CHECK(rows_count * outputs() == out.size() && rows.size() == rows_count * width());
  if (!model_->layout.in_float64) return float32_margins(*model_, rows, out);
  const std::size_t step = std::max<std::size_t>(1, kWideOnStack / outputs());
  Scratch<double, kWideOnStack> scratch(step * outputs());
  for (std::size_t first = 0; first < rows_count; first += step) {
    const std::size_t count = std::min(step, rows_count - first);
    const auto wide = scratch.values().first(count * outputs());
    float64_margins(*model_, rows.subspan(first * width(), count * width()), wide);
    convert<double, float>(wide, out.subspan(first * outputs(), wide.size()));
  }
}

void Forest::margins(std::span<const float> rows, std::span<double> out) const {
  COEVAL_CHECK(out.size() % outputs() == 0 && rows.size() == out.size() / outputs() * width());
  if (model_->layout.in_float64) return float64_margins(*model_, rows, out);
  std::vector<float> narrow(out.size());
  float32_margins(*model_, rows, narrow);
  convert<float, double>(narrow, out);
}

void Forest::predict(std::span<const float> rows, std::span<float> margins,
                     std::span<float> scores) const {
  COEVAL_CHECK(scores.size() * outputs() == margins.size() * this->scores());
  if (!model_->layout.in_float64) {
    this->margins(rows, margins);
    return apply_link<float>(*model_, margins, scores);
  }
  std::vector<double> wide_margins(margins.size()), wide_scores(scores.size());
  predict(rows, std::span(wide_margins), std::span(wide_scores));
  convert<double, float>(wide_margins, margins);
  convert<double, float>(wide_scores, scores);
}

void Forest::predict(std::span<const float> rows, std::span<double> margins,
                     std::span<double> scores) const {
  COEVAL_CHECK(scores.size() * outputs() == margins.size() * this->scores());
  if (model_->layout.in_float64) {
    this->margins(rows, margins);
    return apply_link<double>(*model_, margins, scores);
  }
  std::vector<float> narrow_margins(margins.size()), narrow_scores(scores.size());
  predict(rows, std::span(narrow_margins), std::span(narrow_scores));
  convert<float, double>(narrow_margins, margins);
  convert<float, double>(narrow_scores, scores);
}

}  // namespace coeval::models
