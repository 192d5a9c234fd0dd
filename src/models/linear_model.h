#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace coeval::models {

/// What becomes of a linear model's margin.
enum class LinearLink : std::uint8_t { identity, logistic };

/// What one input column adds to a linear model's margin.
struct LinearTerm {
  std::string name;
  /// A category column adds the coefficient of its code; a code without one, which training never
  /// saw, adds 0. A number column adds coefficient × (x − mean).
  bool categorical = false;
  double mean = 0;                   ///< of the training rows that had the number
  double coefficient = 0;            ///< of a number
  std::vector<double> coefficients;  ///< of a category, by code
  double missing = 0;                ///< what a missing cell adds
  double average = 0;                ///< of this term over the training rows, for contributions

  friend bool operator==(const LinearTerm&, const LinearTerm&) = default;
};

/// How a model was fitted, kept in its file for who reads it.
struct LinearFit {
  double l1 = 0, l2 = 0;
  int iterations = 0;
  bool converged = false;
  double gap = 0;  ///< the largest entry of the (sub)gradient at the end, per row

  friend bool operator==(const LinearFit&, const LinearFit&) = default;
};

/// The parts of a linear model.
struct LinearParts {
  LinearLink link = LinearLink::logistic;
  double intercept = 0;  ///< the margin where every term is 0
  std::vector<LinearTerm> terms;
  LinearFit fit;

  friend bool operator==(const LinearParts&, const LinearParts&) = default;
};

/// A linear or logistic regression over the encoder's float32 row.
///
/// The margin is the intercept plus each column's term, added in the columns' order in float64 and
/// rounded once to float32; the score is its link, of the float64 margin, with our own exp, rounded
/// once. A cell that is NaN or infinite is missing. So the bits are the same on every machine,
/// alone or inside a block. Threading: const, safe from any thread; copies share the model.
class LinearModel {
 public:
  /// Errors: bad_model naming the part: a number that is not finite or beyond 1e200, names that are
  /// empty or repeated, coefficients of the wrong kind.
  static Result<LinearModel> make(LinearParts parts);
  /// Reads the file that to_text() writes: JSON that begins with `{"format":"coeval linear"`.
  /// Errors: bad_model naming the member; unsupported for a newer version.
  static Result<LinearModel> read(std::string_view bytes);
  /// One line of JSON with each number's shortest text: same model, same bytes.
  std::string to_text() const;

  const LinearParts& parts() const { return *parts_; }
  std::size_t width() const { return parts_->terms.size(); }
  std::size_t outputs() const { return 1; }
  std::size_t scores() const { return 1; }
  std::size_t memory_bytes() const;

  /// `row` has width() floats. Complexity: width(), no allocation.
  double margin(std::span<const float> row) const;
  /// The margin through the link.
  double transform(double margin) const;
  /// rows × width() floats in, a margin and a score a row out.
  void predict(std::span<const float> rows, std::span<float> margins,
               std::span<float> scores) const;
  void predict(std::span<const float> rows, std::span<double> margins,
               std::span<double> scores) const;
  /// What each column adds to the margin beyond its average over the training rows: width()
  /// numbers, then the bias, which is the margin's average. They add up to the margin, and are its
  /// Shapley values where columns are taken as independent. `out` has width() + 1 places.
  void contributions(std::span<const float> row, std::span<double> out) const;

 private:
  explicit LinearModel(LinearParts parts)
      : parts_(std::make_shared<const LinearParts>(std::move(parts))) {}
  std::shared_ptr<const LinearParts> parts_;
};

/// What a column adds to the margin.
double add_of(const LinearTerm& term, float cell);

/// Whether these bytes begin a linear model's file.
bool is_linear_model(std::string_view bytes);

}  // namespace coeval::models
