#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
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
#include "kernel/aggregate_oracle_for_tests.h"
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
  std::optional<std::string> w;
};

/// An argument with the plain C++ that means the same.
struct Argument {
  enum class Over : std::uint8_t { number, truth, other };
  std::string text;
  Number (*value)(const Event&);
  Over over = Over::number;
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
     [](const Event& e) { return Number::of(std::optional<std::int64_t>(e.n >= 15 ? 1 : 0)); },
     Argument::Over::truth},
    {"b", [](const Event& e) { return Number::of(as_number(e.b)); }, Argument::Over::truth},
    {"n * 3 + 1", [](const Event& e) { return Number::of(std::optional(e.n * 3 + 1)); }},
    {"x / 3",
     [](const Event& e) { return Number::of(e.x ? std::optional(*e.x / 3.0) : std::nullopt); }},
    {"n % (n - 5)",
     [](const Event& e) {
       return Number::of(e.n == 5 ? std::nullopt : std::optional(e.n % (e.n - 5)));
     }},
    {"w", [](const Event& e) { return Number::of(e.w); }, Argument::Over::other},
    {"k", [](const Event& e) { return Number::of(e.k); }, Argument::Over::other},
    {"concat(w, '!')",
     [](const Event& e) { return Number::of(e.w ? std::optional(*e.w + "!") : std::nullopt); },
     Argument::Over::other},
    {"ts", [](const Event& e) { return Number::of(std::optional(e.time)); }, Argument::Over::other},
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
/// What an aggregate takes: nothing, numbers (truths too), truths, or anything.
enum class Takes : std::uint8_t { nothing, numbers, truths, anything };
struct AggregateKind {
  std::string name;
  Takes takes;
};
inline const std::vector<AggregateKind> kAggregates = {
    {"count", Takes::anything},       {"sum", Takes::numbers},
    {"mean", Takes::numbers},         {"var", Takes::numbers},
    {"std", Takes::numbers},          {"var_pop", Takes::numbers},
    {"std_pop", Takes::numbers},      {"min", Takes::anything},
    {"max", Takes::anything},         {"first", Takes::anything},
    {"last", Takes::anything},        {"latest", Takes::anything},
    {"lag", Takes::anything},         {"distinct", Takes::anything},
    {"quantile", Takes::numbers},     {"mode", Takes::anything},
    {"any", Takes::truths},           {"all", Takes::truths},
    {"ratio", Takes::numbers},        {"rate", Takes::nothing},
    {"slope", Takes::numbers},        {"since_last", Takes::nothing},
    {"since_first", Takes::nothing},  {"decayed_sum", Takes::numbers},
    {"decayed_mean", Takes::numbers}, {"last_k", Takes::anything},
    {"top_k", Takes::anything}};

struct OracleAggregate {
  std::string name;
  const Argument* argument = nullptr;  // null for count()
  const Condition* where = nullptr;
  const Argument* divisor = nullptr;  // of ratio
  std::string constant = {};          // as written
  AggregateCall call = {};
  std::string text() const {
    return name + "(" + (argument ? argument->text : "") + (divisor ? ", " + divisor->text : "") +
           (constant.empty() ? "" : ", " + constant) + ")" + where->text;
  }
};

/// A definition of one view with what the oracle needs to know of it.
struct World {
  std::shared_ptr<const define::Project> project;
  std::vector<OracleAggregate> aggregates;
  std::string toml;
  const define::View& view() const { return project->views[0]; }
};

/// "3h", "2d offset 1d", "all", "all offset 1h", "today", "this_week", "this_month".
inline define::Window window_of(const std::string& text) {
  const std::map<std::string, define::Period> periods = {{"today", define::Period::day},
                                                         {"this_week", define::Period::week},
                                                         {"this_month", define::Period::month}};
  define::Window window;
  window.text = text;
  if (const auto period = periods.find(text); period != periods.end()) {
    window.period = period->second;
    return window;
  }
  const std::size_t offset = text.find(" offset ");
  const std::string length = text.substr(0, offset);
  window.us = length == "all" ? define::kAllTime : *parse_duration(length);
  if (offset != std::string::npos) window.offset_us = *parse_duration(text.substr(offset + 8));
  return window;
}

