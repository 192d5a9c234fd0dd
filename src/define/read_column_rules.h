#pragma once

#include "define/project.h"
#include "define/table_reader.h"

namespace coeval::define {

/// `severity` of a check: error unless it says "warn". Errors: bad_toml_value.
Severity read_severity(TableReader& reader, Diagnostics& errors);

/// Takes what a column says beside its type, bounds, pattern and enum, which are read: lengths,
/// `finite`, `max_ahead`, the severity of its rules, `environments`, `pii`. Errors: bad_toml_value
/// for a rule that is not for the column's type, or that nothing could keep; bad_window.
void read_column_rules(TableReader& reader, SourceColumn& column, Diagnostics& errors);

}  // namespace coeval::define
