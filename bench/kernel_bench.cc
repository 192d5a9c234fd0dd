// The kernel's share of a backfill of three million flights: every flight is an event when it
// lands, and a question when it departs, to four views (origin, destination, route, all) of three
// windows of three aggregates. Prints CPU nanoseconds per pair of an event and a question, by view.
//
//   kernel_bench [rows]            a generated history
//   kernel_bench expressions [rows]
//                                  only the expressions, which come last otherwise
//   kernel_bench FILE              int64 rows, airports; per row int64 date_us, then int32 delay,
//   distance,
//                                  origin code, destination code, each as one array; 4-byte airport
//                                  names

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/time.h"
#include "define/project.h"
#include "kernel/block_loops.h"
#include "kernel/evaluate.h"
#include "kernel/kernel.h"

namespace {

using namespace coeval;

constexpr std::size_t kChunkRows = 262'144;

struct Flights {
  std::vector<std::int64_t> date;
  std::vector<std::int32_t> delay, distance, origin, destination;
  std::vector<std::string> airports;
};

double cpu_seconds(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// About as many airports, routes and flights a minute as in the first half of 2001, with a few busy
// airports.
Flights generate(std::size_t rows) {
  std::mt19937_64 random(1);
  Flights flights;
  for (int i = 0; i < 229; ++i)
    flights.airports.push_back(
        {static_cast<char>('A' + i / 26), static_cast<char>('A' + i % 26), 'X'});
  const auto airport = [&] {
    const double u = static_cast<double>(random() >> 11) * 0x1p-53;
    return static_cast<std::int32_t>(u * u * u * 229);
  };
  std::vector<std::pair<std::int32_t, std::int32_t>> routes;
  for (int i = 0; i < 5000; ++i) routes.emplace_back(airport(), airport());
  std::int64_t now = civil_to_us(2001, 1, 1);
  for (std::size_t i = 0; i < rows; ++i) {
    now += static_cast<std::int64_t>(random() % 11) * kSecondUs;
    const auto& route = routes[random() % routes.size()];
    flights.date.push_back(now / kMinuteUs * kMinuteUs);
    flights.delay.push_back(static_cast<std::int32_t>(random() % 60) - 15);
    flights.distance.push_back(100 + static_cast<std::int32_t>(random() % 2500));
    flights.origin.push_back(route.first);
    flights.destination.push_back(route.second);
  }
  return flights;
}

template <class T>
void read(std::ifstream& file, std::vector<T>& values, std::size_t count) {
  values.resize(count);
  file.read(reinterpret_cast<char*>(values.data()),
            static_cast<std::streamsize>(count * sizeof(T)));
}

Flights load(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::int64_t> sizes;
  read(file, sizes, 2);
  const auto rows = static_cast<std::size_t>(sizes[0]);
  Flights flights;
  read(file, flights.date, rows);
  for (auto* column : {&flights.delay, &flights.distance, &flights.origin, &flights.destination})
    read(file, *column, rows);
  for (std::int64_t i = 0; i < sizes[1]; ++i) {
    char airport[4] = {};
    file.read(airport, 4);
    flights.airports.emplace_back(airport, 3);
  }
  return flights;
}

std::shared_ptr<const define::Project> project() {
  std::string toml = R"toml([project]
name = "flights"
[source.flights]
path = "flights.parquet"
time = "date"
known = "date + minutes(40 + distance / 7.5)"
[source.flights.columns]
date = { type = "timestamp" }
delay = { type = "int32" }
distance = { type = "int32", known = "date" }
origin = { type = "string", known = "date" }
destination = { type = "string", known = "date" }
)toml";
  const char* views[][2] = {{"origin", "\"origin\""},
                            {"destination", "\"destination\""},
                            {"route", "\"origin\", \"destination\""},
                            {"all", ""}};
  for (const auto& [name, keys] : views)
    toml += std::string("[view.") + name + "]\nfrom = \"flights\"\nby = [" + keys +
            "]\nwindows = [\"3h\", \"24h\", \"14d\"]\n"
            "flights = \"count()\"\nlate = \"mean(delay >= 15)\"\ndelay = \"mean(delay)\"\n";
  auto checked = define::check_text(toml, "coeval.toml");
  for (const auto& error : checked.errors)
    std::fputs(define::render(error, toml, false).c_str(), stderr);
  if (!checked.project) std::exit(1);
  return std::make_shared<define::Project>(std::move(*checked.project));
}

template <class T>
data::Column numbers(data::Type type, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return data::Column::fixed(type, {bytes.begin(), bytes.end()}, {},
                             static_cast<std::int64_t>(values.size()));
}

data::Batch batch_of(const define::Project& project, const Flights& flights) {
  data::ColumnBuilder names(data::Type::string);
  for (const auto& airport : flights.airports) names.append_string(airport);
  const auto dictionary = std::make_shared<const data::Column>(names.finish());
  data::Batch batch;
  batch.schema = project.sources[0].schema;
  batch.rows = static_cast<std::int64_t>(flights.date.size());
  for (const auto& field : batch.schema.fields) {
    if (field.name == "date") batch.columns.push_back(numbers(field.type, flights.date));
    if (field.name == "delay") batch.columns.push_back(numbers(field.type, flights.delay));
    if (field.name == "distance") batch.columns.push_back(numbers(field.type, flights.distance));
    if (field.name == "origin")
      batch.columns.push_back(data::Column::coded(flights.origin, dictionary, {}));
    if (field.name == "destination")
      batch.columns.push_back(data::Column::coded(flights.destination, dictionary, {}));
  }
  return batch;
}

// A checksum that keeps the answers from being optimised away and shows that runs agree.
std::uint64_t checksum(const std::vector<data::Column>& columns) {
  std::uint64_t sum = 0;
  for (const auto& column : columns)
    for (const std::uint64_t bits : column.values<std::uint64_t>()) sum = sum * 31 + bits;
  return sum;
}

struct Replay {
  kernel::Kernel& kernel;
  const kernel::EventBlock& events;
  const std::vector<std::int64_t>& event_order;
  const kernel::QuestionBlock& questions;
  const std::vector<std::int64_t>& question_order;

