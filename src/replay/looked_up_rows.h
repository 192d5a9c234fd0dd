#pragma once

#include <cstdint>
#include <span>

#include "data/column.h"
#include "define/project.h"
#include "replay/past.h"

namespace coeval::replay {

/// The rows of a view's source as the view reads them: with the columns of its lookups, found for
/// each event by a plain scan of the looked-up source, on purpose not by the kernel. The rows
/// themselves where the view reads no lookup. The past must hold the looked-up sources.
data::Batch looked_up_rows(const define::Project& project, const Past& past,
                           const define::View& view);
/// The same of some rows of the source.
data::Batch looked_up_rows(const define::Project& project, const Past& past,
                           const define::View& view, std::span<const std::int64_t> rows);

}  // namespace coeval::replay
