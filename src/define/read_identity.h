#pragma once

#include "define/draft.h"
#include "define/table_reader.h"

namespace coeval::define {

/// What a source says of its events' names, still unread. Null where it says nothing.
struct IdentityKeys {
  const TomlEntry* id = nullptr;
  const TomlEntry* dedup = nullptr;
  const TomlEntry* replaces = nullptr;
  const TomlEntry* deleted = nullptr;
  const TomlEntry* retention = nullptr;
};
IdentityKeys take_identity(TableReader& reader);

/// Reads them into a source whose columns and known time are settled. (semantics: T7) Errors:
/// unknown_column, type_error, missing_toml_key, bad_toml_value, bad_window, and what checking an
/// expression gives; leak for a name that may be known later than its row.
void read_identity(const IdentityKeys& keys, Source& source, SourceNotes& notes,
                   const Project& project, Diagnostics& errors);

/// Every window, with its offset and its view's lateness, must lie within what the log of its
/// source keeps; so must the time for which duplicates are told. Errors: bad_window.
void check_retention(const Draft& draft, Diagnostics& errors);

}  // namespace coeval::define