  std::uint64_t run(int view, bool sum) const {
    std::uint64_t total = 0;
    std::size_t next = 0;
    for (std::size_t from = 0; from < question_order.size(); from += kChunkRows) {
      const std::size_t size = std::min(kChunkRows, question_order.size() - from);
      const auto columns = kernel.replay(view, events, event_order, next, questions,
                                         std::span(question_order).subspan(from, size));
      if (sum) total = total * 31 + checksum(columns);
    }
    return total;
  }
};

// The answers of all views the quickest way; the checksums are those of Replay.
std::vector<std::uint64_t> answer_all(kernel::Kernel& kernel, std::span<const int> views,
                                      std::span<const kernel::EventBlock> events,
                                      std::span<const kernel::HistoryOrder> orders,
                                      const kernel::QuestionBlock& questions,
                                      std::span<const std::int64_t> question_order, bool sum) {
  std::vector<std::uint64_t> totals(views.size());
  const auto answers = kernel.answer_history(views, events, orders, questions, question_order);
  for (std::size_t from = 0; from < question_order.size(); from += kChunkRows) {
    const auto columns = answers->next(std::min(kChunkRows, question_order.size() - from));
    for (std::size_t v = 0; sum && v < columns.size(); ++v)
      totals[v] = totals[v] * 31 + checksum(columns[v]);
  }
  return totals;
}

double process_seconds() { return cpu_seconds(CLOCK_PROCESS_CPUTIME_ID); }

// CPU nanoseconds a row of each run: the least of many turns, in which all runs take turns, since
// the machine is shared.
std::vector<double> in_turns(std::int64_t rows, std::span<const std::function<void()>> runs) {
  constexpr int kTurns = 25;
  std::vector<double> least(runs.size(), 1e9);
  for (int turn = 0; turn < kTurns; ++turn)
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const double before = process_seconds();
      runs[i]();
      least[i] = std::min(least[i], (process_seconds() - before) / static_cast<double>(rows) * 1e9);
    }
  return least;
}

