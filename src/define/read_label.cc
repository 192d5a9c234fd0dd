#include "define/read_label.h"

#include <algorithm>

#include "base/time.h"
#include "define/build.h"
#include "define/checker.h"
#include "define/known_order.h"
#include "define/read_window.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr auto kEventsAdvice =
    "write label = { value = \"amount > 0\", from = \"chargebacks\", by = [\"card\"], within = "
    "\"60d\" }";

class LabelReader {
 public:
  LabelReader(const TomlEntry& entry, const Draft& draft, Model& model, Diagnostics& errors)
      : entry_(entry),
        draft_(draft),
        model_(model),
        errors_(errors),
        what_("the label of model " + in_quotes(model.name)) {
    notes_.position = entry.value.position;
  }

  LabelNotes read() {
    if (model_.source < 0) return notes_;
    if (entry_.value.kind == Kind::table)
      read_table();
    else if (expect_kind(entry_, Kind::string, "model " + in_quotes(model_.name), advice(),
                         errors_))
      read_value(entry_.value, model_.source);
    return notes_;
  }

 private:
  static constexpr auto kAdvice =
      "write a comparison such as \"delay >= 15\", or kind = \"regression\" for a label that is a "
      "number";
  static constexpr auto kNumberAdvice = "write a number such as \"delay\"";
  static constexpr auto kClassAdvice =
      "write a text such as \"carrier\", or \"case when delay < 15 then 'on time' else 'late' "
      "end\"";
  static constexpr auto kGradeAdvice =
      "write a whole number from 0 (not relevant) to 31, such as \"grade\", or \"if(clicked, 1, "
      "0)\"";
  const char* advice() const {
    if (model_.kind == ModelKind::ranking) return kGradeAdvice;
    if (model_.kind == ModelKind::multiclass) return kClassAdvice;
    return model_.kind == ModelKind::regression ? kNumberAdvice : kAdvice;
  }

  const Source& source(int index) const {
    return draft_.project.sources[static_cast<std::size_t>(index)];
  }

  void read_table() {
    TableReader reader(entry_.value, entry_.position, what_, errors_);
    const TomlEntry* value = reader.require("value", advice());
    const TomlEntry* from = reader.take("from");
    const TomlEntry* known = reader.take("known");
    const TomlEntry* by = reader.take("by");
    const TomlEntry* within = reader.take("within");
    reader.finish();
    if (from && model_.kind != ModelKind::binary) {
      errors_.report(Code::unsupported, from->position,
                     what_ + " comes from events, which is not in this version for kind = " +
                         in_quotes(name(model_.kind)),
                     "write it as an expression over the question's own row, or kind = "
                     "\"binary\" for whether an event happens");
      return;
    }
    if (from) {
      read_events(*from, by, within);
      if (known)
        errors_.report(Code::bad_toml_value, known->position,
                       what_ + " comes from events, which say themselves when they are known",
                       "leave `known` out");
    } else if (by || within) {
      errors_.report(Code::missing_toml_key, (by ? by : within)->position,
                     what_ + " has " + in_quotes((by ? by : within)->key) + " but no 'from'",
                     kEventsAdvice);
    }
    const int of = from ? (model_.label_events ? model_.label_events->source : -1) : model_.source;
    if (value && of >= 0 && expect_kind(*value, Kind::string, what_, advice(), errors_)) {
      if (known && !from) read_known(*known);
      read_value(value->value, of);
    }
  }

  // semantics: D2. The maturity of the label.
  void read_known(const TomlEntry& entry) {
    const std::string advice =
        "write an expression such as \"" + source(model_.source).time_column + " + 7d\"";
    if (!expect_kind(entry, Kind::string, what_, advice, errors_)) return;
    RowScope scope(source(model_.source).schema, "source " + in_quotes(source(model_.source).name),
                   &draft_.project);
    model_.label_matures =
        check_expression_of(Type::timestamp, ExpressionText::of(entry.value), scope,
                            "the known time of " + what_, advice, errors_);
    notes_.matures_text = entry.value.text;
  }

  void read_value(const TomlValue& value, int of) {
    RowScope scope(source(of).schema, "source " + in_quotes(source(of).name), &draft_.project);
    model_.label = model_.kind == ModelKind::regression ? number(value, scope)
                   : model_.kind == ModelKind::ranking  ? grade(value, scope)
                   : model_.kind == ModelKind::multiclass
                       ? check_expression_of(Type::string, ExpressionText::of(value), scope, what_,
                                             kClassAdvice, errors_)
                       : check_expression_of(Type::boolean, ExpressionText::of(value), scope, what_,
                                             kAdvice, errors_);
    if (!model_.label) return;
    notes_.position = value.position;
    // An event is a label by being there; a row's own label must depend on the row.
    if (columns_read(*model_.label).empty() && !model_.label_events) {
      errors_.report(Code::type_error, value.position, what_ + " reads no column", advice());
      model_.label = nullptr;
      return;
    }
    model_.label_known = label_known(draft_, model_);
  }

  // The label of a ranking: a whole number.
  ExprPtr grade(const TomlValue& value, RowScope& scope) {
    ExprPtr expr = check_expression(ExpressionText::of(value), scope, errors_);
    if (!expr || data::is_integer(expr->type)) return expr ? cast_to(Type::int64, expr) : nullptr;
    errors_.report(
        Code::type_error, value.position,
        what_ + " must be a whole number in a ranking, not " + std::string(data::name(expr->type)),
        expr->type == Type::boolean ? "write \"if(…, 1, 0)\"" : kGradeAdvice);
    return nullptr;
  }

