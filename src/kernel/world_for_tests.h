#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/time.h"
#include "define/project.h"
#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "kernel/kernel.h"

namespace coeval::kernel::testing {

/// A row of the test source, typed.
struct Event {
  std::int64_t time = 0, known = 0;
  std::optional<std::string> k;
  std::int64_t j = 0;
  std::int64_t n = 0;             ///< int32, never null
  std::optional<std::int64_t> m;  ///< int64
  std::optional<double> x;        ///< float64
  std::optional<double> g;        ///< float32
  std::optional<bool> b;
};

/// A value as the oracle sees it: nothing, or an integer, or a real.
struct Number {
  bool null = true, real = false;
  std::int64_t i = 0;
  double d = 0;
  static Number of(std::optional<std::int64_t> v) { return {!v, false, v.value_or(0), 0}; }
  static Number of(std::optional<double> v) { return {!v, true, 0, v.value_or(0)}; }
};

/// An argument with the plain C++ that means the same.
struct Argument {
  std::string text;
  Number (*value)(const Event&);
};
inline std::optional<std::int64_t> as_number(std::optional<bool> v) {
  return v ? std::optional<std::int64_t>(*v ? 1 : 0) : std::nullopt;
}
inline const std::vector<Argument> kArguments = {
    {"n", [](const Event& e) { return Number::of(std::optional(e.n)); }},
    {"m", [](const Event& e) { return Number::of(e.m); }},
    {"x", [](const Event& e) { return Number::of(e.x); }},
    {"g", [](const Event& e) { return Number::of(e.g); }},
    {"n >= 15",
     [](const Event& e) { return Number::of(std::optional<std::int64_t>(e.n >= 15 ? 1 : 0)); }},
    {"b", [](const Event& e) { return Number::of(as_number(e.b)); }},
    {"n * 3 + 1", [](const Event& e) { return Number::of(std::optional(e.n * 3 + 1)); }},
    {"x / 3",
     [](const Event& e) { return Number::of(e.x ? std::optional(*e.x / 3.0) : std::nullopt); }},
    {"n % (n - 5)",
     [](const Event& e) {
       return Number::of(e.n == 5 ? std::nullopt : std::optional(e.n % (e.n - 5)));
     }},
};
struct Condition {
  std::string text;
  bool (*holds)(const Event&);
};
inline const std::vector<Condition> kConditions = {
    {"", [](const Event&) { return true; }},
    {" where n > 10", [](const Event& e) { return e.n > 10; }},
    {" where x > 0.5", [](const Event& e) { return e.x && *e.x > 0.5; }},
    {" where b or m is null", [](const Event& e) { return (e.b && *e.b) || !e.m; }},
};
inline const std::vector<std::string> kAggregates = {"count", "sum",   "mean", "min",
                                                     "max",   "first", "last"};

struct OracleAggregate {
  std::string name;
  const Argument* argument = nullptr;  // null for count()
  const Condition* where = nullptr;
};

/// A definition of one view with what the oracle needs to know of it.
struct World {
  std::shared_ptr<const define::Project> project;
  std::vector<OracleAggregate> aggregates;
  std::string toml;
  const define::View& view() const { return project->views[0]; }
};

inline World make_world(const std::string& keys, const std::string& windows,
                        const std::string& lateness, std::vector<OracleAggregate> aggregates) {
  World world;
  world.toml = R"([project]
name = "t"
[source.s]
path = "s.csv"
time = "ts"
known = "event time"
[source.s.columns]
ts = { type = "timestamp" }
k = { type = "string", nullable = true }
j = { type = "int64" }
n = { type = "int32" }
m = { type = "int64", nullable = true }
x = { type = "float64", nullable = true }
g = { type = "float32", nullable = true }
b = { type = "bool", nullable = true }
[view.v]
from = "s"
)" + ("by = [" + keys + "]\nwindows = [" + windows + "]\nlateness = \"" + lateness + "\"\n");
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    const auto& a = aggregates[i];
    world.toml += "a" + std::to_string(i) + " = \"" + a.name + "(" +
                  (a.argument ? a.argument->text : "") + ")" + a.where->text + "\"\n";
  }
  auto checked = define::check_text(world.toml, "coeval.toml");
  for (const auto& error : checked.errors) FAIL(define::render(error, world.toml, false));
  world.project = std::make_shared<define::Project>(std::move(*checked.project));
  world.aggregates = std::move(aggregates);
  return world;
}

