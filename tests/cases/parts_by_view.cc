#include "parts_by_view.h"

#include <memory>
#include <string>
#include <utility>

#include "base/stable_order.h"
#include "data/hash.h"
#include "kernel/kernel.h"
#include "kernel/question_stages.h"
#include "replay/looked_up_rows.h"

namespace coeval::cases {

namespace {

std::size_t part_of(const std::vector<const data::Column*>& keys, std::int64_t row,
                    std::size_t parts) {
  std::string text;
  for (const auto* key : keys) text += data::to_text(key->value(row), key->type()) + '\n';
  return static_cast<std::size_t>(data::xxh3_64(text) % parts);
}

class Parts {
 public:
  static Result<Parts> create(const World& world, std::size_t parts) {
    Parts made(world);
    for (std::size_t i = 0; i < parts; ++i) {
      COEVAL_ASSIGN(auto kernel, kernel::Kernel::create(world.project, world.views));
      made.kernels_.push_back(std::move(kernel));
    }
    for (const int view : world.views)
      made.rows_.push_back(replay::looked_up_rows(
          *world.project, made.past_, world.project->views[static_cast<std::size_t>(view)]));
    return made;
  }

  Status apply(const Event& event) {
    const std::int64_t rows[] = {event.row}, known[] = {event.known_us};
    const data::Batch batch =
        data::take(world_.sources[static_cast<std::size_t>(event.source)], rows);
    for (auto& kernel : kernels_) COEVAL_TRY(kernel->learn(event.source, batch, known));
    for (std::size_t i = 0; i < world_.views.size(); ++i) {
      const define::View& view = world_.project->views[static_cast<std::size_t>(world_.views[i])];
      if (view.source != event.source) continue;
      std::vector<const data::Column*> keys;
      for (const int key : view.key_columns)
        keys.push_back(&rows_[i].columns[static_cast<std::size_t>(key)]);
      auto& kernel = *kernels_[part_of(keys, event.row, kernels_.size())];
      COEVAL_ASSIGN(const auto block, kernel.prepare_events(event.source, batch, known));
      kernel.apply(world_.views[i], block, 0);
    }
    return {};
  }

  Status ask(std::int64_t question, const TakeAnswer& take) {
    const std::int64_t rows[] = {question};
    const std::int64_t at[] = {world_.at_us[static_cast<std::size_t>(question)]};
    const data::Batch columns = requested(world_, rows);
    const define::RowSchema& row = world_.model->row;
    const auto ask_views = [&](std::span<const int> views, const data::Batch& asked,
                               std::vector<data::Column>& answers) -> Status {
      for (const int view : views) COEVAL_TRY(ask_view(view, asked, at, answers));
      return {};
    };
    kernel::EvaluationCounts counts;
    COEVAL_ASSIGN(const auto answers, kernel::answer_stages(row, columns, at, counts, ask_views));
    COEVAL_ASSIGN(const data::Batch assembled, kernel::assemble_row(row, columns, answers));
    const auto stale = kernel::stale_questions(row, assembled);
    data::Batch features = kernel::evaluate_inputs(world_.model->inputs, assembled, at, counts);
    features.columns.erase(features.columns.begin(), features.columns.begin() + kFirstFeature);
    take({question, features, 0, !stale.empty() && stale[0] >= 0});
    return {};
  }

 private:
  explicit Parts(const World& world) : world_(world) {
    past_.sources.resize(world.sources.size());
    for (std::size_t i = 0; i < world.sources.size(); ++i) {
      past_.sources[i].source = static_cast<int>(i);
      past_.sources[i].rows = world.sources[i];
      past_.sources[i].known_us = world.known_us[i];
      past_.sources[i].order = stable_order(world.known_us[i]);
      auto& rows = past_.sources[i].rows;
      if (!rows.columns.empty()) continue;
      rows.schema = world.project->sources[i].schema;
      for (const data::Field& field : rows.schema.fields)
        rows.columns.push_back(data::ColumnBuilder(field.type).finish());
    }
  }

  Status ask_view(int index, const data::Batch& asked, std::span<const std::int64_t> at,
                  std::vector<data::Column>& answers) {
    const define::View& view = world_.project->views[static_cast<std::size_t>(index)];
    std::vector<const data::Column*> keys;
    for (const auto& key : view.keys) keys.push_back(asked.find(key));
    auto& kernel = *kernels_[part_of(keys, 0, kernels_.size())];
    const int views[] = {index};
    COEVAL_ASSIGN(const auto block, kernel.prepare_questions(asked, at, views));
    std::vector<kernel::Cell> cells(view.feature_count());
    kernel.ask(index, block, 0, cells);
    const auto& features = world_.model->row.view_features;
    for (std::size_t i = 0; i < features.size(); ++i) {
      const auto feature = static_cast<std::size_t>(features[i].feature);
      if (features[i].view == index)
        answers[i] =
            kernel::to_column(view.feature_type(feature), std::span(cells).subspan(feature, 1));
    }
    return {};
  }

  const World& world_;
  replay::Past past_;
  std::vector<data::Batch> rows_;  // by place in World::views: events as the view reads them
  std::vector<std::unique_ptr<kernel::Kernel>> kernels_;
};

}  // namespace

Result<bool> partitioned_by_view(const World& world, const TakeAnswer& take, std::size_t parts) {
  COEVAL_ASSIGN(Parts kernels, Parts::create(world, parts));
  std::size_t next = 0;
  for (const std::int64_t question : world.question_order) {
    const std::int64_t at_us = world.at_us[static_cast<std::size_t>(question)];
    for (; next < world.events.size() && world.events[next].known_us < at_us; ++next)
      COEVAL_TRY(kernels.apply(world.events[next]));
    COEVAL_TRY(kernels.ask(question, take));
  }
  return true;
}

}  // namespace coeval::cases
