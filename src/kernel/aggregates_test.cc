// Aggregates by hand, above the cap of exactness, and over strings. Random worlds are in
// kernel_test.cc.
#include <numeric>

#include "kernel/kernel_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

const Argument* argument(const std::string& text) {
  const auto found = std::ranges::find(kArguments, text, &Argument::text);
  REQUIRE(found != kArguments.end());
  return &*found;
}
OracleAggregate aggregate(const std::string& name, const std::string& over = "",
                          const std::string& constant = "") {
  OracleAggregate a;
  a.name = name;
  a.where = &kConditions[0];
  if (!over.empty()) a.argument = argument(over);
  a.constant = constant;
  if (name == "lag") a.call.k = std::stoll(constant);
  if (name == "quantile") a.call.p = std::stod(constant);
  if (name.starts_with("decayed")) a.call.half_life_us = *parse_duration(constant);
  return a;
}

constexpr std::int64_t kStart = 1'000'000 * kHourUs;

// Asked an hour after the first of five events, ten minutes apart.
TEST_CASE("each aggregate has the value that a person computes") {
  std::vector<std::pair<OracleAggregate, std::optional<double>>> cases = {
      {aggregate("count"), 5},
      {aggregate("count", "x"), 4},
      {aggregate("var", "x"), 20.0 / 3},
      {aggregate("var_pop", "x"), 5},
      {aggregate("std_pop", "x"), std::sqrt(5.0)},
      {aggregate("lag", "x", "0"), 7},
      {aggregate("lag", "x", "1"), 5},
      {aggregate("lag", "x", "3"), 1},
      {aggregate("lag", "x", "4"), std::nullopt},
      {aggregate("last", "x"), 7},
      {aggregate("latest", "x"), std::nullopt},
      {aggregate("latest", "n"), 4},
      {aggregate("distinct", "x"), 4},
      {aggregate("quantile", "x", "0.5"), 4},
      {aggregate("quantile", "x", "0.25"), 2.5},
      {aggregate("quantile", "x", "1"), 7},
      {aggregate("any", "n >= 15"), 0},
      {aggregate("all", "n >= 15"), 0},
      {aggregate("any", "b"), 1},
      {aggregate("all", "b"), 1},
      {aggregate("rate"), 5},
      // x = 1, 3, 5, 7 in the minutes 0, 10, 20, 30: two in ten minutes.
      {aggregate("slope", "x"), 2 * 6 * 24},
      {aggregate("since_last"), 20 * 60},
      {aggregate("since_first"), 3600},
      // Ages 60, 50, 40, 30 minutes, half-lives of ten.
      {aggregate("decayed_sum", "x", "10min"), 1.0 / 64 + 3.0 / 32 + 5.0 / 16 + 7.0 / 8},
      {aggregate("decayed_mean", "x", "10min"), (1.0 + 6 + 20 + 56) / (1 + 2 + 4 + 8)},
      {aggregate("decayed_mean", "x", "10us"), std::nullopt},
  };
  std::vector<OracleAggregate> aggregates;
  for (const auto& [call, value] : cases) aggregates.push_back(call);
  OracleAggregate ratio = aggregate("ratio", "x");
  ratio.divisor = argument("n");
  aggregates.push_back(ratio);
  cases.emplace_back(ratio, 16.0 / 10);
  const World world = make_world("\"k\"", "\"1h\"", "0s", aggregates);
  auto kernel = kernel_of(world);
  for (int i = 0; i < 5; ++i) {
    Event e = event_at(kStart + i * 10 * kMinuteUs, kStart + i * 10 * kMinuteUs, 1 + 2 * i);
    e.n = i;
    if (i == 2) e.b = true;
    if (i == 4) e.x.reset();
    apply_one(*kernel, world, e);
  }
  const auto answers = ask_one(*kernel, world, event_at(0, 0), kStart + kHourUs);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    INFO(cases[i].first.text());
    const auto expected = cases[i].second;
    REQUIRE(answers[i].valid == expected.has_value());
    if (!expected) continue;
    const double found = data::is_float(world.view().feature_type(i))
                             ? std::bit_cast<double>(answers[i].bits)
                             : static_cast<double>(answers[i].bits);
    CHECK(found == *expected);
  }
}

