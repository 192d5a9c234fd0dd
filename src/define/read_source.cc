#include <re2/re2.h>

#include <algorithm>
#include <limits>

#include "base/time.h"
#include "data/text_tables.h"
#include "define/build.h"
#include "define/checker.h"
#include "define/draft.h"
#include "define/known_order.h"
#include "define/read_column_rules.h"
#include "define/read_identity.h"
#include "define/scope.h"
#include "define/table_reader.h"
#include "define/typed_value.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::string_view kEventTime = "event time";

constexpr std::size_t kMaxColumns = 10'000;

// One column's declaration, its `known` still unread.
struct ColumnDraft {
  SourceColumn column;
  const TomlEntry* known = nullptr;
  const TomlEntry* json = nullptr;
};

// Whether an expression is null whatever the row: a null that no branch or default takes the place
// of.
bool is_always_null(const Expr& expr) {
  const auto null = [](const ExprPtr& part) { return is_always_null(*part); };
  switch (expr.op) {
    case Op::literal:
      return data::is_null(expr.literal);
    case Op::column:
    case Op::question_time:
    case Op::is_null:
    case Op::is_not_null:
    case Op::logical_and:  // false and null is false
    case Op::logical_or:
    case Op::is_distinct:
      return false;
    case Op::nullif:
      return null(expr.args[0]);
    case Op::case_when:  // condition, value, …, else
      for (std::size_t i = 1; i < expr.args.size(); i += 2)
        if (!null(expr.args[i])) return false;
      return null(expr.args.back());
    case Op::coalesce:
      return std::ranges::all_of(expr.args, null);
    case Op::if_else: {
      const Expr& condition = *expr.args[0];
      const bool* constant = std::get_if<bool>(&condition.literal);
      if (condition.op == Op::literal && constant != nullptr)
        return null(expr.args[*constant ? 1 : 2]);
      if (is_always_null(condition)) return null(expr.args[2]);
      return null(expr.args[1]) && null(expr.args[2]);
    }
    default:  // null in, null out
      return std::ranges::any_of(expr.args, null);
  }
}

class SourceReader {
 public:
  SourceReader(const TomlEntry& entry, Draft& draft, Diagnostics& errors)
      : entry_(entry), draft_(draft), errors_(errors), what_("source " + in_quotes(entry.key)) {}

  void read() {
    expect_name(entry_, "a source", errors_);
    source_.name = entry_.key;
    notes_.position = entry_.position;
    if (expect_kind(entry_, Kind::table, "[source]", "write [source." + entry_.key + "]", errors_))
      read_table();
    draft_.project.sources.push_back(std::move(source_));
    draft_.source_notes.push_back(std::move(notes_));
  }

 private:
  void read_table() {
    TableReader reader(entry_.value, entry_.position, what_, errors_);
    source_.path = reader.string("path").value_or("");
    read_delimiter(reader);
    const TomlEntry* time =
        reader.require("time", "name the column with the event time: time = \"ts\"");
    if (time && expect_kind(*time, Kind::string, what_, "name a column", errors_)) {
      source_.time_column = time->value.text;
      if (source_.time_column.empty())
        errors_.report(Code::bad_toml_value, time->value.position,
                       "the event time of " + what_ + " is no column: ''", "name a column");
    }
    const TomlEntry* columns =
        reader.require("columns", "declare each column in [source." + source_.name + ".columns]");
    if (columns && expect_kind(*columns, Kind::table, what_, "write name = { type = … }", errors_))
      read_columns(*columns);
    const TomlEntry* known = reader.take("known");
    const IdentityKeys identity = take_identity(reader);
    reader.take("checks");  // read_checks
    read_budgets(reader);
    reader.later({"format", "zone"});
    reader.finish();
    read_time(time);
    if (!columns) return;
    read_known(known);
    read_identity(identity, source_, notes_, draft_.project, errors_);
  }

  void read_delimiter(TableReader& reader) {
    const TomlEntry* entry = reader.take("delimiter");
    const std::string advice = R"(write delimiter = ";", "\t" or "|"; without it, it is a comma)";
    if (!entry || !expect_kind(*entry, Kind::string, what_, advice, errors_)) return;
    const std::string& text = entry->value.text;
    if (text.size() != 1 || !data::check_csv_delimiter(text[0]))
      return errors_.report(Code::bad_toml_value, entry->value.position,
                            "the delimiter of " + what_ + " cannot be " + in_quotes(text), advice);
    source_.delimiter = text[0];
  }

