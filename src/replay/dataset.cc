#include "replay/dataset.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include "base/bounded_queue.h"
#include "base/worker_pool.h"
#include "define/event_lookups.h"
#include "kernel/question_stages.h"
#include "replay/order.h"

namespace coeval::replay {

namespace {

// All features of all views for one block of questions.
struct Block {
  std::span<const std::int64_t> rows;
  std::vector<std::vector<data::Column>> features;  // by view
  std::vector<data::Column> staged;  // of a row with stages, instead: by RowSchema::view_features
};

// Folds a past into a kernel while it answers, one block of questions after the other.
class Fold {
 public:
  static Result<Fold> create(std::shared_ptr<const define::Project> project, const Past& past,
                             const Questions& questions, const define::RowSchema& row,
                             std::vector<int> views, int threads) {
    Fold fold(past, questions, row, views, threads);
    COEVAL_ASSIGN(fold.kernel_, kernel::Kernel::create(project, views));
    fold.events_.resize(past.sources.size());
    fold.next_event_.resize(project->views.size());
    const auto run = [&pool = *fold.pool_](std::size_t parts, const auto& part) {
      pool.run(parts, part);
    };
    COEVAL_TRY(learn(*fold.kernel_, past));
    for (const int source : sources_of(*project, views)) {
      const auto& history = past.sources[static_cast<std::size_t>(source)];
      COEVAL_ASSIGN(fold.events_[static_cast<std::size_t>(source)],
                    fold.kernel_->prepare_events(source, history.rows, history.known_us, run));
    }
    if (fold.is_staged()) return fold;
    COEVAL_ASSIGN(fold.questions_,
                  fold.kernel_->prepare_questions(questions.columns, questions.at_us, views, run));
    return fold;
  }

  Result<Block> next(std::span<const std::int64_t> rows) {
    if (is_staged()) return next_in_stages(rows);
    Block block;
    block.rows = rows;
    block.features.resize(kernel_->project().views.size());
    pool_->run(views_.size(), [&](std::size_t i) {
      const int view = views_[i];
      block.features[static_cast<std::size_t>(view)] = answer_view(view, questions_, rows);
    });
    return block;
  }

 private:
  Fold(const Past& past, const Questions& questions, const define::RowSchema& row,
       std::vector<int> views, int threads)
      : past_(&past),
        asked_(&questions),
        row_(&row),
        views_(std::move(views)),
        pool_(std::make_unique<WorkerPool>(threads)) {}

  bool is_staged() const { return !row_->keys.empty(); }

  // Keys of later stages are there only once earlier ones have answered, so each block looks its
  // keys up by itself.
  Result<Block> next_in_stages(std::span<const std::int64_t> rows) {
    Block block;
    block.rows = rows;
    std::vector<std::int64_t> at, order(rows.size());
    for (const std::int64_t question : rows)
      at.push_back(asked_->at_us[static_cast<std::size_t>(question)]);
    std::iota(order.begin(), order.end(), 0);
    const auto ask = [&](std::span<const int> views, const data::Batch& questions,
                         std::vector<data::Column>& columns) -> Status {
      const auto run = [&](std::size_t parts, const auto& part) { pool_->run(parts, part); };
      COEVAL_ASSIGN(const auto prepared, kernel_->prepare_questions(questions, at, views, run));
      std::vector<std::vector<data::Column>> features(kernel_->project().views.size());
      pool_->run(views.size(), [&](std::size_t i) {
        features[static_cast<std::size_t>(views[i])] = answer_view(views[i], prepared, order);
      });
      put_features(*row_, features, columns);
      return {};
    };
    kernel::EvaluationCounts counts;
    COEVAL_ASSIGN(block.staged, kernel::answer_stages(*row_, data::take(asked_->columns, rows), at,
                                                      counts, ask));
    return block;
  }

  std::vector<data::Column> answer_view(int view, const kernel::QuestionBlock& questions,
                                        std::span<const std::int64_t> rows) {
    const auto source =
        static_cast<std::size_t>(kernel_->project().views[static_cast<std::size_t>(view)].source);
    return kernel_->replay(view, events_[source], past_->sources[source].order,
                           next_event_[static_cast<std::size_t>(view)], questions, rows);
  }