// semantics: V3
TEST_CASE("of an empty window a count is 0 and every other aggregate null") {
  std::vector<OracleAggregate> aggregates;
  std::mt19937_64 random(3);
  for (const auto& kind : kAggregates)
    while (aggregates.empty() || aggregates.back().name != kind.name)
      if (const auto drawn = random_aggregate(random); drawn.name == kind.name)
        aggregates.push_back(drawn);
  const World world =
      make_world("\"k\"", "\"1h\", \"30min offset 30min\", \"today\"", "0s", aggregates);
  auto kernel = kernel_of(world);
  const auto check = [&](std::int64_t at) {
    const auto answers = ask_one(*kernel, world, event_at(0, 0), at);
    for (std::size_t i = 0; i < answers.size(); ++i)
      CHECK(answers[i] == (aggregates[i / 3].name == "count" ? integer_answer(0) : Answer{}));
  };
  check(kStart);
  // The event is too old for each of the windows.
  apply_one(*kernel, world, event_at(kStart - 90 * kMinuteUs, kStart - 90 * kMinuteUs));
  check((kStart / kDayUs + 1) * kDayUs);
}

TEST_CASE("an offset window ends before T, and its events stay until they have left it") {
  const World world =
      make_world("\"k\"", "\"2h offset 3h\"", "0s", {kCountRows, aggregate("since_last")});
  auto kernel = kernel_of(world);
  const Event key = event_at(0, 0);
  const auto count = [&](std::int64_t at) { return ask_one(*kernel, world, key, at)[0].bits; };
  apply_one(*kernel, world, event_at(kStart, kStart));
  CHECK(count(kStart + 3 * kHourUs) == 0);
  CHECK(count(kStart + 3 * kHourUs + 1) == 1);
  CHECK(std::bit_cast<double>(ask_one(*kernel, world, key, kStart + 4 * kHourUs)[1].bits) == 14400);
  CHECK(count(kStart + 5 * kHourUs) == 1);
  CHECK(count(kStart + 5 * kHourUs + 1) == 0);
  // Late, but known before T.
  apply_one(*kernel, world, event_at(kStart, kStart + 5 * kHourUs - 1));
  CHECK(count(kStart + 5 * kHourUs) == 2);
  CHECK(kernel->dropped_late_count(0) == 0);
  apply_one(*kernel, world, event_at(kStart, kStart + 5 * kHourUs + 1));
  CHECK(kernel->dropped_late_count(0) == 1);
}

