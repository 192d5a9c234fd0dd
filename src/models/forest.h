#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"

namespace coeval::models {

struct ForestLayout;

/// A gradient-boosted forest with one output, as XGBoost saves it, in a layout made for serving.
///
/// Its margins and probabilities equal XGBoost's own prediction bit for bit: base margin first,
/// then trees in order, all in float32; NaN takes the default child; numeric goes left if x <
/// threshold; categorical goes left if the code is negative, ≥ 2^24, beyond the bitset or not in
/// the set. Threading: const, safe from any thread; copies share the trees. Determinism: one row
/// alone or inside any block, same bits.
class Forest {
 public:
  Forest();  ///< no columns, no trees, margin 0
  /// Reads XGBoost's UBJSON model (versions 1.7 to 3.x; objectives binary:logistic, reg:logistic,
  /// reg:squarederror; gbtree). Where early stopping noted `best_iteration`, the trees after it are
  /// left out. Errors: bad_model when malformed, truncated, or an index is out of range (every
  /// child, column and category slice is checked, trees must be trees); unsupported for other
  /// objectives, DART, vector leaves or several outputs, naming it.
  static Result<Forest> from_xgboost_ubj(std::string_view bytes);

  std::size_t width() const;  ///< columns of a row
  std::size_t trees() const;
  std::size_t memory_bytes() const;

  /// `row` has width() floats. Complexity: a few ns per tree and no allocation up to some 2,000
  /// columns.
  float margin(std::span<const float> row) const;
  /// The margin through the objective's link: 1/(1+e^-m) as XGBoost computes it.
  float transform(float margin) const;
  /// rows × width() floats in, one margin each out. Cheaper per row than margin().
  void margins(std::span<const float> rows, std::span<float> out) const;

 private:
  enum class Link : std::uint8_t { identity, logistic };
  float base_margin_ = 0;
  Link link_ = Link::identity;
  std::shared_ptr<const ForestLayout> layout_;
};

}  // namespace coeval::models
