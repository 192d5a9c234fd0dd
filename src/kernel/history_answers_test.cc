#include "base/rounds_for_tests.h"
#include "kernel/entity_replay.h"

#include <cmath>
#include <map>
#include <numeric>
#include <thread>

#include "kernel/kernel_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

bool is_summed(const OracleAggregate& aggregate) {
  const std::array<std::string, 12> names = {"count",   "sum",   "mean",  "var", "std", "var_pop",
                                             "std_pop", "slope", "ratio", "any", "all", "rate"};
  return std::ranges::count(names, aggregate.name) > 0;
}

// A definition whose aggregates are read from sums.
World random_summed_world(std::mt19937_64& random) {
  const std::vector<std::string> keys = {"\"k\"", "\"k\", \"j\"", "", "\"j\""};
  const std::vector<std::string> windows = {
      "\"1h\"",
      "\"3h\", \"24h\", \"2d\"",
      "\"90min\", \"all\"",
      "\"all\"",
      "\"2h offset 3h\", \"5h\", \"1h\"",
      "\"all offset 90min\", \"1us\", \"20s\", \"3h offset 1us\""};
  std::vector<OracleAggregate> aggregates(1 + random() % 9);
  for (auto& a : aggregates) do {
      a = random_aggregate(random);
    } while (!is_summed(a));
  return make_world(keys[random() % keys.size()], windows[random() % windows.size()], "2h",
                    std::move(aggregates));
}

struct History {
  std::vector<Event> events;
  std::vector<std::int64_t> by_known, by_time;

  History(std::mt19937_64& random, bool dense) {
    events = random_events(random, dense ? 1500 : 200, dense ? 30 * kSecondUs : 10 * kMinuteUs,
                           dense ? 1 : 4);
    if (random() % 3 != 0)  // values that lie near enough for rows of sums
      for (auto& event : events)
        for (auto* value : {&event.x, &event.g})
          if (*value && std::isfinite(**value) &&
              (std::abs(**value) > 1e16 || std::abs(**value) < 1e-16))
            *value = 0.25;
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
  if (column.type() == data::Type::boolean) return {true, column.bit(row) ? 1U : 0U, {}};
  if (data::is_list(column.type()))
    return {true, 0, elements_text(std::string(column.string(row)), column.type())};
  if (data::has_bytes(column.type())) return {true, 0, std::string(column.string(row))};
  return {true, static_cast<std::uint64_t>(column.integer(row)), {}};
}

// Questions about the keys of a history, in no order, and the order of their times.
struct Asked {
  std::vector<Event> keys;
  std::vector<std::int64_t> at, order;

  Asked(std::mt19937_64& random, const History& history, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(history.events[random() % history.events.size()]);
      if (random() % 10 == 0) keys.back().k = "never seen";
      const auto hours = static_cast<std::int64_t>(random() % 3);
      const std::int64_t unit = random() % 2 == 0 ? 1 : kHourUs;
      at.push_back(history.events[random() % history.events.size()].known + hours * unit);
      order.push_back(static_cast<std::int64_t>(i));
    }
    std::ranges::stable_sort(order, {},
                             [&](std::int64_t i) { return at[static_cast<std::size_t>(i)]; });
  }
};

// Runs the parts of a job on threads of their own.
void run_on_threads(std::size_t parts, const std::function<void(std::size_t)>& part) {
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < parts; ++i) threads.emplace_back(part, i);
  for (auto& thread : threads) thread.join();
}