  void read_budgets(TableReader& reader) {
    source_.max_bad_rows =
        reader.integer("max_bad_rows", 0, std::numeric_limits<std::int64_t>::max());
    source_.max_bad_ratio = reader.number("max_bad_ratio", 0, 1);
  }

  void read_columns(const TomlEntry& columns) {
    if (columns.value.entries.size() > kMaxColumns)
      return errors_.report(Code::too_deep, columns.position,
                            what_ + " has more than 10,000 columns",
                            "declare only those that are read");
    for (const auto& entry : columns.value.entries) drafts_.push_back(read_column(entry));
    std::stable_partition(drafts_.begin(), drafts_.end(), [&](const ColumnDraft& draft) {
      return draft.column.name == source_.time_column;
    });
    for (const auto& draft : drafts_)
      source_.schema.fields.push_back(
          {draft.column.name, draft.column.type,
           draft.column.nullable || !draft.column.in_train || !draft.column.in_serve});
    for (auto& draft : drafts_)
      if (draft.json) read_json(draft);
  }

  // A column that is taken out of another is known when that one is, unless it says otherwise: its
  // text cannot be read before.
  void read_json(ColumnDraft& draft) {
    const std::string what = "column " + in_quotes(draft.column.name) + " of " + what_;
    const std::string advice = "write json = \"payload.card.country\"";
    if (!expect_kind(*draft.json, Kind::string, what, advice, errors_)) return;
    const SourcePosition& place = draft.json->value.position;
    auto path = data::parse_json_path(draft.json->value.text);
    if (!path)
      return errors_.report(Code::bad_toml_value, place, path.error().message, path.error().advice);
    const auto holder = std::ranges::find(
        drafts_, path->column, [](const ColumnDraft& other) { return other.column.name; });
    if (holder == drafts_.end()) {
      const std::string close = did_you_mean(path->column, column_names());
      return errors_.report(Code::unknown_column, place,
                            "unknown column " + in_quotes(path->column),
                            close.empty() ? "declare the column that holds the JSON text" : close);
    }
    if (holder->json != nullptr ||
        (holder->column.type != Type::string && holder->column.type != Type::null))
      return errors_.report(Code::type_error, place,
                            "column " + in_quotes(path->column) + " of " + what_ +
                                (holder->json ? " is itself taken out of JSON"
                                              : " holds no JSON text, it is " +
                                                    std::string(data::name(holder->column.type))),
                            "name a column of type string, with the whole path into its text");
    if (!draft.known) draft.known = holder->known;
    draft.column.json = std::move(*path);
  }

  ColumnDraft read_column(const TomlEntry& entry) {
    ColumnDraft draft;
    draft.column.name = entry.key;
    const std::string what = "column " + in_quotes(entry.key) + " of " + what_;
    expect_column_name(entry, what);
    if (entry.value.kind == Kind::string) {
      draft.column.type = read_type(entry.value);
      return draft;
    }
    if (!expect_kind(entry, Kind::table, what_, "write " + entry.key + " = { type = \"int32\" }",
                     errors_))
      return draft;
    TableReader reader(entry.value, entry.position, what, errors_);
    const TomlEntry* type =
        reader.require("type", "write type = \"int32\", \"string\", \"timestamp\", …");
    if (type && expect_kind(*type, Kind::string, what, "write it in quotes", errors_))
      draft.column.type = read_type(type->value);
    draft.column.nullable = reader.boolean("nullable").value_or(false);
    draft.known = reader.take("known");
    draft.json = reader.take("json");
    read_rules(reader, draft.column);
    read_column_rules(reader, draft.column, errors_);
    reader.finish();
    return draft;
  }

  void expect_column_name(const TomlEntry& entry, const std::string& what) {
    constexpr std::size_t kLongest = 256;
    const bool control = std::any_of(entry.key.begin(), entry.key.end(), [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    });
    if (!entry.key.empty() && entry.key.size() <= kLongest && !control &&
        entry.key.find('.') == std::string::npos)
      return;
    errors_.report(Code::bad_toml_value, entry.position, "bad name for " + what,
                   "a column's name has 1 to 256 bytes, no dot and no control character");
  }

  static bool is_column_type(Type type) {
    if (!data::is_list(type)) return true;
    return data::element_of(type) == Type::float32 && data::list_length(type) > 0;
  }

