#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coeval::define {

/// What kind of problem a model solves: what its label is, and what its score means.
///   binary      the label is a condition; the score is the probability that it holds
///   regression  the label is a number; the score is the number that is expected
///   multiclass  the label is one of the model's classes; there is a score of each:
///               its probability
///   ranking     the label is a grade of relevance; rows of a query are ordered by their scores
/// (docs/adr/0015, 0016, 0017)
enum class ModelKind : std::uint8_t { binary, regression, multiclass, ranking };
inline constexpr ModelKind kModelKinds[] = {ModelKind::binary, ModelKind::regression,
                                            ModelKind::multiclass, ModelKind::ranking};
/// The highest grade of relevance: 2^31 is the most that gains are added up of.
inline constexpr std::int64_t kMaxGrade = 31;
/// At most so many classes: labels are kept in a byte.
inline constexpr std::size_t kMaxClasses = 255;
/// "binary", "regression", "multiclass", "ranking".
std::string_view name(ModelKind kind);

/// What a regression makes small, of a row: (label − score)², |label − score|, or the pinball loss,
/// which the `quantile` of the label given the inputs minimises.
struct Loss {
  enum class Kind : std::uint8_t { squared, absolute, quantile };
  Kind kind = Kind::squared;
  double quantile = 0.5;  ///< in (0, 1), of Kind::quantile
};
/// "squared", "absolute", "quantile 0.9".
std::string loss_text(const Loss& loss);

}  // namespace coeval::define
