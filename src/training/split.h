#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "define/project.h"

namespace coeval::training {

/// What a question's row is used for.
enum class SplitPart : std::uint8_t {
  none,       ///< outside the split, or its label is null
  train,      ///< fits the model
  validate,   ///< steers it: early stopping, search
  calibrate,  ///< makes probabilities of its scores
  threshold,  ///< places its decision
  test,       ///< judges it; nothing else reads it
  gap,        ///< asked in time, but too near the end of its part, or its label was known after it
  stale,      ///< has no answer: a feature with on_stale = "refuse" is stale (semantics: D5)
};
inline constexpr std::size_t kSplitParts = 8;
/// "none", "train", "validate", "calibrate", …
std::string_view name(SplitPart part);

/// Puts one question into a part by its time alone. (semantics: D3)
///
/// train: at < train_until; validate: at < validate_until; … test: at < test_until. A row of any
/// part but the test's goes to the gap when its label was known only at or after the end of the
/// part, for whoever stood at that end could not have used it, and when it was asked within the
/// split's own gap before that end. A test row needs nothing but a label. `label_valid` is false
/// when the label is null.
SplitPart assign(std::int64_t at_us, std::int64_t label_known_us, bool label_valid,
                 const define::Split& split);

/// Rows and positive labels of each part; a regression has no positive ones.
struct PartCount {
  std::int64_t rows = 0, positives = 0;
};
class PartCounts {
 public:
  void add(SplitPart part, bool positive);
  /// Takes a row that was added to `part` for one that has no answer.
  void refuse(SplitPart part, bool positive);
  void set(SplitPart part, PartCount count) { counts_[static_cast<std::size_t>(part)] = count; }
  std::int64_t rows() const;  ///< of all parts, and of none
  const PartCount& of(SplitPart part) const { return counts_[static_cast<std::size_t>(part)]; }

 private:
  std::array<PartCount, kSplitParts> counts_{};
};

/// Whether a model can be trained and judged on these parts: each that something reads needs rows
/// of both classes, or rows at all of a regression. Errors: no_rows, naming the part.
Status check_parts(const PartCounts& counts, const define::Model& model);
/// Of the parts that rows are read from, those that this model has.
bool has_part(const define::Model& model, SplitPart part);

}  // namespace coeval::training
