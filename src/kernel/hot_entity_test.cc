// Entities of many events, in a state of the shape that a server has: trees of tiles, kept windows,
// late events among them, and more distinct values than are held.
#include <cmath>

#include "base/rounds_for_tests.h"
#include "exact/distinct_count.h"
#include "exact/frequent_values.h"
#include "exact/quantile_sketch.h"
#include "kernel/kernel_for_tests.h"
#include "kernel/total_order.h"

namespace coeval::kernel {
namespace {

using namespace testing;

constexpr std::array kShapes = {StateShape{}, StateShape{128, 1'000'000, 1'000'000, 4},
                                StateShape{128, 2, 2, 1}, StateShape{5, 3, 3, 2}};

std::unique_ptr<Kernel> kernel_of_shape(const World& world, StateShape shape) {
  auto kernel = Kernel::create(world.project, {0}, shape);
  REQUIRE(kernel);
  return std::move(*kernel);
}

// Most in order, a second or so apart; every tenth up to hours late, some very late.
std::vector<Event> dense_events(std::mt19937_64& random, std::size_t count) {
  std::vector<Event> events = random_events(random, count, 2 * kSecondUs, 1);
  for (Event& e : events) {
    e.k = "a";
    e.time = e.known;
    // Fewer distinct values than the cap.
    if (e.x && std::abs(*e.x) < 2) e.x = std::round(*e.x * 128) / 128;
    if (e.g && std::abs(*e.g) < 2) e.g = std::round(*e.g * 128) / 128;
    if (random() % 10 == 0) e.time -= static_cast<std::int64_t>(random() % (5ull * kHourUs));
    if (random() % 200 == 0) e.time -= static_cast<std::int64_t>(random() % (60ull * kHourUs));
  }
  return events;
}

void apply_all(Kernel& kernel, const World& world, std::span<const Event> events) {
  auto block = kernel.prepare_events(0, batch_of(*world.project, events, false), known_of(events));
  REQUIRE(block);
  for (std::int64_t row = 0; row < block->rows; ++row) kernel.apply(*block, row);
}

TEST_CASE("windows of thousands of events are answered as by looking at all of them") {
  std::mt19937_64 random(51);
  for (int round = 0; round < test_rounds(10); ++round) {
    std::vector<OracleAggregate> aggregates(6);
    for (auto& aggregate : aggregates) aggregate = random_aggregate(random);
    const std::array<std::string, 4> windows = {"\"10min\", \"2h\", \"3d\"", "\"all\", \"1h\"",
                                                "\"2h offset 20min\", \"today\", \"4h\"",
                                                "\"90min\""};
    const World world = make_world("\"k\"", windows[static_cast<std::size_t>(round) % 4],
                                   round % 2 == 0 ? "2h" : "1d", aggregates);
    const auto events = dense_events(random, 12'000);
    auto kernel = kernel_of_shape(world, kShapes[static_cast<std::size_t>(round) % 4]);
    std::size_t applied = 0;
    for (std::size_t question = 0; question < 40; ++question) {
      const std::size_t until = std::min(events.size(), applied + random() % 500);
      apply_all(*kernel, world, std::span(events).subspan(applied, until - applied));
      applied = until;
      if (applied == 0) continue;
      std::int64_t at = events[applied - 1].known + 1;
      if (random() % 3 == 0) at -= static_cast<std::int64_t>(random() % (2ull * kHourUs));
      at = std::max(at, kernel->last_known_us(0) - world.view().lateness_us);
      check_answers(world, ask_one(*kernel, world, events[0], at),
                    oracle(world, std::span(events).first(applied), events[0], at));
    }
  }
}

TEST_CASE("a state of any shape has the same bytes and answers, before and after it is restored") {
  std::mt19937_64 random(52);
  for (int round = 0; round < test_rounds(12); ++round) {
    std::vector<OracleAggregate> aggregates(6);
    for (auto& aggregate : aggregates) aggregate = random_aggregate(random);
    const World world = make_world("\"k\"", round % 2 == 0 ? "\"1h\", \"5h\"" : "\"2h\", \"all\"",
                                   "1h", aggregates);
    const auto events = dense_events(random, 9'000);
    std::vector<std::unique_ptr<Kernel>> kernels;
    for (const StateShape& shape : kShapes) kernels.push_back(kernel_of_shape(world, shape));
    for (std::size_t from = 0; from < events.size(); from += 600) {
      const auto part =
          std::span(events).subspan(from, std::min<std::size_t>(600, events.size() - from));
      const std::int64_t at = part.back().known + 1;
      std::vector<Answer> expected;
      const std::string bytes = [&] {
        apply_all(*kernels[0], world, part);
        expected = ask_one(*kernels[0], world, events[0], at);
        return kernels[0]->serialize();
      }();
      for (std::size_t i = 1; i < kernels.size(); ++i) {
        apply_all(*kernels[i], world, part);
        check_answers(world, ask_one(*kernels[i], world, events[0], at), expected);
        CHECK(kernels[i]->serialize() == bytes);
      }
      const auto restored = kernel_of_shape(world, kShapes[from / 600 % 4]);
      REQUIRE(restored->restore(bytes));
      check_answers(world, ask_one(*restored, world, events[0], at), expected);
      CHECK(restored->serialize() == bytes);
    }
  }
}

std::uint64_t bits_of(double value) { return std::bit_cast<std::uint64_t>(value); }

TEST_CASE("sketches of hot windows are those of their events, one by one") {
  const Argument& x = kArguments[2];
  std::vector<OracleAggregate> aggregates;
  for (const std::string name : {"distinct", "quantile", "mode"}) {
    OracleAggregate a;
    a.name = name;
    a.argument = &x;
    a.where = &kConditions[0];
    if (name == "quantile") a.constant = "0.9";
    aggregates.push_back(a);
  }
  const World world = make_world("\"k\"", "\"1h\", \"4h\"", "1d", aggregates);
  std::mt19937_64 random(53);
  auto events = dense_events(random, 20'000);
  // A few values that are frequent, and thousands that are not, in turns of more and fewer.
  for (std::size_t i = 0; i < events.size(); ++i)
    events[i].x = random() % 8 == 0
                      ? 7.5
                      : 1 + static_cast<double>(random() % (i / 5000 % 2 == 0 ? 300 : 30000)) / 8;
  std::vector<std::unique_ptr<Kernel>> kernels;
  for (const StateShape& shape : kShapes) kernels.push_back(kernel_of_shape(world, shape));
  std::size_t sketched = 0, exactly = 0;
  for (std::size_t applied = 0; applied < events.size();) {
    const std::size_t step = std::min<std::size_t>(1 + random() % 200, events.size() - applied);
    const auto part = std::span(events).subspan(applied, step);
    applied += step;
    for (auto& kernel : kernels) apply_all(*kernel, world, part);
    const bool past = random() % 8 == 0;
    const std::int64_t at = part.back().known + 1 - (past ? 10 * kMinuteUs : 0);
    std::vector<std::uint64_t> expected;
    exact::DistinctCount<std::int64_t> distinct[2];
    exact::QuantileSketch<double> quantile[2];
    exact::FrequentValues<std::int64_t> frequent[2];
    for (const Event& e : std::span(events).first(applied))
      for (const int window : {0, 1})
        if (e.known < at && e.time < at && e.time >= at - (window == 0 ? 1 : 4) * kHourUs) {
          distinct[window].add(order_key(*e.x));
          quantile[window].add(*e.x);
          frequent[window].add(order_key(*e.x));
        }
    for (const int window : {0, 1})
      expected.push_back(static_cast<std::uint64_t>(distinct[window].count()));
    for (const int window : {0, 1})
      expected.push_back(quantile[window].count() == 0 ? 0
                                                       : bits_of(*quantile[window].quantile(0.9)));
    for (const int window : {0, 1}) {
      const auto mode = frequent[window].mode();
      expected.push_back(mode ? bits_of(number_of_order_key(mode->value)) : 0);
    }
    for (const int window : {0, 1}) ++(distinct[window].is_approximate() ? sketched : exactly);
    for (auto& kernel : kernels) {
      const auto found = ask_one(*kernel, world, events[0], at);
      REQUIRE(found.size() == expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        INFO(world.view().feature_name(i));
        if (found[i].valid) REQUIRE(found[i].bits == expected[i]);
        REQUIRE(found[i].valid == (expected[i] != 0));
        REQUIRE(found[i].approximate == distinct[i % 2].is_approximate());
      }
    }
  }
  CHECK(sketched > 50);
  CHECK(exactly > 50);
}

}  // namespace
}  // namespace coeval::kernel
