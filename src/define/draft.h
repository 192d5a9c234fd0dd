#pragma once

#include <map>
#include <string>
#include <vector>

#include "define/diagnostics.h"
#include "define/document.h"
#include "define/expression_text.h"
#include "define/project.h"

namespace coeval::define {

/// What checking needs of a source beyond the source: texts and places for messages.
struct SourceNotes {
  std::string known_text;  ///< as written
  SourcePosition position;
  std::vector<std::string> column_known_text;  ///< by column; empty = as the row
  SourcePosition identity_position;            ///< of `id`
};

/// The same of a view.
struct ViewNotes {
  bool broken = false;  ///< had errors: what it lacks is not the fault of those who read it
  SourcePosition keys_position;
  std::vector<SourcePosition> window_positions;     ///< by window
  std::vector<SourcePosition> aggregate_positions;  ///< by aggregate, of its string
};

/// A metric of the table [metric], which is typed anew for each model that names it.
struct MetricText {
  Metric::Kind kind = Metric::Kind::mean;
  bool higher_is_better = true;
  ExpressionText value;
  ExpressionText divisor;  ///< of a ratio
  SourcePosition position;
};

/// A definition while it is read. Parts with errors are kept as far as they go, so that one error
/// does not look like many; such a draft never becomes a Project.
struct Draft {
  Project project;
  std::vector<SourceNotes> source_notes;  ///< by source
  std::vector<ViewNotes> view_notes;      ///< by view
  std::map<std::string, ExpressionText, std::less<>> features;
  std::map<std::string, ExpressionText, std::less<>> keys;  ///< of the table [keys]
  std::map<std::string, MetricText, std::less<>> metrics;
};

/// Readers of the parts of a document, to be called in this order.
void read_project_table(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
/// The table [serving].
void read_serving(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
void read_constants(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
void read_sources(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
/// The table `checks` of each of the sources, which are read by now; `entry` is that of all
/// sources.
void read_checks(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
void read_keys(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
/// `views` is the table of views, whose names they must not have; it may be null.
void read_lookups(const TomlEntry& entry, const TomlEntry* views, Draft& draft,
                  Diagnostics& errors);
void read_views(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
/// After views and lookups: that each key of [keys] is one of theirs.
void check_keys(const Draft& draft, Diagnostics& errors);
void read_features(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
/// Errors: duplicate_name where a constant has the name of a column or a feature.
void check_constant_names(const Draft& draft, Diagnostics& errors);
void read_metrics(const TomlEntry& entry, Draft& draft, Diagnostics& errors);
/// `entry` may be null; features and metrics are checked here too, since their types depend on the
/// question.
void read_models(const TomlEntry* entry, Draft& draft, Diagnostics& errors);

}  // namespace coeval::define