  const Past* past_;
  const Questions* asked_;
  const define::RowSchema* row_;
  std::vector<int> views_;
  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::vector<kernel::EventBlock> events_;  // by source
  std::vector<std::size_t> next_event_;     // by view
  kernel::QuestionBlock questions_;
};

Result<Answers> finish(const Block& block, const Questions& questions, const define::RowSchema& row,
                       std::span<const define::Input> inputs) {
  const data::Batch columns = data::take(questions.columns, block.rows);
  COEVAL_ASSIGN(
      const data::Batch assembled,
      kernel::assemble_row(
          row, columns, row.keys.empty() ? pick_features(row, block.features) : block.staged));
  std::vector<std::int64_t> at(block.rows.size());
  for (std::size_t i = 0; i < at.size(); ++i)
    at[i] = questions.at_us[static_cast<std::size_t>(block.rows[i])];
  kernel::EvaluationCounts counts;
  return Answers{block.rows, kernel::evaluate_inputs(inputs, assembled, at, counts),
                 kernel::stale_questions(row, assembled)};
}

}  // namespace

std::vector<int> views_of(const define::RowSchema& row) {
  std::vector<int> views;
  for (const auto& feature : row.view_features) views.push_back(feature.view);
  std::sort(views.begin(), views.end());
  views.erase(std::unique(views.begin(), views.end()), views.end());
  return views;
}

std::vector<int> sources_of(const define::Project& project, std::span<const int> views) {
  std::vector<int> sources;
  for (const int view : views)
    sources.push_back(project.views[static_cast<std::size_t>(view)].source);
  for (const int source :
       define::looked_up_sources(project, std::vector<int>(views.begin(), views.end())))
    sources.push_back(source);
  std::sort(sources.begin(), sources.end());
  sources.erase(std::unique(sources.begin(), sources.end()), sources.end());
  return sources;
}

std::vector<data::Column> pick_features(const define::RowSchema& row,
                                        const std::vector<std::vector<data::Column>>& features) {
  std::vector<data::Column> picked;
  picked.reserve(row.view_features.size());
  for (const auto& wanted : row.view_features)
    picked.push_back(
        features[static_cast<std::size_t>(wanted.view)][static_cast<std::size_t>(wanted.feature)]);
  return picked;
}

void put_features(const define::RowSchema& row,
                  const std::vector<std::vector<data::Column>>& features,
                  std::vector<data::Column>& columns) {
  for (std::size_t i = 0; i < row.view_features.size(); ++i) {
    const auto& wanted = row.view_features[i];
    const auto& answers = features[static_cast<std::size_t>(wanted.view)];
    if (!answers.empty()) columns[i] = answers[static_cast<std::size_t>(wanted.feature)];
  }
}

Status learn(kernel::Kernel& kernel, const Past& past) {
  for (const auto& history : past.sources)
    if (history.source >= 0)
      COEVAL_TRY(kernel.learn(history.source, history.rows, history.known_us, history.order));
  return {};
}

Status answer(std::shared_ptr<const define::Project> project, const Past& past,
              const Questions& questions, const define::RowSchema& row,
              std::span<const define::Input> inputs, const AnswerOptions& options,
              const std::function<Status(Answers)>& sink) {
  const std::vector<std::int64_t> order = stable_order(questions.at_us);
  COEVAL_ASSIGN(Fold fold,
                Fold::create(std::move(project), past, questions, row, views_of(row),
                             options.threads));
  // The next block is computed while the last one is evaluated and written.
  BoundedQueue<Block> blocks(1);
  Status outcome, failed;
  std::thread writer([&] {
    while (auto block = blocks.pop()) {
      auto answers = finish(*block, questions, row, inputs);
      outcome = answers ? sink(std::move(*answers)) : std::unexpected(std::move(answers).error());
      if (!outcome) return blocks.close();
    }
  });
  const auto all = static_cast<std::int64_t>(order.size());
  for (std::int64_t done = 0; done < all; done += options.chunk_rows) {
    const std::int64_t size = std::min(options.chunk_rows, all - done);
    const auto rows =
        std::span(order).subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(size));
    auto block = fold.next(rows);
    if (!block) {
      failed = std::unexpected(std::move(block).error());
      break;
    }
    if (!blocks.push(std::move(*block))) break;
    if (options.progress) options.progress(done + size, all);
  }
  blocks.close();
  writer.join();
  if (!failed) return failed;
  return outcome;
}

}  // namespace coeval::replay
