#pragma once

#include <string>
#include <vector>

#include "define/project.h"

namespace coeval::define {

/// What a view reads of its source's lookups, for itself or to find the key of another lookup.
struct LookedUp {
  std::vector<int> lookups;  ///< indexes into Source::lookups, ascending: the order to settle them
  std::vector<int> fields;   ///< of Source::event_schema(), behind the source's own, ascending
};
LookedUp looked_up(const Source& source, const View& view);

/// Fields of the source's event row that the view's keys and aggregates read themselves.
std::vector<int> event_fields_read(const View& view);

/// The source's own columns that a field of its event row depends on: itself, or what finds the
/// key of its lookup. Ascending.
std::vector<int> own_columns_of(const Source& source, int field);

/// The lookup that a field of the event row comes from, or null for an own column.
const EventLookup* lookup_of(const Source& source, int field);

/// Sources whose rows are looked up for the events of these views, ascending, each once.
std::vector<int> looked_up_sources(const Project& project, const std::vector<int>& views);

}  // namespace coeval::define
