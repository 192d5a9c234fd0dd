#pragma once

#include "paths.h"

namespace coeval::cases {

/// Entities dealt out to `parts` kernels, view by view, each by its own key, whatever a question or
/// an event has of it: for views of different keys, and keys that lookups and other views find.
/// Rows that events look up go to every kernel.
Result<bool> partitioned_by_view(const World& world, const TakeAnswer& take, std::size_t parts);

}  // namespace coeval::cases
