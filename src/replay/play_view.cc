#include "replay/play_view.h"

#include <limits>

namespace coeval::replay {

namespace {

// One set of questions on its way through the log.
struct Cursor {
  LoggedQuestions asked;
  std::vector<std::vector<kernel::Cell>> cells;  // by feature
  std::size_t next = 0;
};

}  // namespace

void play_view(kernel::Kernel& kernel, int view, const kernel::EventBlock& events,
               std::span<const std::int64_t> positions, std::span<const LoggedQuestions> asked) {
  const auto& declared = kernel.project().views[static_cast<std::size_t>(view)];
  const std::size_t features = declared.feature_count();
  std::vector<Cursor> cursors;
  for (const auto& questions : asked)
    cursors.push_back(
        {questions, std::vector(features, std::vector<kernel::Cell>(questions.records.size())), 0});
  std::vector<kernel::Cell> row(features);
  const auto answer_until = [&](std::uint64_t position) {
    for (auto& [questions, cells, next] : cursors)
      for (; next < questions.records.size() && questions.records[next].position.value <= position;
           ++next) {
        kernel.ask(view, *questions.block, static_cast<std::int64_t>(next), row);
        for (std::size_t f = 0; f < features; ++f) cells[f][next] = row[f];
      }
  };
  for (std::size_t i = 0; i < positions.size(); ++i) {
    answer_until(static_cast<std::uint64_t>(positions[i]));
    kernel.apply(view, events, static_cast<std::int64_t>(i));
  }
  answer_until(std::numeric_limits<std::uint64_t>::max());
  for (const auto& cursor : cursors)
    for (std::size_t f = 0; f < features; ++f)
      cursor.asked.columns->push_back(kernel::to_column(declared.feature_type(f), cursor.cells[f]));
}

}  // namespace coeval::replay
