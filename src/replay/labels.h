#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "data/column.h"
#include "define/project.h"
#include "replay/past.h"

namespace coeval::replay {

/// The labels of a model's questions, one for each row of its source.
struct Labels {
  data::Column label;  ///< of the type of Model::label; null where undecided
  /// When each was known, µs; kNever where it is undecided.
  std::vector<std::int64_t> known_us;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
};

/// Labels as `past` knows them: where it ends (PastOptions::as_of_us), one that was known only at
/// or after that moment is undecided. (semantics: D2 D3)
///
/// A label of the row itself is known when its last column is, or when a live row arrived, and not
/// before its maturity. A label that events bring is true from the first known event on; false from
/// the end of its time on, as far as the source of the events reaches (its last known time; for a
/// file that was cut, the cut); else undecided. A row with a null key has no label.
///
/// A row that was replaced before `past` ends has the label of the row that stands for it now,
/// known when that row was; one that was deleted has none. Events that were taken back bring no
/// label: one that is negative for that is known no sooner than they were taken back. (semantics:
/// T7) `past` must hold the model's source and that of its label. Complexity: linear, and n log n
/// in the events.
Labels labels_of(const define::Project& project, const define::Model& model, const Past& past);

/// Sources that a model's rows and labels need: those of its views, its own, that of its label.
std::vector<int> sources_of(const define::Project& project, const define::Model& model);

}  // namespace coeval::replay
