#include "replay/dataset.h"

#include <algorithm>
#include <numeric>
#include <thread>

#include "base/bounded_queue.h"
#include "base/stable_order.h"
#include "base/worker_pool.h"
#include "define/event_lookups.h"
#include "kernel/question_stages.h"
#include "replay/asked_history.h"
#include "replay/staged_answers.h"

namespace coeval::replay {

namespace {

// All features of all views for one block of questions.
struct Block {
  std::span<const std::int64_t> rows;
  Features features;
};

// Rows by event time; where those are equal, in position order. (semantics: T5)
std::vector<std::int64_t> order_by_time(std::span<const std::int64_t> event_time_us,
                                        std::span<const std::int64_t> by_position) {
  std::vector<std::int64_t> times;
  times.reserve(by_position.size());
  for (const std::int64_t row : by_position)
    times.push_back(event_time_us[static_cast<std::size_t>(row)]);
  std::vector<std::int64_t> rows = stable_order(times);
  for (std::int64_t& row : rows) row = by_position[static_cast<std::size_t>(row)];
  return rows;
}

// Folds a past into a kernel while it answers, one block of questions after the other.
class Fold {
 public:
  static Result<std::unique_ptr<Fold>> create(std::shared_ptr<const define::Project> project,
                                              const Past& past, const Questions& questions,
                                              std::span<const std::int64_t> order,
                                              std::vector<int> views,
                                              const AnswerOptions& options) {
    const int threads = options.threads;
    std::unique_ptr<Fold> made(new Fold(threads));
    Fold& fold = *made;
    COEVAL_ASSIGN(fold.kernel_, kernel::Kernel::create(project, views));
    fold.events_.resize(past.sources.size());
    fold.by_time_.resize(past.sources.size());
    fold.asked_.resize(past.sources.size());
    const auto run = [&pool = *fold.pool_](std::size_t parts, const auto& part) {
      pool.run(parts, part);
    };
    COEVAL_TRY(learn(*fold.kernel_, past));
    for (const int index : sources_of(*project, views)) {
      const auto source = static_cast<std::size_t>(index);
      if (options.way == kernel::HistoryWay::asked)
        fold.asked_[source] = asked_history(*project, past.sources[source], views, questions.at_us);
      const auto& history = fold.history(past, source);
      COEVAL_ASSIGN(fold.events_[source],
                    fold.kernel_->prepare_events(index, history.rows, history.known_us, run,
                                                 history.amendments.get()));
      if (options.way == kernel::HistoryWay::by_entity)
        fold.by_time_[source] = order_by_time(fold.events_[source].event_time_us, history.order);
    }
    COEVAL_ASSIGN(fold.questions_,
                  fold.kernel_->prepare_questions(questions.columns, questions.at_us, views, run));
    std::vector<kernel::HistoryOrder> orders;
    for (std::size_t source = 0; source < past.sources.size(); ++source)
      orders.push_back({fold.history(past, source).order, fold.by_time_[source]});
    fold.views_ = std::move(views);
    fold.answers_ =
        fold.kernel_->answer_history(fold.views_, fold.events_, orders, fold.questions_, order,
                                     static_cast<std::size_t>(threads), run, options.way);
    for (std::size_t source = 0; source < past.sources.size(); ++source)
      if (!fold.answers_->needs_events(static_cast<int>(source))) {
        fold.events_[source] = {};
        fold.by_time_[source] = {};
      }
    return made;
  }

  Features next(std::size_t questions) {
    Features features(kernel_->project().views.size());
    auto answers = answers_->next(questions);
    for (std::size_t v = 0; v < views_.size(); ++v)
      features[static_cast<std::size_t>(views_[v])] = std::move(answers[v]);
    return features;
  }

 private:
  explicit Fold(int threads) : pool_(std::make_unique<WorkerPool>(threads)) {}

  const SourceHistory& history(const Past& past, std::size_t source) const {
    return asked_[source] ? *asked_[source] : past.sources[source];
  }