inline World random_world(std::mt19937_64& random) {
  std::vector<OracleAggregate> aggregates;
  const std::size_t count = 1 + random() % 7;
  while (aggregates.size() < count) {
    OracleAggregate a;
    a.name = kAggregates[random() % kAggregates.size()];
    a.where = &kConditions[random() % kConditions.size()];
    a.argument = &kArguments[random() % kArguments.size()];
    if (a.name == "count" && random() % 2 == 0) a.argument = nullptr;
    const bool over_truth =
        a.argument && (a.argument->text == "b" || a.argument->text == "n >= 15");
    if (over_truth && a.name != "sum" && a.name != "mean" && a.name != "count") continue;
    aggregates.push_back(a);
  }
  const std::vector<std::string> keys = {"\"k\"", "\"k\", \"j\"", "", "\"j\""};
  const std::vector<std::string> windows = {"\"1h\"", "\"3h\", \"24h\", \"2d\"",
                                            "\"90min\", \"all\"", "\"all\"", "\"20s\", \"2d\""};
  const std::vector<std::string> lateness = {"0s", "2h", "1d"};
  return make_world(keys[random() % keys.size()], windows[random() % windows.size()],
                    lateness[random() % lateness.size()], std::move(aggregates));
}

inline double random_real(std::mt19937_64& random) {
  switch (random() % 24) {
    case 0:
      return std::nan("");
    case 1:
      return std::numeric_limits<double>::infinity();
    case 2:
      return -std::numeric_limits<double>::infinity();
    case 3:
      return 9e12;
    case 4:
      return 1e308;
    case 5:
      return -0.0;
    case 6:
      return 3e-310;
    default:
      return (static_cast<double>(random() % 2000) - 900) * 0.001;
  }
}

/// Events in position order, known times not decreasing; event times before, at, and after them.
inline std::vector<Event> random_events(std::mt19937_64& random, std::size_t count,
                                        std::int64_t spacing_us, int keys) {
  std::vector<Event> events;
  std::int64_t known = 1'000'000'000'000'000;
  const std::int64_t step =
      kMinuteUs;  // event times on a grid, so that ties and exact bounds happen
  for (std::size_t i = 0; i < count; ++i) {
    if (random() % 4 != 0)
      known += static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * spacing_us));
    if (random() % 3 == 0) known = known / step * step;
    if (!events.empty()) known = std::max(known, events.back().known);
    Event e;
    e.known = known;
    std::int64_t delay =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(4 * kHourUs));
    if (random() % 20 == 0) delay *= static_cast<std::int64_t>(1 + random() % 40);
    if (random() % 20 == 0) delay = -delay;
    e.time = (known - delay) / step * step;
    if (random() % 15 == 0) e.time = known;
    if (random() % 30 != 0)
      e.k = std::string(1 + random() % 2,
                        static_cast<char>('a' + random() % static_cast<unsigned>(keys)));
    e.j = static_cast<std::int64_t>(random() % static_cast<unsigned>(keys));
    e.n = static_cast<std::int64_t>(random() % 40) - 5;
    if (random() % 5 != 0)
      e.m = random() % 9 == 0 ? INT64_MAX - static_cast<std::int64_t>(random() % 3)
                              : static_cast<std::int64_t>(random() % 100) - 50;
    if (random() % 5 != 0) e.x = random_real(random);
    if (random() % 5 != 0) e.g = static_cast<double>(static_cast<float>(random_real(random)));
    if (random() % 4 != 0) e.b = random() % 2 == 0;
    events.push_back(e);
  }
  return events;
}

inline data::Batch batch_of(const define::Project& project, std::span<const Event> events,
                            bool coded) {
  using data::Type;
  std::vector<data::ColumnBuilder> builders;
  const auto& fields = project.sources[0].schema.fields;
  for (const auto& field : fields) builders.emplace_back(field.type);
  const auto at = [&](const char* column) -> data::ColumnBuilder& {
    return builders[static_cast<std::size_t>(project.sources[0].schema.index_of(column))];
  };
  const auto put = [](data::ColumnBuilder& to, const auto& value, auto append) {
    value ? append(*value) : to.append_null();
  };
  for (const auto& e : events) {
    at("ts").append_integer(e.time);
    put(at("k"), e.k, [&](const std::string& v) { at("k").append_string(v); });
    at("j").append_integer(e.j);
    at("n").append_integer(e.n);
    put(at("m"), e.m, [&](std::int64_t v) { at("m").append_integer(v); });
    put(at("x"), e.x, [&](double v) { at("x").append_real(v); });
    put(at("g"), e.g, [&](double v) { at("g").append_real(v); });
    put(at("b"), e.b, [&](bool v) { at("b").append_boolean(v); });
  }
  data::Batch batch;
  batch.schema = project.sources[0].schema;
  batch.rows = static_cast<std::int64_t>(events.size());
  for (auto& builder : builders) batch.columns.push_back(builder.finish());
  if (coded) {
    // The same strings by way of codes into a dictionary, as Parquet gives them.
    std::map<std::string, std::int32_t> codes;
    data::ColumnBuilder dictionary(Type::string);
    std::vector<std::int32_t> values;
    std::vector<std::uint8_t> validity((events.size() + 7) / 8);
    for (std::size_t i = 0; i < events.size(); ++i) {
      const std::string text = events[i].k.value_or("none");
      const auto [place, fresh] = codes.try_emplace(text, static_cast<std::int32_t>(codes.size()));
      if (fresh) dictionary.append_string(text);
      values.push_back(place->second);
      if (events[i].k) validity[i / 8] = static_cast<std::uint8_t>(validity[i / 8] | 1u << i % 8);
    }
    if (events.empty()) validity.clear();
    batch.columns[static_cast<std::size_t>(batch.schema.index_of("k"))] = data::Column::coded(
        values, std::make_shared<const data::Column>(dictionary.finish()), validity);
  }
  return batch;
}

