#pragma once

#include "base/time.h"
#include "define/draft.h"

namespace coeval::define {

// What views and lookups have in common.

inline constexpr std::int64_t kDefaultLatenessUs = kDayUs;  // semantics: T6

/// The source of that name, or -1. Errors: unknown_name, with a suggestion.
int find_source(const TomlValue& name, const Draft& draft, Diagnostics& errors);

/// Reads `lateness` of a view or lookup.
void read_lateness(const TomlEntry& entry, const std::string& what, View& view,
                   Diagnostics& errors);

/// Reads `by` of a view whose source is known into its keys. `what` is "view 'origin'". Errors:
/// unknown_column, type_error, duplicate_name, too_deep. Keys of a view may be columns of lookups
/// ("plane.maker"), those of a lookup may not.
void read_view_keys(const TomlEntry& by, const std::string& what, View& view, ViewNotes& notes,
                    Draft& draft, Diagnostics& errors);

/// Brings views and their notes into the order of the names. (semantics: D1)
void sort_views(Draft& draft);

}  // namespace coeval::define
