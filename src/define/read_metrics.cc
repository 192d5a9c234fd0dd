#include "define/read_metrics.h"

#include <algorithm>
#include <array>
#include <set>

#include "define/build.h"
#include "define/checker.h"
#include "define/model_metrics.h"
#include "define/scope.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

using data::Type;
using Kind = TomlValue::Kind;

constexpr std::size_t kMostMetrics = 50;

// What else stands where metrics are named: gates, and the members of metrics.json.
constexpr std::array<std::string_view, 22> kTaken = {"worst_slice",
                                                     "better_than",
                                                     "not_worse_than",
                                                     "no_slice_worse_than",
                                                     "on",
                                                     "margin",
                                                     "slice_margin",
                                                     "core_hour",
                                                     "leak",
                                                     "latency",
                                                     "size",
                                                     "cost_per_million",
                                                     "rows",
                                                     "positives",
                                                     "log_loss_clip",
                                                     "calibration_bins",
                                                     "confusion",
                                                     "curves",
                                                     "intervals",
                                                     "interval_unit",
                                                     "interval_units",
                                                     "auc_delong"};

bool is_taken(std::string_view name) {
  const auto metrics = gate_metrics(Model());  // those of other kinds are looked at by model
  return std::ranges::count(metrics, name) > 0 || std::ranges::count(kTaken, name) > 0;
}

// The same of a regression's gates and report, which a binary model's metric may have.
bool has_own_metric(const Model& model, std::string_view metric) {
  constexpr std::array<std::string_view, 8> kReport = {
      "classes", "classes_with_auc",        "label_mean", "mape_rows_near_zero", "pinball", "plots",
      "queries", "queries_without_relevant"};
  const auto own = gate_metrics(model);
  if (model.kind == ModelKind::binary) return false;
  return std::ranges::count(own, metric) > 0 || std::ranges::count(kReport, metric) > 0;
}

std::string what_of(std::string_view name) { return "metric " + in_quotes(name); }

std::optional<Metric::Kind> read_kind(const TomlEntry& entry, const std::string& what,
                                      Diagnostics& errors) {
  const std::string advice = "write kind = \"mean\", \"sum\", \"proportion\" or \"ratio\"";
  if (!expect_kind(entry, Kind::string, what, advice, errors)) return std::nullopt;
  for (const auto kind :
       {Metric::Kind::sum, Metric::Kind::mean, Metric::Kind::proportion, Metric::Kind::ratio})
    if (entry.value.text == name(kind)) return kind;
  const bool later = entry.value.text == "retention" || entry.value.text == "quantile";
  errors.report(later ? Code::unsupported : Code::bad_toml_value, entry.value.position,
                later
                    ? "kind " + in_quotes(entry.value.text) + " of a metric is not in this version"
                    : "unknown kind " + in_quotes(entry.value.text) + " of " + what,
                advice);
  return std::nullopt;
}

std::optional<ExpressionText> expression(const TomlEntry* entry, const std::string& what,
                                         Diagnostics& errors) {
  const std::string advice = "write value = \"if(decision and label, 100, 0)\"";
  if (entry == nullptr || !expect_kind(*entry, Kind::string, what, advice, errors))
    return std::nullopt;
  return ExpressionText::of(entry->value);
}

void read_metric(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  const std::string what = what_of(entry.key);
  if (!expect_name(entry, "a metric", errors) ||
      !expect_kind(entry, Kind::table, "[metric]", "write [metric." + entry.key + "]", errors))
    return;
  if (is_taken(entry.key)) {
    errors.report(Code::duplicate_name, entry.position,
                  what + " has the name of something that gates or reports have already",
                  "give it another name");
    return;
  }
  TableReader reader(entry.value, entry.position, what, errors);
  const TomlEntry* kind = reader.require("kind", "write kind = \"mean\"");
  const TomlEntry* value =
      reader.require("value", "write value = \"if(decision and label, 100, 0)\"");
  const TomlEntry* divisor = reader.take("divisor");
  const auto better = reader.string("better");
  reader.finish();
  MetricText text;
  text.position = entry.position;
  if (better && *better != "higher" && *better != "lower")
    errors.report(Code::bad_toml_value, entry.value.find("better")->value.position,
                  "better of " + what + " cannot be " + in_quotes(*better),
                  "write better = \"higher\" or \"lower\"");
  text.higher_is_better = better.value_or("higher") == "higher";
  const auto read = kind ? read_kind(*kind, what, errors) : std::nullopt;
  auto first = expression(value, what, errors), second = expression(divisor, what, errors);
  if (!read || !first || (divisor && !second)) return;
  text.kind = *read;
  const bool is_ratio = text.kind == Metric::Kind::ratio;
  if (is_ratio != (divisor != nullptr)) {
    errors.report(is_ratio ? Code::missing_toml_key : Code::bad_toml_value,
                  is_ratio ? entry.position : divisor->position,
                  is_ratio ? what + " is a ratio and has no divisor"
                           : "only a ratio has a divisor, but " + what + " is a " +
                                 std::string(name(text.kind)),
                  is_ratio ? "write divisor = \"if(decision, 1, 0)\""
                           : "leave divisor out, or write kind = \"ratio\"");
    return;
  }
  text.value = std::move(*first);
  if (second) text.divisor = std::move(*second);
  draft.metrics.emplace(entry.key, std::move(text));
}