  Type read_type(const TomlValue& value) {
    const auto type = data::parse_type(value.text);
    if (type && !is_column_type(*type)) {
      errors_.report(Code::unsupported, value.position,
                     "a column cannot be " + in_quotes(data::name(*type)),
                     "columns hold list<float32>(n), n from 1 to 4096");
      return Type::null;
    }
    if (type) return *type;
    std::vector<std::string> names;
    for (int i = 0; i < static_cast<int>(Type::duration); ++i)
      names.emplace_back(data::name(static_cast<Type>(i)));
    if (value.text.starts_with("decimal")) names.clear();  // its own advice is better
    const std::string advice = did_you_mean(value.text, names);
    errors_.report(type.error().code, value.position, type.error().message,
                   advice.empty() ? type.error().advice : advice);
    return Type::null;
  }

  void read_rules(TableReader& reader, SourceColumn& column) {
    column.min = read_bound(reader.take("min"), column, reader.what());
    column.max = read_bound(reader.take("max"), column, reader.what());
    const TomlEntry* pattern = reader.take("pattern");
    if (pattern && expect_string_column(*pattern, column, reader.what()))
      read_pattern(*pattern, column);
    const TomlEntry* allowed = reader.take("enum");
    if (allowed && expect_string_column(*allowed, column, reader.what()))
      read_allowed(*allowed, column);
    if (column.min && column.max && *column.min > *column.max)
      errors_.report(Code::bad_toml_value, reader.where(),
                     "min of " + reader.what() + " is above its max", "no value could pass");
  }

  std::optional<data::Value> read_bound(const TomlEntry* entry, const SourceColumn& column,
                                        const std::string& what) {
    if (!entry || column.type == Type::null) return std::nullopt;
    const TomlValue& value = entry->value;
    const bool ordered =
        data::is_number(column.type) || column.type == Type::timestamp || column.type == Type::date;
    if (const auto bound = typed_value(value, column.type); bound && ordered) return bound;
    errors_.report(Code::bad_toml_value, value.position,
                   in_quotes(entry->key) + " of " + what + " does not fit its type " +
                       std::string(data::name(column.type)),
                   column.type == Type::string  ? "a string has a pattern or an enum"
                   : data::is_list(column.type) ? "a list has no bounds"
                                                : "write a value of that type, without quotes");
    return std::nullopt;
  }

  bool expect_string_column(const TomlEntry& entry, const SourceColumn& column,
                            const std::string& what) {
    if (column.type == Type::string || column.type == Type::null) return true;
    errors_.report(Code::bad_toml_value, entry.position,
                   in_quotes(entry.key) + " of " + what + " is for strings only",
                   "use min and max");
    return false;
  }

  void read_pattern(const TomlEntry& entry, SourceColumn& column) {
    if (!expect_kind(entry, Kind::string, what_, "write it in quotes", errors_)) return;
    const re2::RE2 compiled(entry.value.text, re2::RE2::Quiet);
    if (!compiled.ok())
      errors_.report(Code::bad_toml_value, entry.value.position,
                     "the pattern is not a regular expression: " + compiled.error(),
                     "RE2 syntax, such as \"[A-Z0-9]{3}\"; it must match the whole text");
    column.pattern = entry.value.text;
  }

  void read_allowed(const TomlEntry& entry, SourceColumn& column) {
    for (const auto* text : strings_of(entry, what_, "write enum = [\"a\", \"b\"]", errors_))
      column.allowed.push_back(text->text);
    std::sort(column.allowed.begin(), column.allowed.end());
    column.allowed.erase(std::unique(column.allowed.begin(), column.allowed.end()),
                         column.allowed.end());
    if (entry.value.kind == Kind::array && entry.value.items.empty())
      errors_.report(Code::bad_toml_value, entry.value.position, "an enum without values",
                     "no value could pass");
  }

  void read_time(const TomlEntry* time) {
    if (!time || source_.time_column.empty()) return;
    source_.time_index = source_.schema.index_of(source_.time_column);
    const SourcePosition& place = time->value.position;
    if (source_.time_index < 0) {
      const std::string advice = did_you_mean(source_.time_column, column_names());
      errors_.report(
          Code::unknown_column, place, "unknown column " + in_quotes(source_.time_column),
          advice.empty() ? "declare it in [source." + source_.name + ".columns]" : advice);
      return;
    }
    const data::Field& field = source_.schema.fields[static_cast<std::size_t>(source_.time_index)];
    if (field.type != Type::timestamp && field.type != Type::null)
      errors_.report(Code::type_error, place,
                     "the event time of " + what_ + " must be timestamp, not " +
                         std::string(data::name(field.type)),
                     "declare " + field.name + " = { type = \"timestamp\" }");
    if (field.nullable)
      errors_.report(Code::bad_toml_value, place, "the event time of " + what_ + " may not be null",
                     "leave out nullable and environments; rows without a time go to quarantine");
  }

