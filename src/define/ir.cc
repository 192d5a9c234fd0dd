#include "define/ir.h"

#include <array>
#include <charconv>
#include <set>

#include "define/build.h"
#include "define/event_lookups.h"

namespace coeval::define {

namespace {

// Text that a person chose, so that no choice can look like the lines around it.
std::string text_of(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string number_of(double value) {
  std::array<char, 32> buffer{};
  return {buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr};
}

std::string bound_of(const data::Value& value, data::Type type) {
  if (data::is_decimal(type)) return data::to_text(value, type);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  return number_of(std::get<double>(value));
}

std::string line(int indent, std::string_view key, std::string_view value) {
  std::string text(static_cast<std::size_t>(indent) * 2, ' ');
  text += key;
  text += ' ';
  text += value;
  return text + "\n";
}

// Of most columns nothing, as before there were any.
std::string further_rules_ir(const SourceColumn& column) {
  const auto decides = [&](std::string_view rule) {
    return column.severity_of(rule) == Severity::error;
  };
  std::string text;
  if (column.min_length && decides("min_length"))
    text += line(2, "min_length", std::to_string(*column.min_length));
  if (column.max_length && decides("max_length"))
    text += line(2, "max_length", std::to_string(*column.max_length));
  if (column.max_ahead_us && decides("max_ahead"))
    text += line(2, "max_ahead", std::to_string(*column.max_ahead_us) + "us");
  if (!column.finite) text += line(2, "finite", "or not");
  // Where a column may be null anyhow, it may be absent.
  if (!column.nullable && !column.in_serve) text += line(2, "only_in", "train");
  if (!column.nullable && !column.in_train) text += line(2, "only_in", "serve");
  return text;
}

// The rules of a column that decide which rows there are: what only warns decides nothing.
std::string column_rules_ir(const SourceColumn& column) {
  const auto decides = [&](std::string_view rule) {
    return column.severity_of(rule) == Severity::error;
  };
  std::string text;
  if (column.min && decides("min")) text += line(2, "min", bound_of(*column.min, column.type));
  if (column.max && decides("max")) text += line(2, "max", bound_of(*column.max, column.type));
  if (column.pattern && decides("pattern")) text += line(2, "pattern", text_of(*column.pattern));
  if (decides("enum"))
    for (const auto& allowed : column.allowed) text += line(2, "enum", text_of(allowed));
  return text + further_rules_ir(column);
}

std::string column_ir(const SourceColumn& column) {
  std::string text = line(1, "column",
                          text_of(column.name) + " " + std::string(data::name(column.type)) +
                              (column.nullable ? " nullable" : ""));
  text += column_rules_ir(column);
  if (column.json) text += line(2, "json", text_of(column.json->text()));
  text += line(2, "known", column.known ? canonical(*column.known) : "with the row");
  return text;
}

// What an aggregate takes besides its first argument.
std::string constants_ir(const Aggregate& aggregate) {
  switch (aggregate.kind) {
    case Aggregation::ratio:
      return ", " + canonical(*aggregate.divisor);
    case Aggregation::lag:
    case Aggregation::last_k:
    case Aggregation::top_k:
      return ", " + std::to_string(aggregate.k);
    case Aggregation::quantile:
      return ", " + number_of(aggregate.p);
    case Aggregation::decayed_sum:
    case Aggregation::decayed_mean:
      return ", " + std::to_string(aggregate.half_life_us) + "us";
    default:
      return {};
  }
}

std::string aggregate_ir(const Aggregate& aggregate) {
  std::string text(name(aggregate.kind));
  text += "(" + (aggregate.argument ? canonical(*aggregate.argument) : std::string());
  text += constants_ir(aggregate) + ")";
  if (aggregate.where) text += " where " + canonical(*aggregate.where);
  text += " " + std::string(data::name(aggregate.result));
  if (aggregate.default_value)
    text += " default " + canonical(*make_literal(aggregate.result, *aggregate.default_value));
  if (aggregate.max_age_us)
    text += " max_age " + std::to_string(*aggregate.max_age_us) + "us on_stale " +
            (aggregate.stale_is_refused   ? "refuse"
             : aggregate.stale_is_default ? "default"
                                          : "null");
  return text;
}

std::string window_text(const Window& window) {
  if (window.period != Period::none) return window.text;
  const std::string length = window.us == kAllTime ? "all" : std::to_string(window.us) + "us";
  return window.offset_us == 0 ? length
                               : length + " offset " + std::to_string(window.offset_us) + "us";
}

// How a lookup that a view reads is asked for an event.
std::string looks_up_ir(const Project& project, const EventLookup& lookup) {
  const View& view = project.views[static_cast<std::size_t>(lookup.view)];
  std::string keys;
  for (std::size_t k = 0; k < view.keys.size(); ++k)
    keys += " " + text_of(view.keys[k]) + " = " + canonical(*lookup.keys[k]);
  return line(1, "looks_up", view.name + keys);
}

std::string view_head_ir(const Project& project, const View& view) {
  const Source& source = project.sources[static_cast<std::size_t>(view.source)];
  std::string text = "view " + view.name + "\n";
  if (view.lookup) text += line(1, "lookup", "newest row");
  text += line(1, "from", source.name);
  for (const auto& key : view.keys) text += line(1, "by", text_of(key));
  for (const int lookup : looked_up(source, view).lookups)
    text += looks_up_ir(project, source.lookups[static_cast<std::size_t>(lookup)]);
  text += line(1, "lateness", std::to_string(view.lateness_us) + "us");
  // With the lateness it settles which late events still count, for shorter windows too. (T6)
  const std::int64_t longest = view.longest_window_us();
  return text +
         line(1, "longest_window", longest == kAllTime ? "all" : std::to_string(longest) + "us");
}

// The features of one view that a model reads.
std::string view_part_ir(const Project& project, const View& view, const std::set<int>& features) {
  std::string text = view_head_ir(project, view);
  for (const int feature : features) {
    const auto index = static_cast<std::size_t>(feature);
    const std::size_t windows = view.windows.size();
    text += line(1, "feature",
                 view.feature_name(index) + " " + window_text(view.windows[index % windows]) + " " +
                     aggregate_ir(view.aggregates[index / windows]));
  }
  return text;
}

std::string_view comparison_of(Gate::Kind kind) {
  switch (kind) {
    case Gate::Kind::at_least:
      return ">=";
    case Gate::Kind::at_most:
      return "<=";
    case Gate::Kind::better_than_champion:
      return "better than";
    case Gate::Kind::not_worse_than_champion:
      return "not worse than";
    case Gate::Kind::no_slice_worse:
    case Gate::Kind::no_slice_worse_by:
      return "on no slice worse than";
  }
  return {};
}

std::string gate_ir(const Gate& gate) {
  std::string bound = number_of(gate.bound);
  if (gate.kind == Gate::Kind::better_than_champion) bound = "champion";
  if (gate.kind == Gate::Kind::not_worse_than_champion) bound = "champion by " + bound;
  if (gate.kind == Gate::Kind::no_slice_worse) bound = "champion";
  if (gate.kind == Gate::Kind::no_slice_worse_by) bound = "champion by " + bound;
  return line(1, gate.worst_slice ? "gate_of_each_slice" : "gate",
              gate.metric + " " + std::string(comparison_of(gate.kind)) + " " + bound);
}

std::string training_ir(const Model& model) {
  std::string text = line(1, "trainer", model.trainer);
  if (model.kind != ModelKind::binary) {
    text += line(1, "kind", std::string(name(model.kind)));
    if (model.kind == ModelKind::regression) text += line(1, "loss", loss_text(model.loss));
  }
  if (model.kind == ModelKind::ranking) text += line(1, "k", std::to_string(model.rank_k));
  for (const std::string& each : model.classes) text += line(1, "class", each);
  for (const double cost : model.cost_matrix) text += line(1, "cost", number_of(cost));
  for (const auto& [key, value] : model.params) text += line(1, "param", key + " " + value);
  text += line(1, "rounds", std::to_string(model.rounds));
  text += line(1, "early_stopping_rounds", std::to_string(model.early_stopping_rounds));
  text += line(1, "seed", std::to_string(model.seed));
  if (model.kind == ModelKind::binary) text += line(1, "threshold", number_of(model.threshold));
  text += line(1, "train_until", std::to_string(model.split.train_until_us));
  text += line(1, "validate_until", std::to_string(model.split.validate_until_us));
  text += line(1, "test_until", std::to_string(model.split.test_until_us));
  if (model.split.calibrate_until_us != 0)
    text += line(1, "calibrate_until", std::to_string(model.split.calibrate_until_us));
  if (model.split.threshold_until_us != 0)
    text += line(1, "threshold_until", std::to_string(model.split.threshold_until_us));
  if (model.split.gap_us != 0) text += line(1, "gap", std::to_string(model.split.gap_us) + "us");
  text += training_options_ir(model.training);
  for (const Metric& metric : model.metrics) text += metric_ir(metric);
  for (const auto& gate : model.gates) text += gate_ir(gate);
  return text;
}

std::string question_ir(const Project& project, const Model& model) {
  return line(1, "question",
              project.sources[static_cast<std::size_t>(model.source)].name + " at " +
                  text_of(model.at_column));
}

std::string inputs_ir(const Model& model) {
  std::string text;
  for (const auto& key : model.row.keys)
    text += line(1, "key",
                 text_of(key.value.name) + " " + std::string(data::name(key.value.type)) + " = " +
                     canonical(*key.value.expr));
  for (const auto& input : model.inputs)
    text += line(1, "input",
                 text_of(input.name) + " " + std::string(data::name(input.type)) + " = " +
                     canonical(*input.expr));
  return text;
}

std::string label_events_ir(const Project& project, const LabelEvents& events) {
  std::string text = project.sources[static_cast<std::size_t>(events.source)].name;
  text += " within " + std::to_string(events.within_us) + "us by";
  for (const auto& key : events.keys) text += " " + text_of(key);
  return line(1, "label_events", text + " known " + canonical(*events.keys_known));
}

// The model's own lines.
std::string model_body_ir(const Project& project, const Model& model) {
  return "model " + model.name + "\n" + question_ir(project, model) + label_ir(project, model) +
         inputs_ir(model) + training_ir(model);
}

std::string header(const Project& project) {
  return std::string(kIrHeader) + "\n" + zone_ir(project);
}

}  // namespace

// A zone means what the tables say, and they are revised several times a year. (semantics: T8)
std::string zone_ir(const Project& project) {
  if (!project.zone) return line(0, "zone", "UTC");
  return line(0, "zone", project.zone->name() + " " + std::string(TimeZone::tables_version()));
}

std::string label_ir(const Project& project, const Model& model) {
  std::string text = line(1, "label", canonical(*model.label));
  text += line(1, "label_known", canonical(*model.label_known));
  if (model.label_matures) text += line(1, "label_matures", canonical(*model.label_matures));
  if (model.label_events) text += label_events_ir(project, *model.label_events);
  return text;
}

namespace {

// Named checks of single rows; a name only tells where a row went. What depends on other rows,
// `increasing` and `refers`, is settled once, when a row is taken in, and lies in the log like its
// time of arrival: no reading of the same rows asks it again.
std::string checks_ir(const Source& source) {
  std::set<std::string> conditions;
  for (const Check& check : source.checks)
    if (check.kind == CheckKind::row && check.severity == Severity::error)
      conditions.insert(canonical(*check.expr));
  std::string text;
  for (const auto& condition : conditions) text += line(1, "row", condition);
  return text;
}

std::string column_text(const Source& source, int column) {
  return text_of(source.schema.fields[static_cast<std::size_t>(column)].name);
}

// Sources without names have none of these lines, as before there were any.
std::string identity_ir(const Source& source) {
  const Identity& identity = source.identity;
  std::string text;
  if (source.has_names()) {
    text += line(1, "id", column_text(source, identity.id));
    text += line(1, "dedup", std::to_string(identity.dedup_us) + "us");
  }
  if (source.has_corrections()) text += line(1, "replaces", column_text(source, identity.replaces));
  if (identity.deleted) text += line(1, "deleted", canonical(*identity.deleted));
  if (source.retention_us)
    text += line(1, "retention", std::to_string(*source.retention_us) + "us");
  return text;
}

}  // namespace

std::string source_ir(const Source& source) {
  std::string text = "source " + source.name + "\n";
  text += line(1, "path", text_of(source.path));
  if (source.delimiter != ',')
    text += line(1, "delimiter", text_of(std::string(1, source.delimiter)));
  text += line(1, "time", text_of(source.time_column));
  text += line(1, "known", source.known_is_event_time ? "event time" : canonical(*source.known));
  text += identity_ir(source);
  for (const auto& column : source.columns) text += column_ir(column);
  return text + checks_ir(source);
}

std::string further_rules_ir(const Source& source) {
  std::string text = identity_ir(source);
  for (const auto& column : source.columns)
    if (const std::string rules = further_rules_ir(column); !rules.empty())
      text += line(1, "column", text_of(column.name)) + rules;
  return text + checks_ir(source);
}

std::string view_ir(const Project& project, const View& view) {
  std::string text = view_head_ir(project, view);
  for (const auto& window : view.windows)
    text += line(1, "window", window.text + " " + window_text(window));
  for (const auto& aggregate : view.aggregates)
    text += line(1, "aggregate", aggregate.name + " " + aggregate_ir(aggregate));
  return text;
}

std::string looked_up_ir(const Project& project, const View& view) {
  const Source& source = project.sources[static_cast<std::size_t>(view.source)];
  std::string text;
  for (const int index : looked_up(source, view).lookups) {
    const int read = source.lookups[static_cast<std::size_t>(index)].view;
    const View& lookup = project.views[static_cast<std::size_t>(read)];
    text += source_ir(project.sources[static_cast<std::size_t>(lookup.source)]) +
            view_ir(project, lookup);
  }
  return text;
}

std::string feature_ir(const Project& project, const ViewFeature& feature) {
  const View& view = project.views[static_cast<std::size_t>(feature.view)];
  return view_part_ir(project, view, {feature.feature}) + looked_up_ir(project, view);
}

namespace {

// Adds the columns of lookups that a view reads for its events.
void add_looked_up(const Project& project, const View& view, std::vector<std::set<int>>& features) {
  const Source& source = project.sources[static_cast<std::size_t>(view.source)];
  for (const int field : looked_up(source, view).fields) {
    const EventLookup& lookup = *lookup_of(source, field);
    features[static_cast<std::size_t>(lookup.view)].insert(field - lookup.first_field);
  }
}

// Sources and views that a model reaches, `sources` being those of its questions and label.
std::string reached_ir(const Project& project, const Model& model, std::set<int> sources) {
  std::vector<std::set<int>> features(project.views.size());
  for (const auto& read : model.row.view_features) {
    features[static_cast<std::size_t>(read.view)].insert(read.feature);
    add_looked_up(project, project.views[static_cast<std::size_t>(read.view)], features);
  }
  for (std::size_t v = 0; v < features.size(); ++v)
    if (!features[v].empty()) sources.insert(project.views[v].source);
  std::string text = header(project);
  for (const int source : sources)
    text += source_ir(project.sources[static_cast<std::size_t>(source)]);
  for (std::size_t v = 0; v < features.size(); ++v)
    if (!features[v].empty()) text += view_part_ir(project, project.views[v], features[v]);
  return text;
}

}  // namespace

std::string model_ir(const Project& project, const Model& model) {
  return reached_ir(project, model, {model.source, model.label_source()}) +
         model_body_ir(project, model);
}

std::string request_ir(const Project& project, const Model& model) {
  return reached_ir(project, model, {model.source}) + "model " + model.name + "\n" +
         question_ir(project, model) + inputs_ir(model);
}

std::string project_ir(const Project& project) {
  std::string text = header(project) + "project " + project.name + "\n";
  for (const auto& source : project.sources) text += source_ir(source);
  for (const auto& view : project.views) text += view_ir(project, view);
  for (const auto& feature : project.features)
    text += line(0, "feature", feature.name + " = " + feature.canonical_text);
  for (const auto& key : project.keys)
    text += line(0, "key", text_of(key.name) + " = " + key.canonical_text);
  for (const auto& model : project.models) text += model_body_ir(project, model);
  return text;
}

}  // namespace coeval::define