inline std::vector<std::int64_t> known_of(std::span<const Event> events) {
  std::vector<std::int64_t> known;
  for (const auto& e : events) known.push_back(e.known);
  return known;
}

/// NaN above everything, −0 below +0.
inline bool before(const Number& a, const Number& b) {
  if (!a.real) return a.i < b.i;
  if (std::isnan(a.d) || std::isnan(b.d)) return !std::isnan(a.d) && std::isnan(b.d);
  if (a.d == b.d) return std::signbit(a.d) && !std::signbit(b.d);
  return a.d < b.d;
}

inline Cell cell_of(const Number& v, bool canonical) {
  if (v.null) return {};
  if (!v.real) return {static_cast<std::uint64_t>(v.i), true};
  if (canonical && std::isnan(v.d)) return {0x7FF8000000000000, true};
  return {std::bit_cast<std::uint64_t>(v.d), true};
}

/// The answer by definition: values of the window's events, by (event time, position).
inline Cell oracle_value(const std::string& name, std::span<const Number> values, bool rows_only) {
  std::vector<Number> present;
  for (const auto& v : values)
    if (!v.null) present.push_back(v);
  if (name == "count") return {rows_only ? values.size() : present.size(), true};
  if (present.empty()) return {};
  if (name == "first") return cell_of(present.front(), false);
  if (name == "last") return cell_of(present.back(), false);
  if (name == "min" || name == "max") {
    Number best = present.front();
    for (const auto& v : present)
      if (name == "min" ? before(v, best) : before(best, v)) best = v;
    return cell_of(best, true);
  }
  const auto count = static_cast<std::int64_t>(present.size());
  if (present.front().real) {
    exact::ExactSum sum;
    for (const auto& v : present) sum.add(v.d);
    return {std::bit_cast<std::uint64_t>(name == "sum" ? sum.round() : sum.mean(count)), true};
  }
  exact::Int128 sum = 0;
  for (const auto& v : present) sum += v.i;
  if (name == "mean") return {std::bit_cast<std::uint64_t>(exact::mean(sum, count)), true};
  const auto narrow = exact::to_int64(sum);
  return narrow ? Cell{static_cast<std::uint64_t>(*narrow), true} : Cell{};
}

/// Every feature of one question, by looking at every event. `key` holds the question's key values.
inline std::vector<Cell> oracle(const World& world, std::span<const Event> events, const Event& key,
                                std::int64_t at) {
  const auto& view = world.view();
  const auto same = [&](const Event& e) {
    for (const auto& column : view.keys) {
      if (column == "k" && (!key.k || !e.k || *key.k != *e.k)) return false;
      if (column == "j" && key.j != e.j) return false;
    }
    return true;
  };
  std::vector<Cell> cells;
  for (const auto& aggregate : world.aggregates)
    for (const auto& window : view.windows) {
      std::vector<const Event*> inside;
      for (const auto& e : events)
        if (same(e) && e.known < at && e.time < at &&
            (window.us == define::kAllTime || e.time >= at - window.us) &&
            aggregate.where->holds(e))
          inside.push_back(&e);
      std::stable_sort(inside.begin(), inside.end(),
                       [](const Event* a, const Event* b) { return a->time < b->time; });
      std::vector<Number> values;
      for (const Event* e : inside)
        values.push_back(aggregate.argument ? aggregate.argument->value(*e)
                                            : Number{false, false, 1, 0});
      cells.push_back(oracle_value(aggregate.name, values, aggregate.argument == nullptr));
    }
  return cells;
}

/// A question: the moment, the key (an event's key columns), and how many events had been applied
/// before it.
struct Question {
  std::int64_t at = 0;
  Event key;
  std::size_t applied = 0;
};

}  // namespace coeval::kernel::testing