TEST_CASE("days, weeks and months are those of the zone, where clocks go back over midnight too") {
  // St. John's clocks went back from 00:01 to 23:01 on 28 October 2001, at 02:31 UTC.
  const auto zone = TimeZone::find("America/St_Johns");
  REQUIRE(zone);
  std::mt19937_64 random(21);
  for (int round = 0; round < 40; ++round) {
    std::vector<OracleAggregate> aggregates(3);
    for (auto& a : aggregates) a = random_aggregate(random);
    const World world =
        make_world("\"j\"", "\"today\", \"this_week\", \"this_month\"", "2h", aggregates, *zone);
    const auto events =
        random_events(random, 150, 2 * kMinuteUs, 2, 1'004'236'260'000'000 - 3 * kHourUs);
    auto kernel = kernel_of(world);
    std::size_t applied = 0;
    for (const auto& q : random_questions(random, world, events, 60)) {
      while (applied < q.applied) apply_one(*kernel, world, events[applied++]);
      check_answers(world, ask_one(*kernel, world, q.key, q.at),
                    oracle(world, std::span(events).first(applied), q.key, q.at));
    }
  }
}

// semantics: A2 V2
TEST_CASE("huge values, NaN and infinities leave no trace in moments and decayed sums") {
  const World world =
      make_world("\"k\"", "\"1h\"", "0s",
                 {aggregate("var", "x"), aggregate("std", "x"), aggregate("slope", "x"),
                  aggregate("quantile", "x", "0.5"), aggregate("decayed_sum", "x", "1h")});
  auto kernel = kernel_of(world);
  std::vector<Event> events;
  for (const double x :
       {9e15, -9e15, 1e308, 1e308, std::nan(""), std::numeric_limits<double>::infinity(), 5e-324})
    events.push_back(event_at(kStart, kStart, x));
  for (const double x : {0.1, 0.2, 0.4}) {
    const std::int64_t time = kStart + static_cast<std::int64_t>(x * 100) * kMinuteUs;
    events.push_back(event_at(time, time, x));
  }
  for (const auto& e : events) apply_one(*kernel, world, e);
  const Event key = event_at(0, 0);
  for (const std::int64_t at :
       {kStart + 41 * kMinuteUs, kStart + kHourUs, kStart + kHourUs + 1, kStart + 75 * kMinuteUs})
    check_answers(world, ask_one(*kernel, world, key, at), oracle(world, events, key, at));
  const auto answers = ask_one(*kernel, world, key, kStart + kHourUs + 1);
  CHECK(std::abs(std::bit_cast<double>(answers[0].bits) - 7.0 / 300) < 1e-15);
}

// semantics: A3
TEST_CASE("decayed sums over all time read every event within 64 half-lives, and no other") {
  const World world = make_world("\"k\"", "\"all\"", "0s",
                                 {aggregate("decayed_sum", "x", "1h"), aggregate("count")});
  auto kernel = kernel_of(world);
  std::vector<Event> events;
  const Event key = event_at(0, 0);
  for (int hour = 0; hour < 400; ++hour) {
    const std::int64_t time = kStart + hour * kHourUs;
    events.push_back(event_at(time, time, 1 + hour % 7));
    apply_one(*kernel, world, events.back());
    auto expected = oracle(world, events, key, time + 1);
    AggregateCall call{"decayed_sum", 0, 0, kHourUs};
    std::vector<WindowEvent> all;
    for (const auto& e : events) all.push_back({e.time, Number::of(e.x), {}});
    expected[0] = decayed_answer(call, all, time + 1);
    check_answers(world, ask_one(*kernel, world, key, time + 1), expected);
  }
  CHECK(kernel->event_count(0) < 100);
}

std::vector<Event> many_values(std::size_t distinct) {
  std::vector<Event> events;
  std::mt19937_64 random(9);
  for (std::size_t i = 0; i < 3 * distinct; ++i) {
    const std::int64_t time = kStart + static_cast<std::int64_t>(i) * kSecondUs;
    Event e = event_at(time, time, static_cast<double>(i % distinct) + 0.25);
    e.n = static_cast<std::int64_t>(i % distinct);
    e.w = std::to_string(i % distinct);
    if (random() % 10 == 0) {
      e.n = 77;
      e.w = "77";
    }
    events.push_back(e);
  }
  return events;
}

// semantics: A1 A4 A5
TEST_CASE("above the cap answers are near, counted, and the same whatever was folded or restored") {
  const std::size_t distinct = 4000;
  const auto events = many_values(distinct);
  const std::vector<OracleAggregate> aggregates = {aggregate("distinct", "n"),
                                                   aggregate("distinct", "w"),
                                                   aggregate("mode", "n"),
                                                   aggregate("mode", "w"),
                                                   aggregate("quantile", "x", "0.5"),
                                                   aggregate("quantile", "n", "0.9")};
  std::vector<Answer> first;
  for (const std::string lateness : {"0s", "1h", "7d"}) {
    const World world = make_world("\"k\"", "\"all\"", lateness, aggregates);
    auto kernel = kernel_of(world);
    for (std::size_t i = 0; i < events.size(); ++i) {
      apply_one(*kernel, world, events[i]);
      if (i == events.size() / 2 && lateness == "0s") {
        const std::string bytes = kernel->serialize();
        kernel = kernel_of(world);
        REQUIRE(kernel->restore(bytes));
      }
    }
    const auto answers = ask_one(*kernel, world, events[0], events.back().known + 1);
    // Both kinds of distinct, of mode and of quantile.
    CHECK(kernel->counts().approximate_answers == 6);
    for (const auto& answer : answers) CHECK(answer.approximate);
    if (first.empty()) first = answers;
    check_answers(world, answers, first);
  }
  const auto near = [](double found, double expected, double bound) {
    CHECK(std::abs(found - expected) <= bound * expected);
  };
  const double d = static_cast<double>(distinct);
  near(static_cast<double>(first[0].bits), d, 0.05);
  near(static_cast<double>(first[1].bits), d, 0.05);
  CHECK(first[2].bits == 77);
  CHECK_FALSE(first[3].valid);  // texts over all time: see below
  near(std::bit_cast<double>(first[4].bits), d / 2, 0.01);
  near(std::bit_cast<double>(first[5].bits), 0.9 * d, 0.03);
}

// Over all time nothing else holds the texts of old events, so that there must be a bound; over a
// window its events do.
TEST_CASE("the mode of texts is exact over a window, and over all time up to the cap") {
  for (const std::size_t distinct : {1024, 1100, 3000}) {
    const auto events = many_values(distinct);
    const World all = make_world("\"k\"", "\"all\"", "1h", {aggregate("mode", "w")});
    const World window = make_world("\"k\"", "\"3650d\"", "1h", {aggregate("mode", "w")});
    auto forever = kernel_of(all), lately = kernel_of(window);
    for (const auto& e : events) {
      apply_one(*forever, all, e);
      apply_one(*lately, window, e);
    }
    const std::int64_t at = events.back().known + 1;
    const Answer exact = oracle(window, events, events[0], at)[0];
    CHECK(ask_one(*lately, window, events[0], at)[0] == exact);
    const auto told = ask_one(*forever, all, events[0], at);
    CHECK(told[0].valid == (distinct <= 1024));
    if (distinct <= 1024) CHECK(told[0] == exact);
    const std::string bytes = forever->serialize();
    auto again = kernel_of(all);
    REQUIRE(again->restore(bytes));
    CHECK(again->serialize() == bytes);
    check_answers(all, ask_one(*again, all, events[0], at), told);
  }
}

TEST_CASE("replayed answers above the cap are marked as those asked one by one") {
  const auto events = many_values(1500);
  const World world = make_world("\"k\"", "\"all\"", "1h",
                                 {aggregate("distinct", "n"), aggregate("mode", "w"),
                                  aggregate("sum", "n"), aggregate("quantile", "x", "0.5")});
  CHECK(approximate_features(world.view()).size() == 3);
  auto batch = kernel_of(world), single = kernel_of(world);
  const auto block =
      batch->prepare_events(0, batch_of(*world.project, events, false), known_of(events));
  REQUIRE(block);
  std::vector<std::int64_t> at, order(events.size());
  for (const auto& e : events) at.push_back(e.known + 1);
  std::iota(order.begin(), order.end(), 0);
  const auto questions =
      batch->prepare_questions(batch_of(*world.project, events, false), at, kViews);
  REQUIRE(questions);
  std::size_t next = 0;
  const auto columns = batch->replay(0, *block, order, next, *questions, order);
  REQUIRE(columns.size() == 4 + 3);
  for (std::size_t i = 0; i < events.size(); ++i) {
    apply_one(*single, world, events[i]);
    const auto answers = ask_one(*single, world, events[i], at[i]);
    std::size_t mark = 4;
    for (const std::size_t feature : approximate_features(world.view()))
      REQUIRE(columns[mark++].bit(static_cast<std::int64_t>(i)) == answers[feature].approximate);
  }
  CHECK_FALSE(columns[4].bit(1000));
  CHECK(columns[4].bit(static_cast<std::int64_t>(events.size()) - 1));
}

TEST_CASE("up to the cap answers are exact, and not counted as approximate") {
  const auto events = many_values(1024);
  const World world =
      make_world("\"k\"", "\"2d\"", "0s",
                 {aggregate("distinct", "n"), aggregate("distinct", "w"), aggregate("mode", "n")});
  auto kernel = kernel_of(world);
  for (const auto& e : events) apply_one(*kernel, world, e);
  const std::int64_t at = events.back().known + 1;
  check_answers(world, ask_one(*kernel, world, events[0], at),
                oracle(world, events, events[0], at));
  CHECK(kernel->counts().approximate_answers == 0);
}

TEST_CASE("strings are held while events or answers use them, and no longer") {
  const World world =
      make_world("\"k\"", "\"1h\"", "0s", {aggregate("last", "w"), aggregate("max", "w")});
  auto kernel = kernel_of(world);
  std::vector<std::vector<Cell>> kept;
  const std::array keys = {event_at(0, 0)};
  std::vector<std::int64_t> times;
  for (int i = 0; i < 3000; ++i) times.push_back(kStart + i * kMinuteUs + 1);
  std::vector<Event> askers(times.size(), event_at(0, 0));
  auto questions =
      kernel->prepare_questions(batch_of(*world.project, askers, false), times, kViews);
  REQUIRE(questions);
  for (int i = 0; i < 3000; ++i) {
    Event e = event_at(kStart + i * kMinuteUs, kStart + i * kMinuteUs);
    e.w = "a string that no other event has " + std::to_string(i);
    apply_one(*kernel, world, e);
    if (i % 10 != 0) continue;
    kept.emplace_back(2);
    kernel->ask(0, *questions, i, kept.back());
  }
  for (std::size_t i = 0; i < kept.size(); ++i)
    CHECK(answer_of(data::Type::string, kept[i][0]).text ==
          "a string that no other event has " + std::to_string(10 * i));
  CHECK(kernel->string_count(0) > 300);
  REQUIRE(kernel->prepare_questions(batch_of(*world.project, keys, false),
                                    std::array<std::int64_t, 1>{kStart}, kViews));
  CHECK(kernel->string_count(0) < 200);
  CHECK(kernel->event_count(0) < 200);
}

TEST_CASE("replayed questions take strings of events that left meanwhile") {
  const World world =
      make_world("\"k\"", "\"1h\"", "0s", {aggregate("last", "w"), aggregate("min", "w")});
  auto kernel = kernel_of(world);
  std::vector<Event> events;
  std::vector<std::int64_t> order, at;
  for (int i = 0; i < 2000; ++i) {
    events.push_back(event_at(kStart + i * 2 * kMinuteUs, kStart + i * 2 * kMinuteUs));
    if (i % 5 != 0) events.back().w = "text " + std::to_string(i);
    order.push_back(i);
    at.push_back(events.back().known + 1);
  }
  auto block = kernel->prepare_events(0, batch_of(*world.project, events, true), known_of(events));
  auto questions = kernel->prepare_questions(batch_of(*world.project, events, false), at, kViews);
  REQUIRE(block);
  REQUIRE(questions);
  std::size_t next = 0;
  const auto columns = kernel->replay(0, *block, order, next, *questions, order);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto expected = oracle(world, std::span(events).first(i + 1), events[0], at[i]);
    for (std::size_t f = 0; f < 2; ++f) {
      const auto row = static_cast<std::int64_t>(i);
      REQUIRE(columns[f].is_null(row) == !expected[f].valid);
      if (expected[f].valid) REQUIRE(columns[f].string(row) == expected[f].text);
    }
  }
}

TEST_CASE("a state of counts, sums, means and extremes is written as it always was") {
  OracleAggregate sum = aggregate("sum", "m");
  const World world = make_world("\"k\"", "\"1h\", \"all\"", "0s",
                                 {kCountRows, sum, aggregate("min", "m"), aggregate("last", "x")});
  const std::string bytes = kernel_of(world)->serialize();
  const std::string signature = "lateness 0\nwindow 3600000000\nwindow -1\nrecord 1\nbit \n";
  CHECK(bytes.find(signature) != std::string::npos);
  CHECK(bytes.find("collection") == std::string::npos);
  CHECK(bytes.find("moments") == std::string::npos);
}

}  // namespace
}  // namespace coeval::kernel