TEST_CASE("a whole history answered by entity gives the bits of looking at all events") {
  std::mt19937_64 random(31);
  std::int64_t nulls = 0, values = 0, by_entity = 0;
  for (int round = 0; round < test_rounds(200); ++round) {
    const World world = round % 2 == 0 ? random_world(random) : random_summed_world(random);
    auto kernel = kernel_of(world);
    const RecordLayout layout =
        RecordLayout::create(world.view(), world.project->sources[0].schema);
    const History history(random, round % 3 == 0);
    const Asked asked(random, history, 150);
    std::vector<EventBlock> blocks;
    auto block = kernel->prepare_events(0, batch_of(*world.project, history.events, true),
                                        known_of(history.events));
    REQUIRE(block);
    blocks.push_back(std::move(*block));
    const auto questions = kernel->prepare_questions(
        batch_of(*world.project, asked.keys, random() % 2 == 0), asked.at, kViews);
    REQUIRE(questions);
    const std::array orders = {HistoryOrder{history.by_known, history.by_time}};
    const std::size_t parts = 1 + random() % 3;
    const auto answers =
        kernel->answer_history(kViews, blocks, orders, *questions, asked.order, parts);
    for (std::size_t from = 0; from < asked.order.size();) {
      const std::size_t part = std::min<std::size_t>(1 + random() % 90, asked.order.size() - from);
      const auto columns = answers->next(part)[0];
      REQUIRE(columns.size() >= world.view().feature_count());
      for (std::size_t i = 0; i < part; ++i) {
        const auto row = static_cast<std::size_t>(asked.order[from + i]);
        std::vector<Answer> found;
        for (std::size_t f = 0; f < world.view().feature_count(); ++f)
          found.push_back(answer_in(columns[f], static_cast<std::int64_t>(i)));
        check_answers(world, found, oracle(world, history.events, asked.keys[row], asked.at[row]));
        for (const auto& answer : found) ++(answer.valid ? values : nulls);
      }
      from += part;
    }
    if (kernel->event_count(0) == 0) ++by_entity;  // not played through the state
    CHECK((kernel->event_count(0) == 0 || !layout.strings.empty() || layout.summed_real > 0 ||
           !layout.powers.empty()));
  }
  CHECK(by_entity > test_rounds(100));
  CHECK(nulls > test_rounds(500));
  CHECK(values > test_rounds(5'000));
}

// The definition with more views: the first one's events by other keys, and over other windows.
std::shared_ptr<const define::Project> with_more_views(const World& world) {
  auto project = std::make_shared<define::Project>(*world.project);
  const std::vector<std::vector<std::string>> keys = {{"j"}, {}, {"k", "j"}, {"k"}, {"j"}};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    define::View view = project->views[0];
    view.name = "v" + std::to_string(i);
    view.keys = keys[i];
    view.key_columns.clear();
    for (const auto& key : keys[i])
      view.key_columns.push_back(project->sources[0].schema.index_of(key));
    // The last has the same bounds as the one before, but not the same windows.
    if (i == 3) view.windows = {window_of("1h"), window_of("2h")};
    if (i == 4) view.windows = {window_of("1h"), window_of("1h offset 1h")};
    project->views.push_back(std::move(view));
  }
  return project;
}

TEST_CASE("views are answered with the same bits by any number of threads, in any parts") {
  std::mt19937_64 random(33);
  const std::vector<int> views = {0, 1, 2, 3, 4, 5};
  for (int round = 0; round < test_rounds(40); ++round) {
    const World world = round % 2 == 0 ? random_world(random) : random_summed_world(random);
    const auto project = with_more_views(world);
    const History history(random, round % 2 == 0);
    // So many that they are divided among threads, now and then.
    const Asked asked(random, history, round % 8 == 0 ? 9'000 : 200);
    const std::array orders = {HistoryOrder{history.by_known, history.by_time}};
    const auto ask = [&](std::size_t threads, HistoryWay way, std::size_t at_a_time) {
      auto kernel = *Kernel::create(project, views);
      std::vector<EventBlock> blocks;
      blocks.push_back(*kernel->prepare_events(0, batch_of(*project, history.events, true),
                                               known_of(history.events)));
      const auto questions =
          *kernel->prepare_questions(batch_of(*project, asked.keys, false), asked.at, views);
      const auto all = kernel->answer_history(views, blocks, orders, questions, asked.order,
                                              threads, run_on_threads, way);
      std::vector<std::map<std::size_t, std::vector<Answer>>> answers(views.size());  // by feature
      for (std::size_t done = 0; done < asked.order.size(); done += at_a_time) {
        const auto columns = all->next(std::min(at_a_time, asked.order.size() - done));
        REQUIRE(columns.size() == views.size());
        for (std::size_t v = 0; v < columns.size(); ++v)
          for (std::size_t f = 0; f < columns[v].size(); ++f)
            for (std::int64_t row = 0; row < columns[v][f].size(); ++row)
              answers[v][f].push_back(answer_in(columns[v][f], row));
      }
      return answers;
    };
    const auto plain = ask(1, HistoryWay::plain, 200);
    REQUIRE(plain[5].size() >= project->views[5].feature_count());
    for (const std::size_t threads : {1, 2, 5}) {
      const auto found = ask(threads, HistoryWay::by_entity,
                             threads == 2 ? asked.order.size() : 1 + random() % 200);
      for (std::size_t view = 0; view < views.size(); ++view)
        for (const auto& [feature, expected] : plain[view]) {
          INFO(world.toml);
          INFO("view " << view << " feature " << feature << " threads " << threads);
          REQUIRE(std::ranges::equal(found[view].at(feature), expected));
        }
    }
    const auto told = ask(1 + random() % 3, HistoryWay::asked, 1 + random() % 200);
    for (std::size_t view = 0; view < views.size(); ++view)
      for (const auto& [feature, expected] : plain[view]) {
        INFO(world.toml);
        INFO("view " << view << " feature " << feature);
        REQUIRE(std::ranges::equal(told[view].at(feature), expected));
      }
  }
}

TEST_CASE("few questions are answered with the same bits by a state that is told of few events") {
  std::mt19937_64 random(36);
  std::int64_t told_events = 0, all_events = 0, values = 0;
  for (int round = 0; round < test_rounds(200); ++round) {
    const World world = round % 2 == 0 ? random_world(random) : random_summed_world(random);
    const History history(random, round % 3 == 0);
    const Asked asked(random, history, 1 + random() % 4);
    const std::array orders = {HistoryOrder{history.by_known, {}}};
    const auto ask = [&](HistoryWay way, std::int64_t& events) {
      auto kernel = kernel_of(world);
      std::vector<EventBlock> blocks;
      blocks.push_back(*kernel->prepare_events(0, batch_of(*world.project, history.events, true),
                                               known_of(history.events)));
      const auto questions =
          *kernel->prepare_questions(batch_of(*world.project, asked.keys, false), asked.at, kViews);
      const auto all = kernel->answer_history(kViews, blocks, orders, questions, asked.order, 1,
                                              run_in_turn, way);
      std::vector<Answer> answers;
      const auto columns = all->next(asked.order.size())[0];
      for (const auto& column : columns)
        for (std::int64_t row = 0; row < column.size(); ++row)
          answers.push_back(answer_in(column, row));
      events += kernel->event_count(0) + kernel->dropped_late_count(0);
      return answers;
    };
    const auto expected = ask(HistoryWay::plain, all_events);
    INFO(world.toml);
    CHECK(ask(HistoryWay::asked, told_events) == expected);
    for (const auto& answer : expected) values += answer.valid ? 1 : 0;
  }
  CHECK(values > test_rounds(1000));
  CHECK(told_events < all_events * 3 / 4);  // the worlds have few entities
}

TEST_CASE("of views whose records are equal each has the sums of its own") {
  const Condition* always = &kConditions[0];
  const std::vector<OracleAggregate> few = {{"sum", &kArguments[1], always, nullptr, {}, {"sum"}},
                                            {"var", &kArguments[2], always, nullptr, {}, {"var"}}};
  std::vector<OracleAggregate> more = few;
  more.push_back({"mean", &kArguments[2], always, nullptr, {}, {"mean"}});
  for (const bool more_first : {false, true}) {
    const World first = make_world("\"k\"", "\"1h\", \"all\"", "2h", more_first ? more : few);
    const World second = make_world("\"k\"", "\"1h\", \"all\"", "2h", more_first ? few : more);
    auto project = std::make_shared<define::Project>(*first.project);
    project->views.push_back(second.view());
    project->views.back().name = "second";
    std::mt19937_64 random(35);
    const History history(random, true);
    std::vector<std::int64_t> at, order(history.events.size());
    for (const Event& event : history.events) at.push_back(event.known + 1);
    std::iota(order.begin(), order.end(), 0);
    const std::array orders = {HistoryOrder{history.by_known, history.by_time}};
    const std::vector<int> views = {0, 1};
    auto kernel = *Kernel::create(project, views);
    std::vector<EventBlock> blocks;
    blocks.push_back(*kernel->prepare_events(0, batch_of(*project, history.events, true),
                                             known_of(history.events)));
    const auto questions =
        *kernel->prepare_questions(batch_of(*project, history.events, false), at, views);
    const auto columns =
        kernel->answer_history(views, blocks, orders, questions, order)->next(order.size());
    for (std::size_t i = 0; i < order.size(); i += 97)
      for (const World* world : {&first, &second}) {
        std::vector<Answer> found;
        for (const auto& column : columns[world == &first ? 0 : 1])
          found.push_back(answer_in(column, static_cast<std::int64_t>(i)));
        check_answers(*world, found, oracle(*world, history.events, history.events[i], at[i]));
      }
  }
}

TEST_CASE("sums that their types cannot hold are counted as asking counts them") {
  std::mt19937_64 random(34);
  const World world = make_world("\"k\"", "\"1h\", \"all\"", "2h",
                                 {{"sum", &kArguments[1], &kConditions[0], nullptr, {}, {"sum"}}});
  const History history(random, true);
  std::vector<std::int64_t> at, order(history.events.size());
  for (const Event& event : history.events) at.push_back(event.known + 1);
  std::iota(order.begin(), order.end(), 0);
  const std::array orders = {HistoryOrder{history.by_known, history.by_time}};
  const auto overflows = [&](HistoryWay way) {
    auto kernel = kernel_of(world);
    std::vector<EventBlock> blocks;
    blocks.push_back(*kernel->prepare_events(0, batch_of(*world.project, history.events, true),
                                             known_of(history.events)));
    const auto before = kernel->counts().integer_overflows;
    const auto questions =
        *kernel->prepare_questions(batch_of(*world.project, history.events, false), at, kViews);
    const auto answers =
        kernel->answer_history(kViews, blocks, orders, questions, order, 1, run_in_turn, way);
    for (std::size_t left = order.size(); left > 0; left -= std::min<std::size_t>(left, 100))
      (void)answers->next(std::min<std::size_t>(left, 100));
    return kernel->counts().integer_overflows - before;
  };
  CHECK(overflows(HistoryWay::plain) > 100);
  CHECK(overflows(HistoryWay::by_entity) == overflows(HistoryWay::plain));
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
      kernel->answer_history(kViews, blocks, orders, *questions, order)->next(2)[0];
  for (std::size_t row = 0; row < 2; ++row) {
    std::vector<Answer> found;
    for (const auto& column : columns)
      found.push_back(answer_in(column, static_cast<std::int64_t>(row)));
    check_answers(world, found, oracle(world, history.events, keys[row], at[row]));
  }
}

}  // namespace
}  // namespace coeval::kernel
