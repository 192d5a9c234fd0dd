#include "kernel/merge_replay.h"

#include <numeric>

#include "kernel/kernel_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

// A definition that can be answered by a merge.
World random_linear_world(std::mt19937_64& random) {
  const std::vector<std::string> keys = {"\"k\"", "\"k\", \"j\"", "", "\"j\""};
  const std::vector<std::string> windows = {
      "\"1h\"",
      "\"3h\", \"24h\", \"2d\"",
      "\"90min\", \"all\"",
      "\"all\"",
      "\"2h offset 3h\", \"5h\", \"1h\"",
      "\"all offset 90min\", \"1us\", \"20s\", \"3h offset 1us\""};
  // Of kArguments: n, n >= 15 and b have sums of bits or 32-bit integers; count takes anything.
  const std::array<std::size_t, 3> summed = {0, 4, 5};
  std::vector<OracleAggregate> aggregates(1 + random() % 9);
  for (auto& a : aggregates) {
    const std::array<std::string, 3> names = {"count", "sum", "mean"};
    a.name = names[random() % names.size()];
    a.call.name = a.name;
    a.where = &kConditions[random() % kConditions.size()];
    if (a.name != "count")
      a.argument = &kArguments[summed[random() % summed.size()]];
    else if (random() % 2 == 0)
      a.argument = &kArguments[random() % kArguments.size()];
  }
  return make_world(keys[random() % keys.size()], windows[random() % windows.size()], "2h",
                    std::move(aggregates));
}

struct History {
  std::vector<Event> events;
  std::vector<std::int64_t> by_known, by_time;

  History(std::mt19937_64& random, bool dense) {
    events = random_events(random, dense ? 1500 : 200, dense ? 30 * kSecondUs : 10 * kMinuteUs,
                           dense ? 1 : 4);
    if (random() % 3 == 0)  // no delays: both orders are the same
      for (auto& event : events) event.time = event.known;
    if (random() % 3 == 0)  // each is known once it has happened
      for (auto& event : events) event.time = std::min(event.time, event.known);
    by_known.resize(events.size());
    std::iota(by_known.begin(), by_known.end(), 0);
    by_time = by_known;
    std::ranges::stable_sort(
        by_time, {}, [&](std::int64_t row) { return events[static_cast<std::size_t>(row)].time; });
  }
};

// The answer in a row of columns, as ask() would give it.
Answer answer_in(const data::Column& column, std::int64_t row) {
  if (column.is_null(row)) return {};
  if (data::is_float(column.type()))
    return {true, std::bit_cast<std::uint64_t>(column.real(row)), {}};
  return {true, static_cast<std::uint64_t>(column.integer(row)), {}};
}