  // The label of a regression: what the row holds, as a double.
  ExprPtr number(const TomlValue& value, RowScope& scope) {
    ExprPtr expr = check_expression(ExpressionText::of(value), scope, errors_);
    if (!expr || data::is_number(expr->type)) return expr ? cast_to(Type::float64, expr) : nullptr;
    std::string instead = kNumberAdvice;
    if (expr->type == Type::boolean)
      instead =
          "leave kind out: a condition is the label of kind = \"binary\", which is the default";
    else if (expr->type == Type::duration)
      instead = "divide it by a unit: \"(landed - planned) / 1min\"";
    errors_.report(
        Code::type_error, value.position,
        what_ + " must be a number in a regression, not " + std::string(data::name(expr->type)),
        instead);
    return nullptr;
  }

  void read_events(const TomlEntry& from, const TomlEntry* by, const TomlEntry* within) {
    LabelEvents events;
    if (expect_kind(from, Kind::string, what_, kEventsAdvice, errors_)) read_from(from, events);
    if (!within)
      errors_.report(Code::missing_toml_key, entry_.position, what_ + " has no 'within'",
                     kEventsAdvice);
    else if (expect_kind(*within, Kind::string, what_, kEventsAdvice, errors_))
      events.within_us =
          read_duration(within->value, within->value.text, "within", 1, errors_).value_or(0);
    if (!by)
      errors_.report(Code::missing_toml_key, entry_.position, what_ + " has no 'by'",
                     kEventsAdvice);
    else if (events.source >= 0)
      read_keys(*by, events);
    if (events.source >= 0) model_.label_events = std::move(events);
  }

  void read_from(const TomlEntry& from, LabelEvents& events) {
    events.source = draft_.project.source_index(from.value.text);
    if (events.source >= 0) return;
    std::vector<std::string> names;
    for (const auto& each : draft_.project.sources) names.push_back(each.name);
    const std::string advice = did_you_mean(from.value.text, names);
    errors_.report(Code::unknown_name, from.value.position,
                   "unknown source " + in_quotes(from.value.text),
                   advice.empty() ? "the sources are " + listed(names) : advice);
  }

  void read_keys(const TomlEntry& by, LabelEvents& events) {
    const auto keys = strings_of(by, what_, kEventsAdvice, errors_);
    if (by.value.kind == Kind::array && keys.empty() && by.value.items.empty())
      errors_.report(Code::bad_toml_value, by.value.position,
                     what_ + " has no keys: any event would make every row positive",
                     kEventsAdvice);
    for (const auto* key : keys) {
      const int here = find_key(*key, model_.source), there = find_key(*key, events.source);
      if (here < 0 || there < 0) continue;
      if (std::ranges::count(events.keys, key->text)) {
        errors_.report(Code::duplicate_name, key->position,
                       "key " + in_quotes(key->text) + " stands twice", "name each key once");
        continue;
      }
      check_key_types(*key, here, events.source, there);
      events.keys.push_back(key->text);
      events.question_columns.push_back(here);
      events.event_columns.push_back(there);
    }
    events.keys_known = columns_known(source(model_.source), events.question_columns);
  }

  int find_key(const TomlValue& key, int of) {
    const int column = source(of).schema.index_of(key.text);
    if (column >= 0) return column;
    const std::string advice = did_you_mean(key.text, RowScope(source(of).schema, "").names());
    errors_.report(Code::unknown_column, key.position,
                   "source " + in_quotes(source(of).name) + " has no column " + in_quotes(key.text),
                   advice.empty() ? "the keys are columns of both sources" : advice);
    return -1;
  }

  void check_key_types(const TomlValue& key, int here, int events, int there) {
    const Type a = source(model_.source).schema.fields[static_cast<std::size_t>(here)].type;
    const Type b = source(events).schema.fields[static_cast<std::size_t>(there)].type;
    if (a == Type::null || b == Type::null) return;
    if (a == b && (data::is_integer(a) || a == Type::string || a == Type::boolean)) return;
    errors_.report(Code::type_error, key.position,
                   "key " + in_quotes(key.text) + " is " + std::string(data::name(a)) +
                       " in source " + in_quotes(source(model_.source).name) + " and " +
                       std::string(data::name(b)) + " in source " + in_quotes(source(events).name),
                   "keys have one type in both: string, an integer or bool");
  }

  const TomlEntry& entry_;
  const Draft& draft_;
  Model& model_;
  Diagnostics& errors_;
  std::string what_;
  LabelNotes notes_;
};

}  // namespace

LabelNotes read_label(const TomlEntry& entry, const Draft& draft, Model& model,
                      Diagnostics& errors) {
  return LabelReader(entry, draft, model, errors).read();
}

void check_maturity(const TomlEntry& split, const Draft& draft, const Model& model,
                    Diagnostics& errors) {
  const std::int64_t length = model.split.validate_until_us - model.split.train_until_us;
  if (model.at_index < 0 || !model.label_known || length <= 0) return;
  const Source& source = draft.project.sources[static_cast<std::size_t>(model.source)];
  bool too_long = false;
  if (model.label_events) {
    too_long = model.label_events->within_us >= length;
  } else {
    const ExprPtr at = make_column(model.at_index, model.at_column, Type::timestamp);
    const ExprPtr end =
        make_node(Op::add, Type::timestamp, {at, make_literal(Type::duration, length)});
    too_long = KnownOrder(source).at_most(*end, *model.label_known);
  }
  if (!too_long) return;
  errors.report(Code::bad_split, split.value.position,
                "the validation part of model " + in_quotes(model.name) + " is " +
                    format_duration(length) +
                    " long, and a label is known later than that after its question: none would be "
                    "known by the end of the part",
                "move validate_until, so that the part is longer than the label's maturity");
}

}  // namespace coeval::define
