#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "define/model_kind.h"

namespace coeval::training {

/// The labels of some rows, row by row, kept elsewhere: `classes` of a model that has them (0 or 1
/// of a binary model, else places among its classes or grades of relevance), `numbers` of a
/// regression; the other is empty.
struct LabelSpan {
  define::ModelKind kind = define::ModelKind::binary;
  std::span<const std::uint8_t> classes = {};
  std::span<const double> numbers = {};

  static LabelSpan of(std::span<const std::uint8_t> classes) { return {.classes = classes}; }
  static LabelSpan of(std::span<const double> numbers) {
    return {.kind = define::ModelKind::regression, .numbers = numbers};
  }
  static LabelSpan of_classes(std::span<const std::uint8_t> classes) {
    return {.kind = define::ModelKind::multiclass, .classes = classes};
  }
  bool is_binary() const { return kind == define::ModelKind::binary; }
  bool is_regression() const { return kind == define::ModelKind::regression; }
  bool is_multiclass() const { return kind == define::ModelKind::multiclass; }
  bool is_ranking() const { return kind == define::ModelKind::ranking; }
  std::size_t size() const { return is_regression() ? numbers.size() : classes.size(); }
  LabelSpan subspan(std::size_t from, std::size_t count) const {
    if (is_regression()) return of(numbers.subspan(from, count));
    return {.kind = kind, .classes = classes.subspan(from, count)};
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

/// How many values a row has of those that `rows` rows share evenly; 1 where there are no rows.
inline std::size_t values_a_row(std::size_t values, std::size_t rows) {
  return rows == 0 ? 1 : values / rows;
}

/// The values of some rows, in the order named; none where there are none at all.
template <class T>
std::vector<T> take(std::span<const T> values, std::span<const std::size_t> rows,
                    std::size_t width) {
  std::vector<T> some;
  if (values.empty()) return some;
  some.reserve(rows.size() * width);
  for (const std::size_t row : rows)
    some.insert(some.end(), values.begin() + static_cast<std::ptrdiff_t>(row * width),
                values.begin() + static_cast<std::ptrdiff_t>((row + 1) * width));
  return some;
}

}  // namespace coeval::training
