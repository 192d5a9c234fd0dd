#include "define/split_and_gates.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/byte_size.h"
#include "define/model_metrics.h"
#include "define/read_window.h"
#include "define/table_reader.h"

namespace coeval::define {

namespace {

using Kind = TomlValue::Kind;

constexpr std::string_view kSplitAdvice =
    "write split = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = "
    "2001-07-01 }";

// Words by which other tools ask for a random split.
constexpr std::array<std::string_view, 8> kRandomKeys = {
    "random", "shuffle", "fraction", "test_size", "train", "validate", "test", "k_fold"};

bool is_number(const TomlValue& value) {
  return value.kind == Kind::integer || value.kind == Kind::real;
}

bool asks_for_random(const TomlValue& split) {
  if (is_number(split)) return true;
  if (split.kind == Kind::string) return split.text.find("random") != std::string::npos;
  return std::ranges::any_of(split.entries, [](const TomlEntry& entry) {
    const bool word = std::ranges::count(kRandomKeys, entry.key) > 0;
    const bool random = entry.value.kind == Kind::string && entry.value.text == "random";
    return random || is_number(entry.value) || (word && entry.value.kind != Kind::moment);
  });
}

std::optional<std::int64_t> read_moment(TableReader& reader, std::string_view key,
                                        Diagnostics& errors) {
  const TomlEntry* entry = reader.require(key, std::string(kSplitAdvice));
  if (!entry ||
      !expect_kind(*entry, Kind::moment, reader.what(), "without quotes: 2001-05-01", errors))
    return std::nullopt;
  return entry->value.integer;
}

// Of a part that a model need not have.
std::optional<std::int64_t> read_later_moment(TableReader& reader, std::string_view key,
                                              Diagnostics& errors) {
  const TomlEntry* entry = reader.take(key);
  if (!entry ||
      !expect_kind(*entry, Kind::moment, reader.what(), "without quotes: 2001-05-01", errors))
    return std::nullopt;
  return entry->value.integer;
}

struct SystemGate {
  std::string_view name, example;
};
constexpr std::array<SystemGate, 4> kSystemGates = {
    SystemGate{"leak", "<= 0.98"},
    SystemGate{"latency", "<= 20us"},
    SystemGate{"size", "<= 10MB"},
    SystemGate{"cost_per_million", "<= 0.05"},
};

// The number of ns, us, ms or s, in µs.
std::optional<double> parse_microseconds(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (read.ec != std::errc{} || !std::isfinite(value)) return std::nullopt;
  const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
  if (unit == "ns") return value / 1000;
  if (unit == "us") return value;
  if (unit == "ms") return value * 1000;
  if (unit == "s") return value * 1e6;
  return std::nullopt;
}

// "<= 20us", "<= 10MB", "<= 0.05": how much of something at most.
std::optional<Gate> parse_limit(std::string_view gate, std::string_view text) {
  if (!text.starts_with("<=")) return std::nullopt;
  text.remove_prefix(2);
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::optional<double> bound;
  if (gate == "latency") {
    bound = parse_microseconds(text);
  } else if (gate == "size") {
    if (const auto bytes = parse_bytes(text)) bound = static_cast<double>(*bytes);
  } else {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (read.ec == std::errc{} && read.ptr == end && std::isfinite(value)) bound = value;
  }
  if (!bound) return std::nullopt;
  Gate made;
  made.metric = gate;
  made.kind = Gate::Kind::at_most;
  made.bound = *bound;
  return made;
}

bool is_of_project(std::string_view metric, const Model& model) {
  return std::ranges::count(model.metrics, metric, &Metric::name) > 0;
}

// ">= 0.77"
std::optional<Gate> parse_bound(std::string_view text) {
  Gate gate;
  if (text.starts_with("<="))
    gate.kind = Gate::Kind::at_most;
  else if (!text.starts_with(">="))
    return std::nullopt;
  text.remove_prefix(2);
  while (text.starts_with(' ')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, gate.bound);
  if (read.ec != std::errc{} || read.ptr != end || !std::isfinite(gate.bound)) return std::nullopt;
  return gate;
}

void read_gate(const TomlEntry& entry, std::string_view metric, bool worst_slice, Model& model,
               Diagnostics& errors) {
  const std::string what = "gate of model " + in_quotes(model.name);
  const std::string advice = "write \">= 0.77\" or \"<= 0.03\"";
  if (!expect_kind(entry, Kind::string, what, advice, errors)) return;
  auto gate = parse_bound(entry.value.text);
  if (!gate) {
    errors.report(Code::bad_toml_value, entry.value.position,
                  "a gate on " + std::string(metric) + " cannot be " + in_quotes(entry.value.text),
                  advice);
    return;
  }
  gate->metric = metric;
  gate->worst_slice = worst_slice;
  gate->of_project = is_of_project(metric, model);
  model.gates.push_back(*gate);
}

void read_system_gate(const TomlEntry& entry, const SystemGate& kind, Model& model,
                      Diagnostics& errors) {
  const std::string advice =
      "write " + std::string(kind.name) + " = \"" + std::string(kind.example) + "\"";
  if (!expect_kind(entry, Kind::string, "gate of model " + in_quotes(model.name), advice, errors))
    return;
  if (const auto gate = parse_limit(kind.name, entry.value.text)) {
    model.gates.push_back(*gate);
    return;
  }
  errors.report(Code::bad_toml_value, entry.value.position,
                "a gate on " + std::string(kind.name) + " cannot be " + in_quotes(entry.value.text),
                advice);
}

// What a gate of this model can be about: the metrics of its kind, and those of the project.
std::vector<std::string> metrics_of(const Model& model) {
  const auto own = gate_metrics(model);
  std::vector<std::string> all(own.begin(), own.end());
  for (const Metric& metric : model.metrics) all.push_back(metric.name);
  return all;
}

void report_unknown_metric(const SourcePosition& place, std::string_view metric, const Model& model,
                           std::string advice, Diagnostics& errors) {
  const std::string of_other = advice_for_other_kind(metric, model);
  errors.report(Code::bad_toml_value, place, "unknown metric " + in_quotes(metric),
                of_other.empty() ? std::move(advice) : of_other);
}

// Gates on metrics of another kind of model, each with what this one has.
void refuse_other_kinds(TableReader& reader, const Model& model, Diagnostics& errors) {
  for (const std::string_view metric : gate_metrics_of_any_kind()) {
    const std::string advice = advice_for_other_kind(metric, model);
    if (advice.empty() || is_of_project(metric, model)) continue;
    if (const TomlEntry* gate = reader.take(metric))
      errors.report(Code::bad_toml_value, gate->position,
                    reader.what() + " has no metric " + in_quotes(metric), advice);
  }
}

void report_no_slices(const SourcePosition& place, const Model& model, Diagnostics& errors) {
  errors.report(Code::missing_toml_key, place, "model " + in_quotes(model.name) + " has no slices",
                "write slices = [\"origin\"] in the model");
}

// Whom to beat, or not to fall behind; on which metric, and by how much it may.
void read_champion_gates(TableReader& reader, const TomlValue& table, Model& model,
                         Diagnostics& errors) {
  const auto place = [&](std::string_view key) { return table.find(key)->value.position; };
  const auto metric = reader.string("on");
  const auto margin = reader.number("margin", 0, 1e12);
  const auto slice_margin = reader.number("slice_margin", 0, 1e12);
  if (metric && std::ranges::count(metrics_of(model), *metric) == 0)
    report_unknown_metric(place("on"), *metric, model,
                          "write on = \"" + std::string(primary_metric(model)) +
                              "\" or another of the metrics of gates, or one of [metric]",
                          errors);
  const auto read = [&](std::string_view key, Gate::Kind kind, double bound) {
    const auto other = reader.string(key);
    if (!other) return;
    if (*other != "champion")
      errors.report(Code::unsupported, place(key),
                    std::string(key) + " " + in_quotes(*other) + " is not in this version",
                    "write " + std::string(key) + " = \"champion\"");
    const std::string on = metric.value_or(std::string(primary_metric(model)));
    model.gates.push_back({on, kind, bound, false, is_of_project(on, model)});
  };
  read("better_than", Gate::Kind::better_than_champion, 0);
  read("not_worse_than", Gate::Kind::not_worse_than_champion, margin.value_or(0));
  const bool has_slice_gate = table.find("no_slice_worse_than") != nullptr;
  if (has_slice_gate && model.training.slices.empty())
    report_no_slices(place("no_slice_worse_than"), model, errors);
  read("no_slice_worse_than",
       slice_margin ? Gate::Kind::no_slice_worse_by : Gate::Kind::no_slice_worse,
       slice_margin.value_or(0));
  if (slice_margin && !has_slice_gate)
    errors.report(Code::bad_toml_value, place("slice_margin"),
                  "`slice_margin` belongs to a gate on the slices against the champion",
                  "write no_slice_worse_than = \"champion\" beside it");
  const bool has_margin_gate = table.find("not_worse_than") != nullptr;
  const bool has_gate = has_margin_gate || has_slice_gate || table.find("better_than") != nullptr;
  const char* alone = margin && !has_margin_gate ? "margin" : metric && !has_gate ? "on" : nullptr;
  if (alone != nullptr)
    errors.report(Code::bad_toml_value, place(alone),
                  "`on` and `margin` belong to a gate against the champion",
                  "write not_worse_than = \"champion\" beside them; better_than takes no margin");
}

void read_worst_slice(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "worst_slice of model " + in_quotes(model.name);
  if (!expect_kind(entry, Kind::table, what, "write worst_slice = { auc = \">= 0.7\" }", errors))
    return;
  if (model.training.slices.empty()) report_no_slices(entry.position, model, errors);
  TableReader reader(entry.value, entry.position, what, errors);
  for (const auto& metric : metrics_of(model))
    if (const TomlEntry* gate = reader.take(metric)) read_gate(*gate, metric, true, model, errors);
  refuse_other_kinds(reader, model, errors);
  reader.finish();
}

// Dates that must follow each other, those that were given.
bool increase(const Split& split) {
  std::int64_t last = split.train_until_us;
  for (const std::int64_t next : {split.validate_until_us, split.calibrate_until_us,
                                  split.threshold_until_us, split.test_until_us}) {
    if (next == 0) continue;
    if (next <= last) return false;
    last = next;
  }
  return true;
}

void read_rolling(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string advice = "write rolling = { folds = 4, step = \"14d\" }";
  const std::string what = "rolling of model " + in_quotes(model.name);
  if (!expect_kind(entry, Kind::table, what, advice, errors)) return;
  TableReader reader(entry.value, entry.position, what, errors);
  if (reader.require("folds", advice))
    model.training.rolling.folds = static_cast<int>(reader.integer("folds", 1, 100).value_or(1));
  const TomlEntry* step = reader.require("step", advice);
  reader.finish();
  if (step && expect_kind(*step, Kind::string, what, advice, errors))
    model.training.rolling.step_us =
        read_duration(step->value, step->value.text, "`step`", 1, errors).value_or(0);
}

}  // namespace

void read_split(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "split of model " + in_quotes(model.name);
  if (asks_for_random(entry.value)) {
    errors.report(Code::random_split, entry.value.position, what + " is not by time",
                  std::string(kSplitAdvice));
    return;
  }
  if (!expect_kind(entry, Kind::table, "model " + in_quotes(model.name), std::string(kSplitAdvice),
                   errors))
    return;
  TableReader reader(entry.value, entry.position, what, errors);
  const auto train = read_moment(reader, "train_until", errors);
  const auto validate = read_moment(reader, "validate_until", errors);
  const auto test = read_moment(reader, "test_until", errors);
  const auto calibrate = read_later_moment(reader, "calibrate_until", errors);
  const auto threshold = read_later_moment(reader, "threshold_until", errors);
  const TomlEntry* gap = reader.take("gap");
  const TomlEntry* rolling = reader.take("rolling");
  reader.finish();
  if (rolling) read_rolling(*rolling, model, errors);
  if (!train || !validate || !test) return;
  model.split = {.train_until_us = *train,
                 .validate_until_us = *validate,
                 .test_until_us = *test,
                 .calibrate_until_us = calibrate.value_or(0),
                 .threshold_until_us = threshold.value_or(0)};
  if (gap && expect_kind(*gap, Kind::string, what, "write gap = \"1d\"", errors))
    model.split.gap_us = read_duration(gap->value, gap->value.text, "`gap`", 1, errors).value_or(0);
  if (!increase(model.split))
    errors.report(Code::bad_split, entry.value.position,
                  "the dates of the " + what + " do not increase",
                  "train_until < validate_until < calibrate_until < threshold_until < test_until");
}

void read_gates(const TomlEntry& entry, Model& model, Diagnostics& errors) {
  const std::string what = "model " + in_quotes(model.name);
  if (!expect_kind(entry, Kind::table, what, "write gate = { auc = \">= 0.77\" }", errors)) return;
  TableReader reader(entry.value, entry.position, "gate of " + what, errors);
  for (const auto& metric : metrics_of(model))
    if (const TomlEntry* gate = reader.take(metric)) read_gate(*gate, metric, false, model, errors);
  refuse_other_kinds(reader, model, errors);
  for (const SystemGate& kind : kSystemGates)
    if (const TomlEntry* gate = reader.take(kind.name))
      read_system_gate(*gate, kind, model, errors);
  if (const TomlEntry* worst = reader.take("worst_slice")) read_worst_slice(*worst, model, errors);
  read_champion_gates(reader, entry.value, model, errors);
  if (const auto price = reader.number("core_hour", 0, 1e9))
    model.training.core_hour_price = *price;
  reader.finish();
}

}  // namespace coeval::define
