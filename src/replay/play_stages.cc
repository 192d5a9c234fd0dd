#include "replay/play_stages.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "kernel/question_stages.h"

namespace coeval::replay {

namespace {

struct EventPlace {
  std::int64_t position = 0;
  const kernel::EventBlock* block = nullptr;
  std::int64_t row = 0;
};

std::vector<EventPlace> in_log_order(const std::map<int, LoggedEvents>& events) {
  std::vector<EventPlace> places;
  for (const auto& [source, logged] : events)
    for (std::size_t i = 0; i < logged.positions.size(); ++i)
      places.push_back({logged.positions[i], &logged.block, static_cast<std::int64_t>(i)});
  std::ranges::sort(places, {}, &EventPlace::position);
  return places;
}

// One set of questions on its way through the log.
class Cursor {
 public:
  explicit Cursor(StagedQuestions& asked) : asked_(&asked) {
    const std::size_t own = asked.row->schema.fields.size() - asked.row->view_features.size();
    for (std::size_t i = own; i < asked.row->schema.fields.size(); ++i)
      builders_.emplace_back(asked.row->schema.fields[i].type);
  }

  // Asks what comes before the event at that position.
  Status ask_until(kernel::Kernel& kernel, std::uint64_t position) {
    std::vector<std::int64_t> rows, at;
    for (; next_ < asked_->records.size() && asked_->records[next_].position.value <= position;
         ++next_) {
      rows.push_back(static_cast<std::int64_t>(next_));
      at.push_back(asked_->at_us[next_]);
    }
    if (rows.empty()) return {};
    kernel::EvaluationCounts counts;
    COEVAL_ASSIGN(
        const auto columns,
        kernel::ask_row(kernel, *asked_->row, data::take(*asked_->columns, rows), at, counts));
    for (std::size_t i = 0; i < columns.size(); ++i)
      for (std::int64_t row = 0; row < columns[i].size(); ++row)
        builders_[i].append_from(columns[i], row);
    return {};
  }

  void finish() {
    for (auto& builder : builders_) asked_->answers.push_back(builder.finish());
  }

 private:
  StagedQuestions* asked_;
  std::vector<data::ColumnBuilder> builders_;
  std::size_t next_ = 0;
};

}  // namespace

Status play_stages(kernel::Kernel& kernel, const std::map<int, LoggedEvents>& events,
                   std::span<StagedQuestions> asked) {
  std::vector<Cursor> cursors;
  for (auto& questions : asked) cursors.emplace_back(questions);
  for (const EventPlace& event : in_log_order(events)) {
    for (auto& cursor : cursors)
      COEVAL_TRY(cursor.ask_until(kernel, static_cast<std::uint64_t>(event.position)));
    kernel.apply(*event.block, event.row);
  }
  for (auto& cursor : cursors) {
    COEVAL_TRY(cursor.ask_until(kernel, std::numeric_limits<std::uint64_t>::max()));
    cursor.finish();
  }
  return {};
}

}  // namespace coeval::replay
