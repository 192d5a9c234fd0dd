#include <algorithm>
#include <numeric>

#include "base/clock.h"
#include "base/stable_order.h"
#include "base/worker_pool.h"
#include "kernel/kernel.h"
#include "windows/shapes.h"

namespace windows_bench {

using namespace coeval;

namespace {

constexpr std::size_t kChunkRows = 262'144;

/// Times phases one after the other, wall and CPU of all threads.
class Phases {
 public:
  explicit Phases(std::string_view name) : name_(name) {}

  template <class Body>
  void time(std::string_view phase, Body body) {
    const double wall = monotonic_seconds(), cpu = cpu_seconds();
    body();
    const double took = monotonic_seconds() - wall, used = cpu_seconds() - cpu;
    report(name_, std::string(phase) + "_wall", took, "s");
    report(name_, std::string(phase) + "_cpu", used, "s");
    wall_ += took;
    cpu_ += used;
  }

  void report_totals() const {
    report(name_, "wall", wall_, "s");
    report(name_, "cpu", cpu_, "s");
  }

 private:
  std::string_view name_;
  double wall_ = 0, cpu_ = 0;
};

/// The sum of all values' bits, whatever the order of rows, as compare.py computes it of the
/// answers of `coeval dataset`; a null adds nothing. Lists are left out there.
std::uint64_t bits_of(const data::Column& column) {
  std::uint64_t sum = 0;
  if (column.offsets_data() != nullptr || column.is_coded()) return 0;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (column.type() == data::Type::int32)
      sum += static_cast<std::uint64_t>(column.integer(row));
    else if (column.type() == data::Type::boolean)
      sum += column.bit(row) ? 1 : 0;
    else
      sum += column.values<std::uint64_t>()[static_cast<std::size_t>(row)];
  }
  return sum;
}

using Answers = std::vector<std::vector<data::Column>>;  // by view, one column a feature and part

struct Past {
  std::vector<data::Batch> rows;  // by source, as are the next
  std::vector<std::vector<std::int64_t>> known, by_known;
};

Past make_past(const Shape& shape, const define::Project& project) {
  Past past;
  for (int source = 0; source < shape.sources; ++source) {
    past.rows.push_back(events(shape, project, source, 0, shape.events));
    const auto times = past.rows.back().find("ts")->values<std::int64_t>();
    past.known.emplace_back(times.begin(), times.end());
    past.by_known.emplace_back(times.size());
    std::iota(past.by_known.back().begin(), past.by_known.back().end(), 0);
  }
  return past;
}

}  // namespace

void run_history(const Shape& shape, int threads) {
  const auto definition = project(shape);
  const Past past = make_past(shape, *definition);
  const Questions asked = questions(shape, 0, shape.questions);
  std::vector<int> views(static_cast<std::size_t>(shape.sources));
  std::iota(views.begin(), views.end(), 0);

  // The steps of replay/dataset.cc between reading and writing.
  WorkerPool pool(threads);
  const auto run = [&](std::size_t parts, const auto& part) { pool.run(parts, part); };
  Phases phases(shape.name);
  auto kernel = need(kernel::Kernel::create(definition, views));
  std::vector<kernel::EventBlock> blocks;
  std::vector<std::vector<std::int64_t>> by_time;
  std::vector<kernel::HistoryOrder> orders;
  std::vector<std::int64_t> question_order;
  kernel::QuestionBlock prepared;
  phases.time("prepare_events", [&] {
    for (std::size_t source = 0; source < past.rows.size(); ++source)
      blocks.push_back(need(kernel->prepare_events(static_cast<int>(source), past.rows[source],
                                                   past.known[source], run)));
  });
  phases.time("prepare_questions", [&] {
    prepared = need(kernel->prepare_questions(asked.keys, asked.at_us, views, run));
  });
  phases.time("order", [&] {
    question_order = stable_order(asked.at_us);
    for (const auto& block : blocks) by_time.push_back(stable_order(block.event_time_us));
    for (std::size_t source = 0; source < blocks.size(); ++source)
      orders.push_back({past.by_known[source], by_time[source]});
  });
  Answers answers(views.size());
  phases.time("answer", [&] {
    const auto found = kernel->answer_history(views, blocks, orders, prepared, question_order,
                                              static_cast<std::size_t>(threads), run);
    for (std::size_t from = 0; from < question_order.size(); from += kChunkRows) {
      auto columns = found->next(std::min(kChunkRows, question_order.size() - from));
      for (std::size_t v = 0; v < columns.size(); ++v)
        std::ranges::move(columns[v], std::back_inserter(answers[v]));
    }
  });
  phases.report_totals();
  std::uint64_t checksum = 0;
  for (const auto& columns : answers)
    for (const auto& column : columns) checksum += bits_of(column);
  double cells = 0;
  for (const auto& view : definition->views)
    cells += static_cast<double>(view.feature_count()) * static_cast<double>(shape.questions);
  report(shape.name, "answers", cells, "cells");
  std::printf("%-12s %-24s %016llx\n", shape.name.c_str(), "checksum",
              static_cast<unsigned long long>(checksum));
}

}  // namespace windows_bench