/// Windows as quoted texts with commas between them; the zone is that of calendar periods.
inline World make_world(const std::string& keys, const std::string& windows,
                        const std::string& lateness, std::vector<OracleAggregate> aggregates,
                        const TimeZone* zone = nullptr) {
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
w = { type = "string", nullable = true }
[view.v]
from = "s"
)" + ("by = [" + keys + "]\nwindows = [\"1h\"]\nlateness = \"" + lateness + "\"\n");
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    // Sorted by name they stay in this order.
    const std::string number = std::to_string(i);
    world.toml += "a" + std::string(3 - number.size(), '0') + number + " = \"" +
                  aggregates[i].text() + "\"\n";
  }
  auto checked = define::check_text(world.toml, "coeval.toml");
  for (const auto& error : checked.errors) FAIL(define::render(error, world.toml, false));
  // The kernel's part alone is under test: windows are put in as they are read.
  auto& list = checked.project->views[0].windows;
  list.clear();
  for (std::size_t at = windows.find('"'); at != std::string::npos;) {
    const std::size_t end = windows.find('"', at + 1);
    list.push_back(window_of(windows.substr(at + 1, end - at - 1)));
    at = windows.find('"', end + 1);
  }
  checked.project->zone = zone;
  world.toml += "# windows " + windows + "\n";
  world.project = std::make_shared<define::Project>(std::move(*checked.project));
  world.aggregates = std::move(aggregates);
  return world;
}

inline const Argument* random_argument(std::mt19937_64& random, Takes takes) {
  while (true) {
    const Argument* argument = &kArguments[random() % kArguments.size()];
    if (takes == Takes::anything || argument->over == Argument::Over::truth) return argument;
    if (takes == Takes::numbers && argument->over == Argument::Over::number) return argument;
  }
}

inline OracleAggregate random_aggregate(std::mt19937_64& random) {
  const AggregateKind& kind = kAggregates[random() % kAggregates.size()];
  OracleAggregate a;
  a.name = kind.name;
  a.where = &kConditions[random() % kConditions.size()];
  if (kind.takes != Takes::nothing && (kind.name != "count" || random() % 2 == 0))
    a.argument = random_argument(random, kind.takes);
  if (kind.name == "ratio") a.divisor = random_argument(random, Takes::numbers);
  a.call.name = kind.name;
  if (kind.name == "lag") {
    a.call.k = static_cast<std::int64_t>(random() % 2 == 0 ? random() % 4 : random() % 40);
    a.constant = std::to_string(a.call.k);
  }
  if (kind.name.ends_with("_k")) {
    a.call.k = static_cast<std::int64_t>(1 + (random() % 2 == 0 ? random() % 4 : random() % 40));
    a.constant = std::to_string(a.call.k);
  }
  if (kind.name == "quantile") {
    const std::array<std::string, 7> fractions = {"0", "1", "0.5", "0.1", "0.99", "0.25", "1e-9"};
    a.constant = fractions[random() % fractions.size()];
    a.call.p = std::stod(a.constant);
  }
  if (kind.name.starts_with("decayed")) {
    const std::array<std::string, 5> half_lives = {"1h", "20s", "7d", "90min", "1us"};
    a.constant = half_lives[random() % half_lives.size()];
    a.call.half_life_us = *parse_duration(a.constant);
  }
  return a;
}

inline World random_world(std::mt19937_64& random) {
  std::vector<OracleAggregate> aggregates(1 + random() % 7);
  for (auto& aggregate : aggregates) aggregate = random_aggregate(random);
  const std::vector<std::string> keys = {"\"k\"", "\"k\", \"j\"", "", "\"j\""};
  const std::vector<std::string> windows = {"\"1h\"",
                                            "\"3h\", \"24h\", \"2d\"",
                                            "\"90min\", \"all\"",
                                            "\"all\"",
                                            "\"20s\", \"2d\"",
                                            "\"2h offset 3h\", \"5h\", \"1h\"",
                                            "\"today\", \"this_week\"",
                                            "\"all offset 90min\"",
                                            "\"all\", \"this_month\", \"1h offset 1h\", \"today\""};
  const std::vector<std::string> lateness = {"0s", "2h", "1d"};
  const std::vector<std::string> zones = {"UTC", "America/New_York", "Asia/Kathmandu",
                                          "Pacific/Kiritimati"};
  const auto zone = TimeZone::find(zones[random() % zones.size()]);
  REQUIRE(zone);
  return make_world(keys[random() % keys.size()], windows[random() % windows.size()],
                    lateness[random() % lateness.size()], std::move(aggregates),
                    random() % 3 == 0 ? nullptr : *zone);
}