constexpr const char* kTenNodes =
    "if(distance > 500, delay / 7.5 + distance * 2.0, abs(delay - 3) / (distance + 1))";

define::ExprPtr compiled(const std::string& text, const data::Batch& rows) {
  auto expr = define::compile_expression(text, rows.schema, false, "bench");
  if (!expr) std::exit(1);
  return *expr;
}

// Expressions over all rows in blocks, by the loops of each instruction set.
void instruction_sets(const data::Batch& rows) {
  std::printf("%-60s", "ns a row in blocks (times quicker than plain code)");
  for (const auto* loops : kernel::all_loops()) std::printf(" %14s", loops->name);
  std::printf("\n");
  for (const char* text :
       {kTenNodes, "delay + distance * 3 - 7", "delay * 0.5 + distance * 2.0 - delay / 3.0",
        "delay > 30 and distance < 700", "least(delay, distance)", "greatest(delay * 0.5, 7.0)",
        "sqrt(abs(delay)) + floor(distance / 7.5)", "coalesce(nullif(delay, 0), distance)"}) {
    const define::ExprPtr expr = compiled(text, rows);
    std::vector<std::function<void()>> runs;
    for (const auto* loops : kernel::all_loops())
      runs.emplace_back([&rows, expr, loops] {
        kernel::EvaluationCounts counts;
        (void)kernel::evaluate_by(*loops, *expr, rows, {}, counts);
      });
    const std::vector<double> ns = in_turns(rows.rows, runs);
    std::printf("%-60.60s", text);
    for (const double each : ns) std::printf(" %6.2f (%5.2f)", each, ns[0] / each);
    std::printf("\n");
  }
}

