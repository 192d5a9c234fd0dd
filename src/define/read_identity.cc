#include "define/read_identity.h"

#include <algorithm>

#include "define/checker.h"
#include "define/known_order.h"
#include "define/read_window.h"
#include "define/scope.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

bool can_name(Type type) {
  return type == Type::string || type == Type::int32 || type == Type::int64;
}

std::string type_name(const data::Field& field) { return std::string(data::name(field.type)); }

class IdentityReader {
 public:
  IdentityReader(const IdentityKeys& keys, Source& source, SourceNotes& notes,
                 const Project& project, Diagnostics& errors)
      : keys_(keys),
        source_(source),
        notes_(notes),
        project_(project),
        errors_(errors),
        what_("source " + in_quotes(source.name)) {}

  void read() {
    if (keys_.id) read_id(*keys_.id);
    if (keys_.dedup) read_dedup(*keys_.dedup);
    if (keys_.replaces) read_replaces(*keys_.replaces);
    if (keys_.deleted) read_deleted(*keys_.deleted);
    if (keys_.retention) read_retention(*keys_.retention);
  }

 private:
  // The column that an entry names, or −1.
  int find_column(const TomlEntry& entry, const std::string& advice) {
    if (!expect_kind(entry, Kind::string, what_, advice, errors_)) return -1;
    const int index = source_.schema.index_of(entry.value.text);
    if (index >= 0) return index;
    std::vector<std::string> names;
    for (const auto& field : source_.schema.fields) names.push_back(field.name);
    const std::string near = did_you_mean(entry.value.text, names);
    errors_.report(Code::unknown_column, entry.value.position,
                   "unknown column " + in_quotes(entry.value.text),
                   near.empty() ? "declare it in [source." + source_.name + ".columns]" : near);
    return -1;
  }
  const data::Field& field(int index) const {
    return source_.schema.fields[static_cast<std::size_t>(index)];
  }

  void needs(const TomlEntry& entry, const std::string& other) {
    errors_.report(Code::missing_toml_key, entry.position,
                   in_quotes(entry.key) + " of " + what_ + " needs " + in_quotes(other),
                   "add " + other + " = \"…\", or leave " + entry.key + " out");
  }

  void read_id(const TomlEntry& entry) {
    notes_.identity_position = entry.value.position;
    const int index = find_column(entry, "name a column: id = \"tx_id\"");
    if (index < 0) return;
    const data::Field& named = field(index);
    if (named.type == Type::null) return;
    if (!can_name(named.type))
      return errors_.report(
          Code::type_error, entry.value.position,
          "the id of " + what_ + " must be string, int32 or int64, not " + type_name(named),
          "name a column that tells events apart exactly");
    if (named.nullable)
      return errors_.report(
          Code::bad_toml_value, entry.value.position, "the id of " + what_ + " may not be null",
          "declare " + named.name + " without nullable; rows without an id go to quarantine");
    if (is_known_with_row({index}, entry)) source_.identity.id = index;
  }

  void read_dedup(const TomlEntry& entry) {
    if (!keys_.id) return needs(entry, "id");
    if (!expect_kind(entry, Kind::string, what_, "write dedup = \"7d\"", errors_)) return;
    if (const auto us = read_duration(entry.value, entry.value.text, "dedup", 1, errors_))
      source_.identity.dedup_us = *us;
  }

  void read_replaces(const TomlEntry& entry) {
    if (!keys_.id) return needs(entry, "id");
    const int index = find_column(entry, "name a column: replaces = \"replaces_tx\"");
    const int id = source_.identity.id;
    if (index < 0 || id < 0 || field(index).type == Type::null) return;
    const data::Field& named = field(index);
    if (named.type != field(id).type)
      return errors_.report(Code::type_error, entry.value.position,
                            in_quotes("replaces") + " of " + what_ + " must be " +
                                type_name(field(id)) + " as its id, not " + type_name(named),
                            "it holds the id of the event that a row replaces");
    if (!named.nullable)
      return errors_.report(Code::bad_toml_value, entry.value.position,
                            in_quotes("replaces") + " of " + what_ +
                                " is never null: every row "
                                "would be a correction",
                            "declare " + named.name + " = { …, nullable = true }");
    if (is_known_with_row({index}, entry)) source_.identity.replaces = index;
  }

