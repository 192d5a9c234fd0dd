#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "define/model_kind.h"

namespace coeval::training {

/// The labels of some rows, row by row, kept elsewhere: `classes` (0 or 1) of a binary model,
/// `numbers` of a regression; the other is empty.
struct LabelSpan {
  define::ModelKind kind = define::ModelKind::binary;
  std::span<const std::uint8_t> classes = {};
  std::span<const double> numbers = {};

  static LabelSpan of(std::span<const std::uint8_t> classes) { return {.classes = classes}; }
  static LabelSpan of(std::span<const double> numbers) {
    return {.kind = define::ModelKind::regression, .numbers = numbers};
  }
  bool is_regression() const { return kind == define::ModelKind::regression; }
  std::size_t size() const { return is_regression() ? numbers.size() : classes.size(); }
  LabelSpan subspan(std::size_t from, std::size_t count) const {
    if (is_regression()) return of(numbers.subspan(from, count));
    return of(classes.subspan(from, count));
  }
};

/// The same, kept here.
struct RowLabels {
  define::ModelKind kind = define::ModelKind::binary;
  std::vector<std::uint8_t> classes;
  std::vector<double> numbers;

  LabelSpan span() const {
    return {.kind = kind, .classes = std::span(classes), .numbers = std::span(numbers)};
  }
  std::size_t size() const { return span().size(); }
  void resize(std::size_t rows) {
    if (kind == define::ModelKind::regression)
      numbers.resize(rows);
    else
      classes.resize(rows);
  }
  /// Appends a row of labels of the same kind.
  void push_back(const LabelSpan& from, std::size_t row) {
    if (kind == define::ModelKind::regression)
      numbers.push_back(from.numbers[row]);
    else
      classes.push_back(from.classes[row]);
  }
};
/// The labels of some rows, in the order named.
inline RowLabels take(const LabelSpan& labels, std::span<const std::size_t> rows) {
  RowLabels some{.kind = labels.kind, .classes = {}, .numbers = {}};
  for (const std::size_t row : rows) some.push_back(labels, row);
  return some;
}

}  // namespace coeval::training