// An expression of ten nodes over all rows in blocks, over one row at a time, and as somebody would
// write it by hand for exactly these columns: what any way of compiling it could reach.
void expressions(const data::Batch& rows, const Flights& flights) {
  instruction_sets(rows);
  const define::ExprPtr expr = compiled(kTenNodes, rows);
  kernel::EvaluationCounts counts;
  data::Column column;
  std::vector<double> by_hand(flights.delay.size());
  constexpr std::int64_t kSingle = 1000;
  std::vector<data::Batch> single;
  for (std::int64_t row = 0; row < kSingle; ++row)
    single.push_back(data::take(rows, std::array{row % rows.rows}));
  const std::array<std::function<void()>, 2> whole = {
      [&] { column = kernel::evaluate(*expr, rows, {}, counts); },
      [&] {
        for (std::size_t i = 0; i < by_hand.size(); ++i) {
          const auto delay = static_cast<double>(flights.delay[i]);
          const auto distance = static_cast<double>(flights.distance[i]);
          by_hand[i] = flights.distance[i] > 500 ? delay / 7.5 + distance * 2.0
                                                 : std::abs(delay - 3) / (distance + 1);
        }
      }};
  const std::vector<double> ns = in_turns(rows.rows, whole);
  std::int64_t differ = 0;
  for (std::size_t i = 0; i < by_hand.size(); ++i)
    differ += by_hand[i] != column.real(static_cast<std::int64_t>(i)) ? 1 : 0;
  const std::array<std::function<void()>, 1> one_row = {[&] {
    for (const data::Batch& row : single) column = kernel::evaluate(*expr, row, {}, counts);
  }};
  std::printf("ten nodes, ns a row: in blocks %.2f, by hand %.2f, one row at a time %.0f\n", ns[0],
              ns[1], in_turns(kSingle, one_row)[0]);
  std::printf("of all rows %lld differ from those by hand\n", static_cast<long long>(differ));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "expressions") {
    const auto count = static_cast<std::size_t>(argc > 2 ? std::atoll(argv[2]) : 1'000'000);
    const Flights flights = generate(count);
    expressions(batch_of(*project(), flights), flights);
    return 0;
  }
  const bool is_file = argc > 1 && std::atoll(argv[1]) == 0;
  const Flights flights =
      is_file ? load(argv[1])
              : generate(argc > 1 ? static_cast<std::size_t>(std::atoll(argv[1])) : 3'000'000);
  const auto definition = project();
  const data::Batch rows = batch_of(*definition, flights);
  const auto timed = [&](const char* what, auto body) {
    const double cpu = process_seconds(), wall = monotonic_seconds();
    body();
    const double used = process_seconds() - cpu;
    std::printf("%-28s %7.3f CPU s %7.3f s %7.1f ns a row\n", what, used,
                monotonic_seconds() - wall, used / static_cast<double>(rows.rows) * 1e9);
  };

  std::vector<std::int64_t> known, order(flights.date.size()), question_order(flights.date.size());
  timed("known times", [&] {
    kernel::EvaluationCounts counts;
    const auto column = kernel::evaluate(*definition->sources[0].known, rows, {}, counts);
    const auto values = column.values<std::int64_t>();
    known.assign(values.begin(), values.end());
  });
  std::iota(order.begin(), order.end(), 0);
  std::iota(question_order.begin(), question_order.end(), 0);
  std::ranges::stable_sort(order, {},
                           [&](std::int64_t row) { return known[static_cast<std::size_t>(row)]; });

  const std::vector<int> views = {0, 1, 2, 3};
  auto kernel = kernel::Kernel::create(definition, views);
  if (!kernel) return 1;
  Result<kernel::EventBlock> events;
  Result<kernel::QuestionBlock> questions;
  timed("prepare events", [&] { events = (*kernel)->prepare_events(0, rows, known); });
  timed("prepare questions",
        [&] { questions = (*kernel)->prepare_questions(rows, flights.date, views); });
  if (!events || !questions) return 1;

  std::vector<std::uint64_t> sums;
  for (const int view : views)
    timed(definition->views[static_cast<std::size_t>(view)].name.c_str(), [&] {
      sums.push_back(Replay{**kernel, *events, order, *questions, question_order}.run(view, false));
    });
  auto second = kernel::Kernel::create(definition, views);
  events = (*second)->prepare_events(0, rows, known);
  questions = (*second)->prepare_questions(rows, flights.date, views);
  timed("four views, two threads", [&] {
    const Replay replay{**second, *events, order, *questions, question_order};
    std::jthread other([&] {
      replay.run(0, false);
      replay.run(3, false);
    });
    replay.run(1, false);
    replay.run(2, false);
  });
  std::string bytes;
  timed("serialize", [&] { bytes = (*kernel)->serialize(); });
  std::printf("state %.1f MB, equal after both runs: %s\n", static_cast<double>(bytes.size()) / 1e6,
              bytes == (*second)->serialize() ? "yes" : "NO");
  timed("restore", [&] { (void)(*second)->restore(bytes); });
  {
    auto third = kernel::Kernel::create(definition, views);
    events = (*third)->prepare_events(0, rows, known);
    questions = (*third)->prepare_questions(rows, flights.date, views);
    const std::vector<std::int64_t> by_time = question_order;  // flights are sorted by departure
    const std::array orders = {kernel::HistoryOrder{order, by_time}};
    const std::span blocks(&*events, 1);
    timed("four views by a merge",
          [&] { answer_all(**third, views, blocks, orders, *questions, question_order, false); });
    std::uint64_t merged = 0, played = 0;
    const auto of_merge =
        answer_all(**third, views, blocks, orders, *questions, question_order, true);
    for (const int view : views) {
      merged = merged * 31 + of_merge[static_cast<std::size_t>(view)];
      played =
          played * 31 + Replay{**third, *events, order, *questions, question_order}.run(view, true);
    }
    std::printf("checksum of all answers %016llx, merged the same: %s\n",
                static_cast<unsigned long long>(played), merged == played ? "yes" : "NO");
  }
  expressions(rows, flights);
  return 0;
}
