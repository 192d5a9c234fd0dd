#pragma once

#include "data/packed_list.h"
#include "kernel/shape_for_tests.h"
#include "kernel/world_for_tests.h"

namespace coeval::kernel::testing {

inline constexpr std::array kViews = {0};

inline std::unique_ptr<Kernel> kernel_of(const World& world) {
  auto kernel = Kernel::create(world.project, {0}, shape_for(world.toml));
  REQUIRE(kernel);
  return std::move(*kernel);
}

inline void apply_one(Kernel& kernel, const World& world, const Event& event) {
  const std::array events = {event};
  auto block = kernel.prepare_events(0, batch_of(*world.project, events, false), known_of(events));
  REQUIRE(block);
  kernel.apply(*block, 0);
}

/// The elements as aggregate_oracle_for_tests.h writes them.
inline std::string elements_text(const std::string& bytes, data::Type type) {
  const data::ListView list(bytes, type);
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const data::Value value = list.value(i);
    Number number;
    if (const auto* real = std::get_if<double>(&value))
      number = Number::of(std::optional(*real));
    else if (const auto* words = std::get_if<std::string>(&value))
      number = Number::of(std::optional(*words));
    else if (const auto* flag = std::get_if<bool>(&value))
      number = Number::of(as_number(*flag));
    else
      number = Number::of(std::optional(std::get<std::int64_t>(value)));
    text += element_text(number);
  }
  return text;
}

inline Answer answer_of(data::Type type, const Cell& cell) {
  if (!cell.valid) return {false, 0, {}, cell.approximate};
  if (data::is_list(type))
    return {true, 0,
            elements_text(std::string(to_column(type, std::span(&cell, 1)).string(0)), type),
            cell.approximate};
  if (type != data::Type::string) return {true, cell.bits, {}, cell.approximate};
  return {true, 0, std::string(to_column(type, std::span(&cell, 1)).string(0)), cell.approximate};
}

inline std::vector<Answer> ask_one(Kernel& kernel, const World& world, const Event& key,
                                   std::int64_t at) {
  const std::array keys = {key};
  const std::array times = {at};
  auto block = kernel.prepare_questions(batch_of(*world.project, keys, false), times, kViews);
  REQUIRE(block);
  std::vector<Cell> cells(world.view().feature_count());
  kernel.ask(0, *block, 0, cells);
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < cells.size(); ++i)
    answers.push_back(answer_of(world.view().feature_type(i), cells[i]));
  return answers;
}

// Questions between the events: mostly at the present, on round times, some back within the
// lateness.
inline std::vector<Question> random_questions(std::mt19937_64& random, const World& world,
                                              const std::vector<Event>& events, std::size_t count) {
  std::vector<Question> questions;
  for (std::size_t i = 0; i < count; ++i) {
    Question q;
    q.applied = random() % (events.size() + 1);
    const std::int64_t known = q.applied == 0 ? events[0].known : events[q.applied - 1].known;
    q.key = events[random() % events.size()];
    q.at = known + 1 +
           static_cast<std::int64_t>(random() % 3 == 0 ? random() % static_cast<unsigned>(kHourUs)
                                                       : 0);
    if (random() % 4 == 0)
      q.at -= static_cast<std::int64_t>(random() %
                                        static_cast<std::uint64_t>(world.view().lateness_us + 1));
    if (random() % 3 == 0) q.at = q.at / kMinuteUs * kMinuteUs;
    if (random() % 10 == 0) q.at += 30 * kDayUs;
    q.at = std::max(q.at, known - world.view().lateness_us);
    questions.push_back(q);
  }
  std::stable_sort(questions.begin(), questions.end(),
                   [](const Question& a, const Question& b) { return a.applied < b.applied; });
  return questions;
}

inline void check_answers(const World& world, const std::vector<Answer>& found,
                          const std::vector<Answer>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    INFO(world.toml);
    INFO(world.view().feature_name(i));
    REQUIRE(found[i].valid == expected[i].valid);
    REQUIRE(found[i].bits == expected[i].bits);
    REQUIRE(found[i].text == expected[i].text);
  }
}

inline const OracleAggregate kCountRows{"count", nullptr, &kConditions[0]};
inline const OracleAggregate kMeanX{"mean", &kArguments[2], &kConditions[0]};

inline Event event_at(std::int64_t time, std::int64_t known, double x = 1) {
  Event e;
  e.time = time;
  e.known = known;
  e.k = "a";
  e.x = x;
  return e;
}

}  // namespace coeval::kernel::testing