TEST_CASE("a merge over a whole history gives the bits of looking at all events") {
  std::mt19937_64 random(31);
  std::int64_t nulls = 0, values = 0;
  for (int round = 0; round < 250; ++round) {
    const World world = random_linear_world(random);
    auto kernel = kernel_of(world);
    const RecordLayout layout =
        RecordLayout::create(world.view(), world.project->sources[0].schema);
    REQUIRE(MergeReplay::can_answer(world.view(), layout));
    const History history(random, round % 3 == 0);
    std::vector<Event> keys;
    std::vector<std::int64_t> at, order;
    for (std::size_t i = 0; i < 150; ++i) {
      keys.push_back(history.events[random() % history.events.size()]);
      if (random() % 10 == 0) keys.back().k = "never seen";
      at.push_back(history.events[random() % history.events.size()].known +
                   static_cast<std::int64_t>(random() % 3) * (random() % 2 == 0 ? 1 : kHourUs));
      order.push_back(static_cast<std::int64_t>(i));
    }
    std::ranges::stable_sort(order, {},
                             [&](std::int64_t i) { return at[static_cast<std::size_t>(i)]; });
    std::vector<EventBlock> blocks;
    auto block = kernel->prepare_events(0, batch_of(*world.project, history.events, true),
                                        known_of(history.events));
    REQUIRE(block);
    blocks.push_back(std::move(*block));
    const auto questions =
        kernel->prepare_questions(batch_of(*world.project, keys, round % 2 == 1), at, kViews);
    REQUIRE(questions);
    const std::array orders = {HistoryOrder{history.by_known, history.by_time}};
    const auto answers = kernel->answer_history(kViews, blocks, orders, *questions, order, 1);
    for (std::size_t from = 0; from < order.size();) {
      const std::size_t part = std::min<std::size_t>(1 + random() % 90, order.size() - from);
      const auto columns = answers[0]->next(part)[0];
      REQUIRE(columns.size() == world.view().feature_count());
      for (std::size_t i = 0; i < part; ++i) {
        const auto row = static_cast<std::size_t>(order[from + i]);
        std::vector<Answer> found;
        for (const auto& column : columns)
          found.push_back(answer_in(column, static_cast<std::int64_t>(i)));
        check_answers(world, found, oracle(world, history.events, keys[row], at[row]));
        for (const auto& answer : found) ++(answer.valid ? values : nulls);
      }
      from += part;
    }
    CHECK(kernel->event_count(0) == 0);  // not played through the state
  }
  CHECK(nulls > 1000);
  CHECK(values > 10'000);
}

TEST_CASE("only sums of bits and 32-bit integers over windows of fixed length can be merged") {
  const auto can = [](const std::string& windows, OracleAggregate aggregate) {
    const World world = make_world("\"k\"", windows, "0s", {std::move(aggregate)});
    return MergeReplay::can_answer(
        world.view(), RecordLayout::create(world.view(), world.project->sources[0].schema));
  };
  const Condition* always = &kConditions[0];
  CHECK(can("\"1h\"", {"count", nullptr, always}));
  CHECK(can("\"all\"", {"mean", &kArguments[4], always}));
  CHECK_FALSE(can("\"today\"", {"count", nullptr, always}));
  CHECK_FALSE(can("\"1h\"", {"sum", &kArguments[1], always}));  // int64: may not fit its type
  CHECK_FALSE(can("\"1h\"", {"mean", &kArguments[2], always}));
  CHECK_FALSE(can("\"1h\"", {"max", &kArguments[0], always}));
}

TEST_CASE("many different bits are counted apart") {
  // More bits than a word holds, none of them set in every event.
  std::mt19937_64 random(32);
  std::vector<OracleAggregate> aggregates;
  for (std::size_t argument = 0; argument < kArguments.size(); ++argument)
    for (const auto& condition : kConditions)
      aggregates.push_back({"count", &kArguments[argument], &condition, nullptr, {}, {"count"}});
  const World world = make_world("\"j\"", "\"3h\"", "0s", aggregates);
  const RecordLayout layout = RecordLayout::create(world.view(), world.project->sources[0].schema);
  REQUIRE(layout.bit_count > 32);
  const History history(random, true);
  auto kernel = kernel_of(world);
  std::vector<EventBlock> blocks(1);
  auto block = kernel->prepare_events(0, batch_of(*world.project, history.events, false),
                                      known_of(history.events));
  REQUIRE(block);
  blocks[0] = std::move(*block);
  const std::vector<std::int64_t> at = {history.events[700].known + 1,
                                        history.events[1400].known + 1};
  const std::vector<Event> keys = {history.events[5], history.events[5]};
  const auto questions =
      kernel->prepare_questions(batch_of(*world.project, keys, false), at, kViews);
  REQUIRE(questions);
  const std::array orders = {HistoryOrder{history.by_known, history.by_time}};
  const std::array<std::int64_t, 2> order = {0, 1};
  const auto columns =
      kernel->answer_history(kViews, blocks, orders, *questions, order, 1)[0]->next(2)[0];
  for (std::size_t row = 0; row < 2; ++row) {
    std::vector<Answer> found;
    for (const auto& column : columns)
      found.push_back(answer_in(column, static_cast<std::int64_t>(row)));
    check_answers(world, found, oracle(world, history.events, keys[row], at[row]));
  }
}

}  // namespace
}  // namespace coeval::kernel
