#include "kernel/kernel.h"
#include "base/rounds_for_tests.h"

#include "kernel/kernel_for_tests.h"

namespace coeval::kernel {
namespace {

using namespace testing;

TEST_CASE(
    "every answer is what looking at all events gives, bit for bit, for random definitions and "
    "arrivals") {
  std::mt19937_64 random(11);
  for (int round = 0; round < test_rounds(400); ++round) {
    const World world = random_world(random);
    const bool dense = round % 4 == 0;
    const auto events =
        random_events(random, dense ? 700 : 120, dense ? kMinuteUs : 12 * kMinuteUs, dense ? 1 : 3);
    auto kernel = kernel_of(world);
    std::size_t applied = 0;
    for (const auto& q : random_questions(random, world, events, 60)) {
      while (applied < q.applied) apply_one(*kernel, world, events[applied++]);
      REQUIRE(kernel->reaches(0, q.at));
      check_answers(world, ask_one(*kernel, world, q.key, q.at),
                    oracle(world, std::span(events).first(applied), q.key, q.at));
    }
  }
}

TEST_CASE(
    "replaying a whole history in parts gives the bits of asking one question after the other") {
  std::mt19937_64 random(12);
  for (int round = 0; round < test_rounds(120); ++round) {
    const World world = random_world(random);
    const bool dense = round % 3 == 0;
    const auto events = random_events(random, dense ? 3000 : 300,
                                      dense ? 30 * kSecondUs : 10 * kMinuteUs, dense ? 2 : 5);
    std::vector<Event> keys;
    std::vector<std::int64_t> at, order, question_order;
    for (std::size_t i = 0; i < 200; ++i) {
      keys.push_back(events[random() % events.size()]);
      at.push_back(events[random() % events.size()].known +
                   static_cast<std::int64_t>(random() % 3));
    }
    for (std::size_t i = 0; i < events.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
    for (std::size_t i = 0; i < at.size(); ++i)
      question_order.push_back(static_cast<std::int64_t>(i));
    std::ranges::stable_sort(question_order, {},
                             [&](std::int64_t i) { return at[static_cast<std::size_t>(i)]; });

    auto batch = kernel_of(world);
    const bool questions_first = round % 2 == 0;
    Result<QuestionBlock> questions;
    const data::Batch key_batch = batch_of(*world.project, keys, round % 2 == 1);
    if (questions_first) questions = batch->prepare_questions(key_batch, at, kViews);
    auto block = batch->prepare_events(0, batch_of(*world.project, events, true), known_of(events));
    if (!questions_first) questions = batch->prepare_questions(key_batch, at, kViews);
    REQUIRE(block);
    REQUIRE(questions);

    auto single = kernel_of(world);
    std::size_t next = 0, applied = 0;
    for (std::size_t from = 0; from < question_order.size();) {
      const std::size_t part =
          std::min<std::size_t>(1 + random() % 90, question_order.size() - from);
      const auto rows = std::span(question_order).subspan(from, part);
      const auto columns = batch->replay(0, *block, order, next, *questions, rows);
      const auto sketched = approximate_features(world.view());
      REQUIRE(columns.size() == world.view().feature_count() + sketched.size());
      for (std::size_t i = 0; i < part; ++i) {
        const auto row = static_cast<std::size_t>(rows[i]);
        while (applied < events.size() && events[applied].known < at[row])
          apply_one(*single, world, events[applied++]);
        const auto expected = ask_one(*single, world, keys[row], at[row]);
        const auto place = static_cast<std::int64_t>(i);
        for (std::size_t s = 0; s < sketched.size(); ++s)
          REQUIRE(columns[expected.size() + s].bit(place) == expected[sketched[s]].approximate);
        for (std::size_t feature = 0; feature < expected.size(); ++feature) {
          const data::Type type = world.view().feature_type(feature);
          REQUIRE(columns[feature].type() == type);
          REQUIRE(columns[feature].is_null(place) == !expected[feature].valid);
          if (!expected[feature].valid) continue;
          if (data::is_list(type)) {
            const std::string bytes(columns[feature].string(place));
            REQUIRE(data::is_packed_list(bytes, type));
            REQUIRE(elements_text(bytes, type) == expected[feature].text);
            continue;
          }
          if (type == data::Type::string) {
            REQUIRE(columns[feature].string(place) == expected[feature].text);
            continue;
          }
          const std::array cell = {Cell{expected[feature].bits, true}};
          const auto one = to_column(type, cell);
          if (type == data::Type::boolean) {
            REQUIRE(columns[feature].bit(place) == one.bit(0));
            continue;
          }
          if (data::is_float(one.type()))
            REQUIRE(std::bit_cast<std::uint64_t>(columns[feature].real(place)) ==
                    std::bit_cast<std::uint64_t>(one.real(0)));
          else
            REQUIRE(columns[feature].integer(place) == one.integer(0));
        }
      }
      from += part;
    }
    CHECK(batch->dropped_late_count(0) == single->dropped_late_count(0));
    CHECK(batch->last_known_us(0) == single->last_known_us(0));
    CHECK(batch->serialize() == single->serialize());
    CHECK(next == applied);
    CHECK(batch->serialize() == single->serialize());
  }
}

TEST_CASE(
    "a state that was written and read goes on as one that never stopped, to the same bytes") {
  std::mt19937_64 random(13);
  for (int round = 0; round < 150; ++round) {
    const World world = random_world(random);
    const auto events = random_events(random, 400, round % 2 == 0 ? kMinuteUs : 40 * kMinuteUs,
                                      round % 3 == 0 ? 1 : 3);
    auto steady = kernel_of(world), broken = kernel_of(world);
    std::size_t applied = 0;
    for (const auto& q : random_questions(random, world, events, 40)) {
      for (; applied < q.applied; ++applied) {
        apply_one(*steady, world, events[applied]);
        apply_one(*broken, world, events[applied]);
      }
      // One of the two is asked all the time, the other is restarted all the time.
      const auto answer = ask_one(*steady, world, q.key, q.at);
      const std::string bytes = broken->serialize();
      CHECK(bytes == steady->serialize());
      broken = kernel_of(world);
      REQUIRE(broken->restore(bytes));
      CHECK(broken->serialize() == bytes);
      CHECK(broken->last_known_us(0) == steady->last_known_us(0));
      CHECK(broken->dropped_late_count(0) == steady->dropped_late_count(0));
      check_answers(world, ask_one(*broken, world, q.key, q.at), answer);
    }
  }
}

TEST_CASE("state bytes do not depend on how the events were batched") {
  std::mt19937_64 random(14);
  for (int round = 0; round < 60; ++round) {
    const World world = random_world(random);
    const auto events = random_events(random, 500, 10 * kMinuteUs, 4);
    std::string expected;
    for (const std::size_t size : {std::size_t{1}, std::size_t{7}, events.size()}) {
      auto kernel = kernel_of(world);
      for (std::size_t from = 0; from < events.size(); from += size) {
        const auto part = std::span(events).subspan(from, std::min(size, events.size() - from));
        auto block =
            kernel->prepare_events(0, batch_of(*world.project, part, size > 1), known_of(part));
        REQUIRE(block);
        for (std::int64_t row = 0; row < block->rows; ++row) kernel->apply(*block, row);
      }
      if (expected.empty()) expected = kernel->serialize();
      CHECK(kernel->serialize() == expected);
    }
  }
}

TEST_CASE("cut or altered bytes are refused, or read as a state with just those bytes") {
  std::mt19937_64 random(15);
  for (int round = 0; round < 30; ++round) {
    const World world = random_world(random);
    auto kernel = kernel_of(world);
    for (const auto& event : random_events(random, 30, 10 * kMinuteUs, 2))
      apply_one(*kernel, world, event);
    const std::string bytes = kernel->serialize();
    auto reader = kernel_of(world);
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
      const Status status = reader->restore(std::string_view(bytes).substr(0, cut));
      REQUIRE_FALSE(status);
      CHECK(status.error().code == Code::snapshot_corrupt);
      CHECK(reader->event_count(0) == 0);
    }
    for (int change = 0; change < 600; ++change) {
      std::string altered = bytes;
      altered[random() % altered.size()] = static_cast<char>(random());
      if (reader->restore(altered)) CHECK(reader->serialize() == altered);
    }
  }
}

TEST_CASE("an event at exactly T is outside, one at exactly T - W is inside") {
  const World world = make_world("\"k\"", "\"1h\"", "1h", {kCountRows});
  auto kernel = kernel_of(world);
  const std::int64_t t = 100 * kHourUs;
  apply_one(*kernel, world, event_at(t - kHourUs, t - 10));
  apply_one(*kernel, world, event_at(t, t - 5));
  const Event key = event_at(0, 0);
  CHECK(ask_one(*kernel, world, key, t)[0].bits == 1);
  CHECK(ask_one(*kernel, world, key, t + 1)[0].bits == 1);
  CHECK(ask_one(*kernel, world, key, t + kHourUs)[0].bits == 1);
  CHECK(ask_one(*kernel, world, key, t + kHourUs + 1)[0].bits == 0);
}

TEST_CASE("an event counts only in questions after it was known") {
  const World world = make_world("\"k\"", "\"3h\"", "1h", {kCountRows});
  auto kernel = kernel_of(world);
  const std::int64_t landed = 50 * kHourUs;
  apply_one(*kernel, world, event_at(landed - 2 * kHourUs, landed));
  const Event key = event_at(0, 0);
  CHECK(ask_one(*kernel, world, key, landed)[0].bits == 0);
  CHECK(ask_one(*kernel, world, key, landed + 1)[0].bits == 1);
  CHECK(ask_one(*kernel, world, key, landed + kHourUs)[0].bits == 1);
  CHECK(ask_one(*kernel, world, key, landed + kHourUs + 1)[0].bits == 0);
}

TEST_CASE(
    "late events beside a window's begin count on the right side of it, wherever the begin lies in "
    "storage") {
  std::mt19937_64 random(16);
  const World world = make_world("", "\"10h\"", "30d", {kCountRows, kMeanX});
  for (int round = 0; round < 12; ++round) {
    auto kernel = kernel_of(world);
    std::vector<Event> events;
    const auto add = [&](std::int64_t time, std::int64_t known) {
      events.push_back(event_at(time, known, static_cast<double>(events.size())));
      apply_one(*kernel, world, events.back());
    };
    for (int i = 0; i < 300; ++i) add(i * 2 * kMinuteUs, 600 * kMinuteUs);
    // The first one makes a full chunk split, at another distance from the window's begin in each
    // round.
    for (int i = 58 + round; i < 300; i += 1 + round % 3) {
      const std::int64_t from = (i * 2 + 1) * kMinuteUs;
      const std::int64_t at = from + 10 * kHourUs;
      ask_one(*kernel, world, events[0], at);
      for (int late = 0; late <= round % 4; ++late) {
        add(from + static_cast<std::int64_t>(random() % 3) * 10 * kSecondUs - 10 * kSecondUs,
            at - 1);
        check_answers(world, ask_one(*kernel, world, events[0], at),
                      oracle(world, events, events[0], at));
      }
    }
  }
}

TEST_CASE("an outlier that has left the window leaves no trace in the mean") {
  const World world = make_world("\"k\"", "\"1h\"", "0s", {kMeanX});
  auto kernel = kernel_of(world);
  const std::int64_t t = 50 * kHourUs;
  apply_one(*kernel, world, event_at(t, t, 9e12));
  apply_one(*kernel, world, event_at(t + 1, t + 1, 1e308));
  apply_one(*kernel, world, event_at(t + 2, t + 2, std::nan("")));
  apply_one(*kernel, world, event_at(t + kMinuteUs, t + kMinuteUs, 0.1));
  apply_one(*kernel, world, event_at(t + 2 * kMinuteUs, t + 2 * kMinuteUs, 0.3));
  const Event key = event_at(0, 0);
  CHECK(std::isnan(std::bit_cast<double>(ask_one(*kernel, world, key, t + 3 * kMinuteUs)[0].bits)));
  CHECK(std::bit_cast<double>(ask_one(*kernel, world, key, t + kHourUs + kMinuteUs)[0].bits) ==
        0.2);
}

TEST_CASE("events beyond retention are counted and not held") {
  const World world = make_world("\"k\"", "\"1h\"", "1h", {kCountRows});
  auto kernel = kernel_of(world);
  const std::int64_t t = 50 * kHourUs;
  apply_one(*kernel, world, event_at(t - 2 * kHourUs, t));
  apply_one(*kernel, world, event_at(t - 2 * kHourUs - 1, t));
  CHECK(kernel->dropped_late_count(0) == 1);
  CHECK(kernel->event_count(0) == 1);
  CHECK(kernel->reaches(0, t - kHourUs));
  CHECK_FALSE(kernel->reaches(0, t - kHourUs - 1));
}

TEST_CASE("memory of entities that fall silent is given up as others go on") {
  const World world = make_world("\"j\"", "\"1h\"", "0s", {kCountRows});
  auto kernel = kernel_of(world);
  for (int i = 0; i < 20000; ++i) {
    Event e = event_at(i * kMinuteUs, i * kMinuteUs);
    e.j = i / 40;  // each entity lives for forty minutes
    apply_one(*kernel, world, e);
  }
  CHECK(kernel->entity_count(0) == 500);
  CHECK(kernel->event_count(0) < 2000);
}

TEST_CASE("a sum that does not fit int64 is null and counted") {
  const World world =
      make_world("\"k\"", "\"1h\"", "0s", {{"sum", &kArguments[1], &kConditions[0]}});
  auto kernel = kernel_of(world);
  Event e = event_at(kHourUs, kHourUs);
  e.m = INT64_MAX;
  apply_one(*kernel, world, e);
  apply_one(*kernel, world, e);
  CHECK(ask_one(*kernel, world, e, kHourUs + 1)[0] == Answer{});
  CHECK(kernel->counts().integer_overflows == 1);
}

TEST_CASE("a question about a key that had no event yet finds it once it has") {
  const World world = make_world("\"k\"", "\"1h\"", "0s", {kCountRows});
  auto kernel = kernel_of(world);
  const std::array keys = {event_at(0, 0)};
  const std::array<std::int64_t, 1> at = {kHourUs + 1};
  auto questions = kernel->prepare_questions(batch_of(*world.project, keys, false), at, kViews);
  REQUIRE(questions);
  std::vector<Cell> cells(1);
  kernel->ask(0, *questions, 0, cells);
  CHECK(cells[0].bits == 0);
  apply_one(*kernel, world, event_at(kHourUs, kHourUs));
  kernel->ask(0, *questions, 0, cells);
  CHECK(cells[0].bits == 1);
}

TEST_CASE("rows that do not fit the source are refused by name") {
  const World world = make_world("\"k\"", "\"1h\"", "0s", {kCountRows});
  auto kernel = kernel_of(world);
  const std::array events = {event_at(0, 0)};
  data::Batch batch = batch_of(*world.project, events, false);
  const auto n = static_cast<std::size_t>(batch.schema.index_of("n"));
  batch.columns[n] = *batch.find("j");
  const auto wrong = kernel->prepare_events(0, batch, known_of(events));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == Code::type_mismatch);
  CHECK(wrong.error().message == "column 'n' of source 's' must be int32, found int64");
  data::ColumnBuilder nothing(data::Type::int32);
  nothing.append_null();
  batch.columns[n] = nothing.finish();
  const auto null = kernel->prepare_events(0, batch, known_of(events));
  REQUIRE_FALSE(null);
  CHECK(null.error().code == Code::missing_value);
  data::Batch no_key;
  const std::array<std::int64_t, 1> at = {0};
  const auto question = kernel->prepare_questions(no_key, at, kViews);
  REQUIRE_FALSE(question);
  CHECK(question.error().code == Code::missing_value);
}

}  // namespace
}  // namespace coeval::kernel
