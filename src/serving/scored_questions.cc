#include "serving/scored_questions.h"

#include <utility>

#include "kernel/question_stages.h"

namespace coeval::serving {
namespace {

/// Answers of one view for a block, sorted into a column per used feature.
class ViewColumns {
 public:
  ViewColumns(const ModelPlan::Asked& asked, const define::View& view, std::size_t rows)
      : asked_(asked), view_(view), rows_(rows), answers_(view.feature_count()) {
    cells_.resize(asked.uses.size() * rows);
  }

  void ask(kernel::Kernel& kernel, const kernel::QuestionBlock& block) {
    for (std::size_t row = 0; row < rows_; ++row) {
      kernel.ask(asked_.view, block, static_cast<std::int64_t>(row), answers_);
      for (std::size_t u = 0; u < asked_.uses.size(); ++u) {
        cells_[u * rows_ + row] = answers_[asked_.uses[u].feature];
      }
    }
  }

  /// Names what is approximate in each row.
  void name_approximate(std::vector<std::string>& names) const {
    if (kernel::approximate_features(view_).empty()) return;
    for (std::size_t u = 0; u < asked_.uses.size(); ++u)
      for (std::size_t row = 0; row < rows_; ++row)
        if (cells_[u * rows_ + row].approximate)
          names[row] +=
              (names[row].empty() ? "" : ",") + view_.feature_name(asked_.uses[u].feature);
  }

  void finish(std::vector<data::Column>& columns) {
    for (std::size_t u = 0; u < asked_.uses.size(); ++u) {
      const ModelPlan::Asked::Use& use = asked_.uses[u];
      columns[use.column] =
          kernel::to_column(view_.feature_type(use.feature), {cells_.data() + u * rows_, rows_});
    }
  }

 private:
  const ModelPlan::Asked& asked_;
  const define::View& view_;
  std::size_t rows_;
  std::vector<kernel::Cell> answers_;
  std::vector<kernel::Cell> cells_;  // column-major: a column per use
};

Result<std::vector<data::Column>> ask_views(const ModelPlan& plan, kernel::Kernel& kernel,
                                            const QuestionBatch& questions,
                                            std::vector<std::string>& approximate,
                                            kernel::EvaluationCounts& counts) {
  if (!plan.model->row.keys.empty())
    return kernel::ask_row(kernel, plan.model->row, questions.rows, questions.at_us, counts,
                           &approximate);
  COEVAL_ASSIGN(const kernel::QuestionBlock block,
                kernel.prepare_questions(questions.rows, questions.at_us, plan.views));
  std::vector<data::Column> columns(plan.model->row.view_features.size());
  for (const ModelPlan::Asked& asked : plan.asked) {
    const define::View& view = kernel.project().views[static_cast<std::size_t>(asked.view)];
    ViewColumns answers(asked, view, static_cast<std::size_t>(questions.rows.rows));
    answers.ask(kernel, block);
    answers.name_approximate(approximate);
    answers.finish(columns);
  }
  return columns;
}

std::vector<std::optional<StaleFeature>> stale_features(const define::RowSchema& schema,
                                                        const data::Batch& row) {
  std::vector<std::optional<StaleFeature>> stale;
  const std::vector<int> broken = kernel::stale_questions(schema, row);
  for (std::size_t i = 0; i < broken.size(); ++i) {
    auto& mine = stale.emplace_back();
    if (broken[i] < 0) continue;
    const auto& rule = schema.stale_rules[static_cast<std::size_t>(broken[i])];
    const auto& age = row.columns[static_cast<std::size_t>(rule.age_column)];
    const auto place = static_cast<std::int64_t>(i);
    mine = StaleFeature{rule.feature, std::nullopt, rule.max_age_us,
                        kernel::describe_stale(rule, row, place)};
    if (!age.is_null(place)) mine->age_s = age.real(place);
  }
  return stale;
}

}  // namespace

Result<ScoredQuestions> score_questions(const ModelPlan& plan, kernel::Kernel& kernel,
                                        const QuestionBatch& questions,
                                        kernel::EvaluationCounts& counts) {
  ScoredQuestions scored;
  scored.approximate.resize(static_cast<std::size_t>(questions.rows.rows));
  COEVAL_ASSIGN(const std::vector<data::Column> views,
                ask_views(plan, kernel, questions, scored.approximate, counts));
  COEVAL_ASSIGN(const data::Batch row,
                kernel::assemble_row(plan.model->row, questions.rows, views));
  scored.features = kernel::evaluate_inputs(plan.model->inputs, row, questions.at_us, counts);

  scored.stale = stale_features(plan.model->row, row);

  const models::ServedModel& served = *plan.loaded.served;
  const std::size_t width = served.encoder.width();
  const auto rows = static_cast<std::size_t>(questions.rows.rows);
  std::vector<float> encoded(width * rows);
  COEVAL_TRY(served.encoder.encode(scored.features, encoded));
  scored.margins.resize(rows * served.card.outputs());
  scored.scores.resize(rows * served.card.outputs());
  COEVAL_TRY(served.predict(encoded, scored.margins, scored.scores));
  return scored;
}

}  // namespace coeval::serving
