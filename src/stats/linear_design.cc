#include "stats/linear_design.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace coeval::stats {
namespace {

constexpr float kMostCode = 16'777'216;  // 2^24: the last that float32 counts to

// A category's code, or kNone for a cell that is none.
std::uint32_t code_of(float cell) {
  if (!(cell >= 0) || !(cell < kMostCode)) return LinearDesign::kNone;
  const auto code = static_cast<std::uint32_t>(cell);
  return static_cast<float>(code) == cell ? code : LinearDesign::kNone;
}

Status check(const LinearRows& rows) {
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const double weight = rows.weight(row);
    if (!std::isfinite(weight) || weight < 0)
      return fail(Code::training_failed, "the weight of row " + std::to_string(row) + " is none",
                  "weights are numbers from 0 on");
    if (!std::isfinite(rows.labels[row]))
      return fail(Code::training_failed, "the label of row " + std::to_string(row) + " is none",
                  "labels are finite numbers");
  }
  return {};
}

}  // namespace

Status LinearDesign::measure(const LinearRows& rows) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    double present = 0, missing = 0, sum = 0;
    bool has_missing = false;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const float cell = rows.values[row * rows.width + i];
      const double weight = rows.weight(row);
      if (!std::isfinite(cell)) {
        missing += weight;
        has_missing = true;
        continue;
      }
      present += weight;
      if (!column.categorical) {
        sum += weight * static_cast<double>(cell);
        continue;
      }
      const std::uint32_t code = code_of(cell);
      if (code == kNone) continue;
      // Beyond the most that place() lets pass, it does not matter which code it is.
      const std::size_t level = std::min<std::size_t>(code, kMaxCoefficients);
      if (level >= column.level_shares.size()) column.level_shares.resize(level + 1);
      column.level_shares[level] += weight;
    }
    column.missing_share = missing / weight_;
    column.indicator = has_missing ? 0 : kNone;
    for (double& share : column.level_shares) share /= weight_;
    column.levels = static_cast<std::uint32_t>(column.level_shares.size());
    if (column.categorical || present == 0) continue;
    column.mean = sum / present;
    double squares = 0;
    bool changes = false;
    float first_cell = 0;
    bool has_first = false;
    for (std::size_t row = 0; row < rows.rows(); ++row) {
      const float cell = rows.values[row * rows.width + i];
      if (!std::isfinite(cell) || rows.weight(row) == 0) continue;
      if (!has_first) first_cell = cell;
      has_first = true;
      changes = changes || cell != first_cell;
      const double off = static_cast<double>(cell) - column.mean;
      squares += rows.weight(row) * off * off;
    }
    column.scale = std::sqrt(squares / present);
    column.first = changes && column.scale > 0 ? 0 : kNone;
  }
  return {};
}

Status LinearDesign::place() {
  std::uint32_t next = 0;
  for (Column& column : columns_)
    if (!column.categorical && column.first != kNone) column.first = next++;
  numbers_ = next;
  std::size_t widest = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (column.levels > 0) column.first = next;
    next += column.levels;
    if (column.indicator != kNone) column.indicator = next++;
    if (column.levels > columns_[widest].levels) widest = i;
  }
  size_ = next;
  if (size_ <= kMaxCoefficients) return {};
  return fail(Code::training_failed,
              "a linear model of these inputs has more than " + std::to_string(kMaxCoefficients) +
                  " coefficients: input " + std::to_string(widest) + " alone has " +
                  std::to_string(columns_[widest].levels) + " values or more",
              "group its rare values in an expression, leave the input out, or train a forest");
}

Result<LinearDesign> LinearDesign::fit(const LinearRows& rows,
                                       const std::vector<bool>& categorical) {
  COEVAL_TRY(check(rows));
  LinearDesign design;
  for (std::size_t row = 0; row < rows.rows(); ++row) design.weight_ += rows.weight(row);
  if (!(design.weight_ > 0)) return fail(Code::no_rows, "no row with weight to fit a model to");
  for (const bool is_category : categorical) {
    design.columns_.emplace_back();
    design.columns_.back().categorical = is_category;
  }
  COEVAL_TRY(design.measure(rows));
  COEVAL_TRY(design.place());
  return design;
}

std::size_t LinearDesign::write(std::span<const float> row, std::span<double> numbers,
                                std::span<std::uint32_t> ones) const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    const float cell = row[i];
    const bool missing = !std::isfinite(cell);
    if (missing && column.indicator != kNone) ones[count++] = column.indicator;
    if (!column.categorical) {
      if (column.first == kNone) continue;
      numbers[column.first] =
          missing ? 0 : (static_cast<double>(cell) - column.mean) / column.scale;
    } else if (!missing) {
      const std::uint32_t code = code_of(cell);
      if (code < column.levels) ones[count++] = column.first + code;
    }
  }
  return count;
}

}  // namespace coeval::stats