// The answer of a model, then the question's row.
data::Schema answered_schema(const Source& source, ModelKind kind) {
  data::Schema schema;
  const Type answer = kind == ModelKind::binary ? Type::boolean : Type::string;
  schema.fields = {
      {"score", Type::float64, false}, {"decision", answer, false}, {"label", answer, false}};
  if (kind == ModelKind::regression || kind == ModelKind::ranking)
    schema.fields = {{"score", Type::float64, false}, {"label", Type::float64, false}};
  for (const auto& field : source.schema.fields)
    if (schema.index_of(field.name) < 0) schema.fields.push_back(field);
  return schema;
}

// So many leading columns of that are the answer.
std::size_t schema_answers(ModelKind kind) {
  return kind == ModelKind::regression || kind == ModelKind::ranking ? 2 : 3;
}

ExprPtr typed(const ExpressionText& text, const data::Schema& schema, const std::string& what,
              bool condition, const Draft& draft, const Source& source, Diagnostics& errors) {
  RowScope scope(schema, "an answered question of source " + in_quotes(source.name),
                 &draft.project);
  if (condition)
    return check_expression_of(Type::boolean, text, scope, "the value of " + what,
                               "a proportion is of a condition: \"decision and label\"", errors);
  ExprPtr expr = check_expression(text, scope, errors);
  if (!expr || expr->type == Type::null) return expr;
  if (data::is_number(expr->type) || expr->type == Type::boolean) return expr;
  errors.report(Code::type_error, text.start,
                "the value of " + what + " must be a number, but it is " +
                    std::string(data::name(expr->type)),
                "write what a row is worth: \"if(decision and label, 100, 0)\"");
  return nullptr;
}

std::optional<Metric> typed_metric(const std::string& metric_name, const MetricText& text,
                                   ModelKind kind, const Draft& draft, const Source& source,
                                   Diagnostics& errors) {
  const data::Schema all = answered_schema(source, kind);
  const std::string what = what_of(metric_name);
  Metric metric{.name = metric_name,
                .kind = text.kind,
                .higher_is_better = text.higher_is_better,
                .value = {},
                .divisor = {},
                .schema = {},
                .answer_columns = schema_answers(kind)};
  const bool condition = text.kind == Metric::Kind::proportion;
  metric.value = typed(text.value, all, what, condition, draft, source, errors);
  const bool is_ratio = text.kind == Metric::Kind::ratio;
  if (is_ratio) metric.divisor = typed(text.divisor, all, what, false, draft, source, errors);
  if (!metric.value || (is_ratio && !metric.divisor)) return std::nullopt;
  // Of the row only what is read.
  std::set<int> read;
  for (const ExprPtr& expr : {metric.value, metric.divisor})
    if (expr)
      for (const int column : columns_read(*expr)) read.insert(column);
  std::vector<int> places(all.fields.size(), -1);
  for (std::size_t field = 0; field < all.fields.size(); ++field) {
    if (field >= metric.answer_columns && !read.contains(static_cast<int>(field))) continue;
    places[field] = static_cast<int>(metric.schema.fields.size());
    metric.schema.fields.push_back(all.fields[field]);
  }
  metric.value = renumber(metric.value, places);
  if (metric.divisor) metric.divisor = renumber(metric.divisor, places);
  return metric;
}