  std::unique_ptr<WorkerPool> pool_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::vector<kernel::EventBlock> events_;  // by source, as is the next
  std::vector<std::vector<std::int64_t>> by_time_;
  std::vector<std::optional<SourceHistory>> asked_;  // what of it is played; nothing: all
  kernel::QuestionBlock questions_;
  std::vector<int> views_;
  std::unique_ptr<kernel::HistoryAnswers> answers_;
};

// A view feature of the row that may be approximate, and the column of its view that says whether.
struct Mark {
  std::string name;
  std::size_t view, column;
};
std::vector<Mark> marks_of(const define::Project& project, const define::RowSchema& row) {
  std::vector<Mark> marks;
  for (const int index : views_of(row)) {
    const auto place = static_cast<std::size_t>(index);
    const define::View& view = project.views[place];
    const auto features = kernel::approximate_features(view);
    if (features.empty()) continue;
    for (const auto& wanted : row.view_features) {
      const auto found = std::ranges::find(features, static_cast<std::size_t>(wanted.feature));
      if (wanted.view != index || found == features.end()) continue;
      marks.push_back({view.feature_name(*found), place,
                       view.feature_count() + static_cast<std::size_t>(found - features.begin())});
    }
  }
  return marks;
}

// semantics: A4. The names of what is approximate, row by row.
std::optional<data::Column> approximate_column(const std::vector<Mark>& marks, const Block& block) {
  if (marks.empty()) return std::nullopt;
  data::ColumnBuilder builder(data::Type::string);
  for (std::int64_t row = 0; row < std::ssize(block.rows); ++row) {
    std::string names;
    for (const Mark& mark : marks)
      if (block.features[mark.view][mark.column].bit(row))
        names += (names.empty() ? "" : ",") + mark.name;
    if (names.empty())
      builder.append_null();
    else
      builder.append_string(names);
  }
  return builder.finish();
}

Result<Answers> finish(const std::vector<Mark>& marks, const Block& block,
                       const Questions& questions, const define::RowSchema& row,
                       std::span<const define::Input> inputs) {
  const data::Batch columns = data::take(questions.columns, block.rows);
  COEVAL_ASSIGN(const data::Batch assembled,
                kernel::assemble_row(row, columns, pick_features(row, block.features)));
  std::vector<std::int64_t> at(block.rows.size());
  for (std::size_t i = 0; i < at.size(); ++i)
    at[i] = questions.at_us[static_cast<std::size_t>(block.rows[i])];
  kernel::EvaluationCounts counts;
  return Answers{block.rows, kernel::evaluate_inputs(inputs, assembled, at, counts),
                 approximate_column(marks, block), kernel::stale_questions(row, assembled)};
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

Status learn(kernel::Kernel& kernel, const Past& past) {
  for (const auto& history : past.sources)
    if (history.source >= 0)
      COEVAL_TRY(kernel.learn(history.source, history.rows, history.known_us, history.order));
  return {};
}

namespace {

// Gives the blocks of answers, one after the other, by the way that the row needs.
class Blocks {
 public:
  static Result<Blocks> create(std::shared_ptr<const define::Project> project, const Past& past,
                               const Questions& questions, std::span<const std::int64_t> order,
                               const define::RowSchema& row, const AnswerOptions& options) {
    Blocks blocks;
    if (row.keys.empty()) {
      COEVAL_ASSIGN(blocks.fold_, Fold::create(std::move(project), past, questions, order,
                                               views_of(row), options));
    } else {
      COEVAL_ASSIGN(blocks.staged_, StagedAnswers::create(std::move(project), past, questions, row,
                                                          options.threads));
    }
    return blocks;
  }

  Result<Features> next(std::span<const std::int64_t> rows) {
    if (fold_) return fold_->next(rows.size());
    return staged_->next(rows);
  }

 private:
  std::unique_ptr<Fold> fold_;
  std::unique_ptr<StagedAnswers> staged_;
};

Status answer_all(std::shared_ptr<const define::Project> project, const Past& past,
                  const Questions& questions, const define::RowSchema& row,
                  std::span<const define::Input> inputs, const AnswerOptions& options,
                  const std::function<Status(Answers)>& sink) {
  const std::vector<std::int64_t> order = stable_order(questions.at_us);
  COEVAL_ASSIGN(Blocks parts, Blocks::create(project, past, questions, order, row, options));
  const auto next = [&](std::span<const std::int64_t> rows) { return parts.next(rows); };
  return answer_blocks(*project, questions, order, row, inputs, options, next, sink);
}

}  // namespace

Questions take(const Questions& questions, std::span<const std::int64_t> rows) {
  Questions out;
  out.columns = data::take(questions.columns, rows);
  out.at_us.reserve(rows.size());
  for (const std::int64_t row : rows)
    out.at_us.push_back(questions.at_us[static_cast<std::size_t>(row)]);
  return out;
}

Status answer_blocks(
    const define::Project& project, const Questions& questions, std::span<const std::int64_t> order,
    const define::RowSchema& row, std::span<const define::Input> inputs,
    const AnswerOptions& options,
    const std::function<Result<Features>(std::span<const std::int64_t> rows)>& next,
    const std::function<Status(Answers)>& sink) {
  const std::vector<Mark> marks = marks_of(project, row);
  // The next block is computed while the last one is evaluated and written.
  BoundedQueue<Block> blocks(1);
  Status outcome, failed;
  std::thread writer([&] {
    while (auto block = blocks.pop()) {
      auto answers = finish(marks, *block, questions, row, inputs);
      outcome = answers ? sink(std::move(*answers)) : std::unexpected(std::move(answers).error());
      if (!outcome) return blocks.close();
    }
  });
  const auto all = static_cast<std::int64_t>(order.size());
  std::int64_t done = 0;
  do {
    const std::int64_t size = std::min(options.chunk_rows, all - done);
    const auto rows = order.subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(size));
    auto features = next(rows);
    if (!features) {
      failed = std::unexpected(std::move(features).error());
      break;
    }
    if (!blocks.push(Block{rows, std::move(*features)})) break;
    done += size;
    if (options.progress) options.progress(done, all);
  } while (done < all);
  blocks.close();
  writer.join();
  if (!failed) return failed;
  return outcome;
}

Status answer_views(std::shared_ptr<const define::Project> project, const Past& past,
                    const Questions& questions, const std::vector<int>& views,
                    const AnswerOptions& options, const std::function<Status(Features)>& sink) {
  std::vector<std::int64_t> order(questions.at_us.size());
  std::iota(order.begin(), order.end(), 0);
  COEVAL_ASSIGN(const auto fold,
                Fold::create(std::move(project), past, questions, order, views, options));
  const auto chunk = static_cast<std::size_t>(options.chunk_rows);
  for (std::size_t done = 0; done < order.size(); done += chunk)
    COEVAL_TRY(sink(fold->next(std::min(chunk, order.size() - done))));
  return {};
}

Status answer_bucket(
    const define::Project& project, const Questions& questions, const define::RowSchema& row,
    const AnswerOptions& options, const std::function<Status(Answers)>& sink,
    const std::function<Status(const Questions&, const std::function<Status(Answers)>&)>&
        answering) {
  if (!options.bucket) return answering(questions, sink);
  const auto kept = rows_of_bucket(*options.bucket, project, row, questions.columns);
  const Questions asked = take(questions, kept);
  return answering(asked, [&](Answers answers) -> Status {
    std::vector<std::int64_t> rows;
    rows.reserve(answers.rows.size());
    for (const std::int64_t place : answers.rows)
      rows.push_back(kept[static_cast<std::size_t>(place)]);
    answers.rows = rows;
    return sink(std::move(answers));
  });
}

Status answer(std::shared_ptr<const define::Project> project, const Past& past,
              const Questions& questions, const define::RowSchema& row,
              std::span<const define::Input> inputs, const AnswerOptions& options,
              const std::function<Status(Answers)>& sink) {
  return answer_bucket(
      *project, questions, row, options, sink, [&](const Questions& asked, const auto& to) {
        // Questions whose keys other views find ask about entities that are not in them.
        if (!options.bucket || !row.keys.empty())
          return answer_all(project, past, asked, row, inputs, options, to);
        const Past needed = asked_past(*project, past, views_of(row), asked.columns);
        return answer_all(project, needed, asked, row, inputs, options, to);
      });
}

}  // namespace coeval::replay
