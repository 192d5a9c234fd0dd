#include "cli/run_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include "base/time.h"

namespace coeval::cli {

namespace {

using data::Json;
using stores::Run;

std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

Json texts_json(const std::map<std::string, std::string>& texts) {
  Json json{Json::Object{}};
  for (const auto& [name, text] : texts) json.set(name, text);
  return json;
}

void add_texts(std::vector<std::vector<std::string>>& rows, const std::string& prefix,
               const std::map<std::string, std::string>& texts) {
  for (const auto& [name, text] : texts) rows.push_back({prefix + name, text});
}

std::string seconds_text(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.3f s", seconds);
  return text;
}

std::string version_text(const Run& run) {
  return run.version == 0 ? "-" : run.model + "@v" + std::to_string(run.version);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// What a comparison says in words: everything but metrics and ids of its own.
std::map<std::string, std::string> facts_of(const Run& run) {
  std::map<std::string, std::string> facts;
  const auto take = [&](const std::string& prefix, const std::map<std::string, std::string>& all) {
    for (const auto& [name, text] : all) facts[prefix + name] = text;
  };
  take("params.", run.params);
  take("", run.ids);
  take("environment.", run.environment);
  facts["model"] = run.model;
  facts["experiment"] = run.experiment;
  facts["kind"] = stores::name(run.kind);
  facts["state"] = stores::name(run.state);
  facts["version"] = version_text(run);
  if (!run.tags.empty()) facts["tags"] = joined(run.tags);
  return facts;
}

std::map<std::string, double> numbers_of(const Run& run) {
  std::map<std::string, double> numbers = run.metrics;
  if (run.dataset_s) numbers["dataset_s"] = *run.dataset_s;
  if (run.train_s) numbers["train_s"] = *run.train_s;
  return numbers;
}

template <class Value>
struct Pair {
  const Value* a = nullptr;
  const Value* b = nullptr;
};

template <class Value>
std::map<std::string, Pair<Value>> paired(const std::map<std::string, Value>& a,
                                          const std::map<std::string, Value>& b) {
  std::map<std::string, Pair<Value>> pairs;
  for (const auto& [name, value] : a) pairs[name].a = &value;
  for (const auto& [name, value] : b) pairs[name].b = &value;
  return pairs;
}

template <class Value>
Json value_json(const Value* value) {
  return value == nullptr ? Json() : Json(*value);
}

bool differ(const Pair<std::string>& pair) {
  return pair.a == nullptr || pair.b == nullptr || *pair.a != *pair.b;
}

}  // namespace

std::string metric_text(double value) {
  if (std::isnan(value)) return "NaN";
  char text[40];
  const bool whole = std::abs(value) < 1e15 && value == std::trunc(value);
  // As printf has %.0f and %.6g, in any locale.
  const auto format = whole ? std::chars_format::fixed : std::chars_format::general;
  return {text, std::to_chars(text, text + sizeof text, value + 0.0, format, whole ? 0 : 6).ptr};
}

std::string second_text(std::int64_t us) { return format_time(us - us % kSecondUs); }

std::vector<std::string> table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Json run_json(const Run& run) {
  Json json{Json::Object{}};
  json.set("id", run.id);
  json.set("model", run.model);
  json.set("experiment", run.experiment);
  json.set("kind", stores::name(run.kind));
  if (!run.parent.empty()) json.set("parent", run.parent);
  json.set("state", stores::name(run.state));
  if (!run.error.empty()) json.set("error", run.error);
  json.set("started", format_time(run.started_us));
  if (run.ended_us != 0) json.set("ended", format_time(run.ended_us));
  json.set("version", run.version);
  if (run.dataset_s) json.set("dataset_s", *run.dataset_s);
  if (run.train_s) json.set("train_s", *run.train_s);
  json.set("params", texts_json(run.params));
  json.set("ids", texts_json(run.ids));
  json.set("environment", texts_json(run.environment));
  Json metrics{Json::Object{}};
  for (const auto& [name, value] : run.metrics) metrics.set(name, value);
  json.set("metrics", std::move(metrics));
  Json curves{Json::Object{}};
  for (const auto& [name, points] : run.curves)
    curves.set(name, Json::Array(points.begin(), points.end()));
  json.set("curves", std::move(curves));
  json.set("tags", Json::Array(run.tags.begin(), run.tags.end()));
  return json;
}

std::vector<std::string> run_lines(const Run& run) {
  std::vector<std::vector<std::string>> rows = {{"run", run.id},
                                                {"model", run.model},
                                                {"experiment", run.experiment},
                                                {"kind", std::string(stores::name(run.kind))},
                                                {"state", std::string(stores::name(run.state))},
                                                {"version", version_text(run)},
                                                {"started", format_time(run.started_us)}};
  if (!run.parent.empty()) rows.push_back({"parent", run.parent});
  if (run.ended_us != 0) rows.push_back({"ended", format_time(run.ended_us)});
  if (!run.error.empty()) rows.push_back({"error", run.error});
  if (!run.tags.empty()) rows.push_back({"tags", joined(run.tags)});
  if (run.dataset_s) rows.push_back({"dataset_s", seconds_text(*run.dataset_s)});
  if (run.train_s) rows.push_back({"train_s", seconds_text(*run.train_s)});
  add_texts(rows, "", run.ids);
  add_texts(rows, "params.", run.params);
  add_texts(rows, "environment.", run.environment);
  for (const auto& [name, value] : run.metrics) rows.push_back({name, metric_text(value)});
  for (const auto& [name, points] : run.curves) {
    std::string text = std::to_string(points.size()) + " points";
    if (!points.empty())
      text += ", from " + metric_text(points.front()) + " to " + metric_text(points.back());
    rows.push_back({"curve " + name, text});
  }
  return table(rows);
}

Result<Run> find_run(stores::RunStore& runs, const std::string& named) {
  const std::size_t at = named.rfind("@v");
  if (at == std::string::npos) return runs.find(named);
  const std::string model = named.substr(0, at), digits = named.substr(at + 2);
  int version = 0;
  const auto [stop, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (failure != std::errc() || stop != digits.data() + digits.size() || version < 1)
    return fail(Code::usage, "'" + named + "' is no version of a model", "write late@v7");
  stores::RunQuery query;
  query.model = model;
  query.filter.nodes.emplace_back();
  query.filter.nodes[0].condition.field = "version";
  query.filter.nodes[0].condition.literal = static_cast<double>(version);
  query.filter.root = 0;
  query.limit = 1;
  COEVAL_ASSIGN(const stores::RunPage page, runs.query(query));
  if (page.rows.empty())
    return fail(Code::not_found, "no run is recorded that made " + named,
                "coeval runs lists them; versions built before runs were recorded have none");
  return runs.find(page.rows.front().id);
}

Json comparison_json(const Run& a, const Run& b) {
  Json json{Json::Object{}};
  json.set("a", a.id);
  json.set("b", b.id);
  Json differences{Json::Object{}};
  const auto facts_a = facts_of(a), facts_b = facts_of(b);
  for (const auto& [name, pair] : paired(facts_a, facts_b)) {
    if (!differ(pair)) continue;
    Json one{Json::Object{}};
    one.set("a", value_json(pair.a));
    one.set("b", value_json(pair.b));
    differences.set(name, std::move(one));
  }
  json.set("differences", std::move(differences));
  Json metrics{Json::Object{}};
  const auto numbers_a = numbers_of(a), numbers_b = numbers_of(b);
  for (const auto& [name, pair] : paired(numbers_a, numbers_b)) {
    Json one{Json::Object{}};
    one.set("a", value_json(pair.a));
    one.set("b", value_json(pair.b));
    if (pair.a != nullptr && pair.b != nullptr) one.set("difference", *pair.b - *pair.a);
    metrics.set(name, std::move(one));
  }
  json.set("metrics", std::move(metrics));
  return json;
}

std::vector<std::string> comparison_lines(const Run& a, const Run& b) {
  std::vector<std::vector<std::string>> rows = {{"differs", a.id, b.id}};
  const auto facts_a = facts_of(a), facts_b = facts_of(b);
  const auto text = [](const std::string* word) { return word != nullptr ? *word : "-"; };
  for (const auto& [name, pair] : paired(facts_a, facts_b))
    if (differ(pair)) rows.push_back({name, text(pair.a), text(pair.b)});
  if (rows.size() == 1) rows.push_back({"nothing", "", ""});
  std::vector<std::string> lines = table(rows);
  lines.emplace_back();
  rows = {{"metric", a.id, b.id, "difference"}};
  const auto numbers_a = numbers_of(a), numbers_b = numbers_of(b);
  const auto number = [](const double* value) {
    return value != nullptr ? metric_text(*value) : std::string("-");
  };
  for (const auto& [name, pair] : paired(numbers_a, numbers_b)) {
    std::string difference = "-";
    if (pair.a != nullptr && pair.b != nullptr) {
      const double change = *pair.b - *pair.a;
      difference = (change > 0 ? "+" : "") + metric_text(change);
    }
    rows.push_back({name, number(pair.a), number(pair.b), difference});
  }
  for (auto& line : table(rows)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace coeval::cli