  void read_deleted(const TomlEntry& entry) {
    if (!keys_.replaces) return needs(entry, "replaces");
    const std::string advice = "write deleted = \"status = 'void'\"";
    if (!expect_kind(entry, Kind::string, what_, advice, errors_)) return;
    RowScope scope(source_.schema, what_, &project_);
    const ExprPtr expr =
        check_expression_of(Type::boolean, ExpressionText::of(entry.value), scope,
                            in_quotes("deleted") + " of " + what_, advice, errors_);
    if (expr && is_known_with_row(columns_read(*expr), entry)) source_.identity.deleted = expr;
  }

  void read_retention(const TomlEntry& entry) {
    if (!expect_kind(entry, Kind::string, what_, "write retention = \"90d\"", errors_)) return;
    source_.retention_us = read_duration(entry.value, entry.value.text, "retention", 1, errors_);
  }

  // A row is sorted in when it becomes known, so what sorts it must be known by then.
  // (semantics: D2)
  bool is_known_with_row(const std::vector<int>& columns, const TomlEntry& entry) {
    if (!source_.known) return true;  // that is reported
    const KnownOrder order(source_);
    for (const int index : columns) {
      const SourceColumn& column = source_.columns[static_cast<std::size_t>(index)];
      if (!column.known || order.at_most(*column.known, *source_.known)) continue;
      errors_.report(Code::leak, entry.value.position,
                     in_quotes(entry.key) + " of " + what_ + " reads " + column.name +
                         ", which may be known later than its row",
                     "let the row be known later: known = \"greatest(…)\"");
      return false;
    }
    return true;
  }

  const IdentityKeys& keys_;
  Source& source_;
  SourceNotes& notes_;
  const Project& project_;
  Diagnostics& errors_;
  const std::string what_;
};

void check_window(const Source& source, const View& view, std::size_t window,
                  const SourcePosition& place, Diagnostics& errors) {
  const std::int64_t reach = view.windows[window].reach_us();
  if (reach != kAllTime && reach <= *source.retention_us - view.lateness_us) return;
  const std::string what =
      view.lookup
          ? "lookup " + in_quotes(view.name) + " reads all time"
          : "window " + in_quotes(view.windows[window].text) + " of view " + in_quotes(view.name) +
                (reach == kAllTime ? " reads all time"
                                   : ", with offset and lateness, reaches back " +
                                         format_duration(reach + view.lateness_us));
  errors.report(Code::bad_window, place,
                what + ", but source " + in_quotes(source.name) + " keeps events for " +
                    format_duration(*source.retention_us),
                "raise retention, or shorten the window or the lateness");
}

}  // namespace

IdentityKeys take_identity(TableReader& reader) {
  return {reader.take("id"), reader.take("dedup"), reader.take("replaces"), reader.take("deleted"),
          reader.take("retention")};
}

void read_identity(const IdentityKeys& keys, Source& source, SourceNotes& notes,
                   const Project& project, Diagnostics& errors) {
  IdentityReader(keys, source, notes, project, errors).read();
}

void check_retention(const Draft& draft, Diagnostics& errors) {
  const auto& sources = draft.project.sources;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const Source& source = sources[s];
    if (!source.retention_us || !source.has_names()) continue;
    if (source.identity.dedup_us > *source.retention_us)
      errors.report(Code::bad_window, draft.source_notes[s].identity_position,
                    "duplicates of source " + in_quotes(source.name) + " are told for " +
                        format_duration(source.identity.dedup_us) + ", but it keeps events for " +
                        format_duration(*source.retention_us),
                    "raise retention, or lower dedup");
  }
  for (std::size_t v = 0; v < draft.project.views.size(); ++v) {
    const View& view = draft.project.views[v];
    if (view.source < 0) continue;
    const Source& source = sources[static_cast<std::size_t>(view.source)];
    for (std::size_t w = 0; source.retention_us && w < view.windows.size(); ++w)
      check_window(source, view, w, draft.view_notes[v].window_positions[w], errors);
  }
}

}  // namespace coeval::define