inline double random_real(std::mt19937_64& random) {
  switch (random() % 30) {
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
    case 7:
      return 9e15;
    case 8:
      return -9e15;
    case 9:
      return 0.0;
    default:
      return (static_cast<double>(random() % 2000) - 900) * 0.001;
  }
}

/// Events in position order, known times not decreasing; event times before, at, and after them.
inline std::vector<Event> random_events(std::mt19937_64& random, std::size_t count,
                                        std::int64_t spacing_us, int keys,
                                        std::int64_t start_us = 1'000'000'000'000'000) {
  std::vector<Event> events;
  std::int64_t known = start_us;
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
    const std::array<std::string, 6> words = {
        "", "a", "ab", "b", "\xC3\xA9t\xC3\xA9", "a word that is longer than any short string"};
    if (random() % 5 != 0)
      e.w = random() % 6 == 0 ? std::to_string(random() % 50) : words[random() % words.size()];
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
    put(at("w"), e.w, [&](const std::string& v) { at("w").append_string(v); });
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

/// The first moment of the period that the zone's clocks show at `at`: by the calendar fields.
inline std::int64_t begin_of_period(define::Period period, const TimeZone* zone, std::int64_t at) {
  CivilTime t = civil_time(zone != nullptr ? zone->to_local(at) : at);
  std::int64_t day = civil_to_days(t.year, t.month, t.day);
  if (period == define::Period::week) day -= t.weekday;
  if (period == define::Period::month) day -= t.day - 1;
  return zone != nullptr ? zone->to_utc(day * kDayUs) : day * kDayUs;
}

/// Every feature of one question, by looking at every event. `key` holds the question's key values.
inline std::vector<Answer> oracle(const World& world, std::span<const Event> events,
                                  const Event& key, std::int64_t at) {
  const auto& view = world.view();
  const auto same = [&](const Event& e) {
    for (const auto& column : view.keys) {
      if (column == "k" && (!key.k || !e.k || *key.k != *e.k)) return false;
      if (column == "j" && key.j != e.j) return false;
    }
    return true;
  };
  std::vector<Answer> answers;
  for (const auto& aggregate : world.aggregates)
    for (const auto& window : view.windows) {
      const bool all = window.us == define::kAllTime;
      const std::int64_t to = at - window.offset_us;
      const std::int64_t from = window.period == define::Period::none
                                    ? to - window.us
                                    : begin_of_period(window.period, world.project->zone, at);
      std::vector<WindowEvent> inside;
      for (const auto& e : events)
        if (same(e) && e.known < at && e.time < to && (all || e.time >= from) &&
            aggregate.where->holds(e))
          inside.push_back(
              {e.time,
               aggregate.argument ? aggregate.argument->value(e) : Number::of(std::optional(1.0)),
               aggregate.divisor ? aggregate.divisor->value(e) : Number{}});
      std::stable_sort(inside.begin(), inside.end(),
                       [](const WindowEvent& a, const WindowEvent& b) { return a.time < b.time; });
      AggregateCall call = aggregate.call;
      call.name = aggregate.name;
      answers.push_back(
          oracle_answer(call, inside, aggregate.argument == nullptr, at, all ? 0 : to - from));
    }
  return answers;
}

/// A question: the moment, the key (an event's key columns), and how many events had been applied
/// before it.
struct Question {
  std::int64_t at = 0;
  Event key;
  std::size_t applied = 0;
};

}  // namespace coeval::kernel::testing