  std::vector<std::string> column_names() const {
    std::vector<std::string> names;
    for (const auto& field : source_.schema.fields) names.push_back(field.name);
    return names;
  }

  // semantics: T1 T2
  void read_known(const TomlEntry* known) {
    source_.known = read_row_known(known);
    for (auto& draft : drafts_) {
      notes_.column_known_text.push_back(draft.known ? draft.known->value.text : "");
      const std::string what = "column " + in_quotes(draft.column.name) + " of " + what_;
      if (draft.known) draft.column.known = column_known(*draft.known, what);
      source_.columns.push_back(std::move(draft.column));
    }
    for (std::size_t i = 0; i < drafts_.size(); ++i) check_not_before_text(i);
  }

  // semantics: D2. What is taken out of a text cannot be known before it.
  void check_not_before_text(std::size_t index) {
    const SourceColumn& column = source_.columns[index];
    if (!column.json || !column.known) return;
    const auto& holder =
        *std::ranges::find(source_.columns, column.json->column, &SourceColumn::name);
    const ExprPtr& text_known = holder.known ? holder.known : source_.known;
    if (!text_known || KnownOrder(source_).at_most(*text_known, *column.known)) return;
    errors_.report(Code::leak, drafts_[index].known->value.position,
                   "column " + in_quotes(column.name) + " of " + what_ +
                       " may be known before the text that it is taken out of, " +
                       in_quotes(holder.name) + ", which is known at " + canonical(*text_known),
                   "leave `known` out: it is then known when its text is");
  }

  ExprPtr column_known(const TomlEntry& entry, const std::string& what) {
    ExprPtr expr = known_expression(entry, what);
    if (!expr || !is_always_null(*expr)) return expr;
    errors_.report(Code::no_known_time, entry.value.position,
                   "the known time of " + what + " is null for every row: nothing could read it",
                   "leave `known` out for a column that is known when its row is");
    return nullptr;
  }

  ExprPtr read_row_known(const TomlEntry* known) {
    const std::string both =
        "write known = \"<expression>\", such as \"" + time_text() +
        " + 40min\", or known = \"event time\" if every row is known the moment "
        "it happens";
    if (!known) {
      errors_.report(Code::no_known_time, entry_.position,
                     what_ + " does not say when its rows become known", both);
      return nullptr;
    }
    notes_.known_text = known->value.text;
    ExprPtr expr = known_expression(*known, what_);
    if (expr && is_always_null(*expr)) {
      errors_.report(
          Code::no_known_time, known->value.position,
          "the known time of " + what_ + " is null for every row: none would ever be known", both);
      return nullptr;
    }
    source_.known_is_event_time = known->value.text == kEventTime;
    if (expr && !source_.known_is_event_time && expr->op == Op::column &&
        expr->column == source_.time_index)
      errors_.report(Code::no_known_time, known->value.position,
                     what_ + " says only that its rows are known at their event time", both);
    return expr;
  }

  std::string time_text() const { return source_.time_column.empty() ? "ts" : source_.time_column; }

  ExprPtr known_expression(const TomlEntry& entry, const std::string& what) {
    const std::string advice = "write an expression such as \"" + time_text() + " + 40min\"";
    if (!expect_kind(entry, Kind::string, what, advice, errors_)) return nullptr;
    RowScope scope(source_.schema, what_, &draft_.project);
    if (entry.value.text == kEventTime) return scope.find(source_.time_column).expr;
    return check_expression_of(Type::timestamp, ExpressionText::of(entry.value), scope,
                               "the known time of " + what, advice, errors_);
  }

  const TomlEntry& entry_;
  Draft& draft_;
  Diagnostics& errors_;
  std::string what_;
  Source source_;
  SourceNotes notes_;
  std::vector<ColumnDraft> drafts_;
};

}  // namespace

void read_sources(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [source.NAME]", errors)) return;
  for (const auto& source : entry.value.entries) SourceReader(source, draft, errors).read();
}

}  // namespace coeval::define
