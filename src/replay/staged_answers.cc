#include "replay/staged_answers.h"

#include <numeric>
#include <utility>

#include "kernel/question_stages.h"

namespace coeval::replay {

StagedAnswers::StagedAnswers(const Past& past, const Questions& questions,
                             const define::RowSchema& row, int threads)
    : past_(past), questions_(questions), row_(row), pool_(threads) {}

Result<std::unique_ptr<StagedAnswers>> StagedAnswers::create(
    std::shared_ptr<const define::Project> project, const Past& past, const Questions& questions,
    const define::RowSchema& row, int threads) {
  std::unique_ptr<StagedAnswers> made(new StagedAnswers(past, questions, row, threads));
  const std::vector<int> views = views_of(row);
  COEVAL_ASSIGN(made->kernel_, kernel::Kernel::create(project, views));
  made->events_.resize(past.sources.size());
  made->next_event_.resize(project->views.size());
  COEVAL_TRY(learn(*made->kernel_, past));
  const auto run = [&](std::size_t parts, const auto& part) { made->pool_.run(parts, part); };
  for (const int source : sources_of(*project, views)) {
    const auto place = static_cast<std::size_t>(source);
    const auto& history = past.sources[place];
    COEVAL_ASSIGN(made->events_[place],
                  made->kernel_->prepare_events(source, history.rows, history.known_us, run));
  }
  return made;
}

Result<std::vector<data::Column>> StagedAnswers::next(std::span<const std::int64_t> rows) {
  std::vector<std::int64_t> at;
  at.reserve(rows.size());
  for (const std::int64_t row : rows) at.push_back(questions_.at_us[static_cast<std::size_t>(row)]);
  const auto ask_views = [&](std::span<const int> views, const data::Batch& questions,
                             std::vector<data::Column>& columns) {
    return ask(views, questions, at, columns);
  };
  kernel::EvaluationCounts counts;
  return kernel::answer_stages(row_, data::take(questions_.columns, rows), at, counts, ask_views);
}

Status StagedAnswers::ask(std::span<const int> views, const data::Batch& questions,
                          std::span<const std::int64_t> at_us, std::vector<data::Column>& columns) {
  const auto run = [&](std::size_t parts, const auto& part) { pool_.run(parts, part); };
  COEVAL_ASSIGN(const auto prepared, kernel_->prepare_questions(questions, at_us, views, run));
  std::vector<std::int64_t> order(at_us.size());
  std::iota(order.begin(), order.end(), 0);
  const auto& project = kernel_->project();
  std::vector<std::vector<data::Column>> features(project.views.size());
  pool_.run(views.size(), [&](std::size_t i) {
    const auto view = static_cast<std::size_t>(views[i]);
    const auto source = static_cast<std::size_t>(project.views[view].source);
    features[view] = kernel_->replay(views[i], events_[source], past_.sources[source].order,
                                     next_event_[view], prepared, order);
  });
  for (std::size_t i = 0; i < row_.view_features.size(); ++i) {
    const auto& wanted = row_.view_features[i];
    const auto& answers = features[static_cast<std::size_t>(wanted.view)];
    if (!answers.empty()) columns[i] = answers[static_cast<std::size_t>(wanted.feature)];
  }
  return {};
}

}  // namespace coeval::replay