const Source* source_of(const Draft& draft, const Model& model) {
  return model.source < 0 ? nullptr
                          : &draft.project.sources[static_cast<std::size_t>(model.source)];
}

}  // namespace

void read_metrics(const TomlEntry& entry, Draft& draft, Diagnostics& errors) {
  if (!expect_kind(entry, Kind::table, "the definition", "write [metric.NAME]", errors)) return;
  for (const auto& metric : entry.value.entries) {
    if (draft.metrics.size() == kMostMetrics) {
      errors.report(Code::bad_toml_value, metric.position,
                    "there are more than " + std::to_string(kMostMetrics) + " metrics",
                    "leave out what no gate and no report needs");
      return;
    }
    read_metric(metric, draft, errors);
  }
}

bool use_metric(std::string_view metric_name, const Draft& draft, Model& model,
                Diagnostics& errors) {
  const auto text = draft.metrics.find(metric_name);
  if (text == draft.metrics.end()) return false;
  const Source* source = source_of(draft, model);
  if (source == nullptr) return true;
  auto& metrics = model.metrics;
  if (std::ranges::find(metrics, metric_name, &Metric::name) != metrics.end()) return true;
  if (has_own_metric(model, metric_name)) {
    errors.report(Code::duplicate_name, text->second.position,
                  what_of(metric_name) + " has the name of one that every model of kind \"" +
                      std::string(name(model.kind)) + "\" has, or its report",
                  "give it another name");
    return true;
  }
  auto metric = typed_metric(text->first, text->second, model.kind, draft, *source, errors);
  if (metric) metrics.push_back(std::move(*metric));
  return true;
}

void read_model_metrics(const TomlEntry* list, const TomlEntry* gates, const Draft& draft,
                        Model& model, Diagnostics& errors) {
  const std::string what = "model " + in_quotes(model.name);
  const std::string advice = "write metrics = [\"saved_cost\"]";
  std::vector<std::string> known;
  for (const auto& [metric_name, text] : draft.metrics) known.push_back(metric_name);
  if (list != nullptr)
    for (const auto* text : strings_of(*list, "metrics of " + what, advice, errors)) {
      if (use_metric(text->text, draft, model, errors)) continue;
      const std::string near = did_you_mean(text->text, known);
      errors.report(Code::unknown_name, text->position, "unknown metric " + in_quotes(text->text),
                    !near.empty() ? near
                    : is_taken(text->text)
                        ? "that one is always measured; metrics = [...] lists those of [metric]"
                        : "define it as [metric." + text->text + "]");
    }
  const auto use_keys = [&](const TomlValue& table) {
    if (table.kind != Kind::table) return;
    for (const auto& gate : table.entries) use_metric(gate.key, draft, model, errors);
  };
  if (gates != nullptr) {
    use_keys(gates->value);
    if (const auto* worst = gates->value.find("worst_slice")) use_keys(worst->value);
    if (const auto* on = gates->value.find("on"); on && on->value.kind == Kind::string)
      use_metric(on->value.text, draft, model, errors);
  }
  std::ranges::sort(model.metrics, {}, &Metric::name);
}

void check_unused_metrics(const Draft& draft, Diagnostics& errors) {
  std::set<int> sources;
  for (const auto& model : draft.project.models)
    if (model.source >= 0) sources.insert(model.source);
  for (std::size_t s = 0; sources.empty() && s < draft.project.sources.size(); ++s)
    sources.insert(static_cast<int>(s));
  for (const auto& [metric_name, text] : draft.metrics) {
    const auto names = [&](const Model& model) {
      return std::ranges::count(model.metrics, metric_name, &Metric::name) > 0;
    };
    if (std::ranges::any_of(draft.project.models, names)) continue;
    std::optional<std::vector<Error>> first;
    bool good = false;
    for (const int source : sources)
      for (const ModelKind kind : kModelKinds) {
        Diagnostics found = errors.apart();
        if (typed_metric(metric_name, text, kind, draft,
                         draft.project.sources[static_cast<std::size_t>(source)], found))
          good = true;
        if (!first) first = found.take();
      }
    if (good || !first) continue;
    for (auto& error : *first)
      errors.report(error.code, error.position, std::move(error.message), std::move(error.advice));
  }
}

}  // namespace coeval::define
