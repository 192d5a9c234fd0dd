#include "kernel/question_stages.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/time.h"

namespace coeval::kernel {

namespace {

// A row whose columns of later stages are missing, so that keys of this one can be evaluated.
Result<data::Batch> partial_row(const define::RowSchema& row, const data::Batch& questions,
                                std::span<const data::Column> columns) {
  define::RowSchema own;
  const std::size_t count = row.schema.fields.size() - row.view_features.size();
  own.schema.fields.assign(row.schema.fields.begin(),
                           row.schema.fields.begin() + static_cast<std::ptrdiff_t>(count));
  COEVAL_ASSIGN(data::Batch batch, assemble_row(own, questions, {}));
  batch.schema = row.schema;
  batch.columns.insert(batch.columns.end(), columns.begin(), columns.end());
  return batch;
}

// A column of the questions that has a key's name, and is not the key, has no meaning here.
void set_column(data::Batch& batch, const data::Field& field, data::Column column) {
  const int place = batch.schema.index_of(field.name);
  if (place < 0) {
    batch.schema.fields.push_back(field);
    batch.columns.push_back(std::move(column));
    return;
  }
  batch.schema.fields[static_cast<std::size_t>(place)] = field;
  batch.columns[static_cast<std::size_t>(place)] = std::move(column);
}

// The answers of one view to all questions, a column per feature.
std::vector<data::Column> ask_view(Kernel& kernel, int view, const QuestionBlock& questions) {
  const define::View& asked = kernel.project().views[static_cast<std::size_t>(view)];
  const std::size_t features = asked.feature_count();
  const auto rows = static_cast<std::size_t>(questions.rows);
  std::vector<Cell> answer(features), cells(features * rows);
  for (std::size_t row = 0; row < rows; ++row) {
    kernel.ask(view, questions, static_cast<std::int64_t>(row), answer);
    for (std::size_t f = 0; f < features; ++f) cells[f * rows + row] = answer[f];
  }
  std::vector<data::Column> columns;
  for (std::size_t f = 0; f < features; ++f)
    columns.push_back(to_column(asked.feature_type(f), std::span(cells).subspan(f * rows, rows)));
  return columns;
}

bool is_stale(const define::StaleRule& rule, const data::Column& age, std::int64_t row) {
  return age.is_null(row) || !(age.real(row) <= static_cast<double>(rule.max_age_us) / kSecondUs);
}

}  // namespace

std::vector<int> views_of_stage(const define::RowSchema& row, int stage) {
  std::set<int> views;
  for (const auto& feature : row.view_features)
    if (row.stage_of(feature.view) == stage) views.insert(feature.view);
  return {views.begin(), views.end()};
}

Status add_keys(const define::RowSchema& row, int stage, std::span<const data::Column> columns,
                std::span<const std::int64_t> at_us, EvaluationCounts& counts,
                data::Batch& questions) {
  const auto is_due = [&](const define::RowSchema::Key& key) { return key.stage == stage; };
  if (std::ranges::none_of(row.keys, is_due)) return {};
  COEVAL_ASSIGN(const data::Batch partial, partial_row(row, questions, columns));
  for (const auto& key : row.keys)
    if (is_due(key))
      set_column(questions, {key.value.name, key.value.type, true},
                 evaluate(*key.value.expr, partial, at_us, counts));
  return {};
}

Result<std::vector<data::Column>> answer_stages(const define::RowSchema& row, data::Batch questions,
                                                std::span<const std::int64_t> at_us,
                                                EvaluationCounts& counts, const AskViews& ask) {
  std::vector<data::Column> columns(row.view_features.size());
  for (int stage = 0; stage < row.stage_count(); ++stage) {
    COEVAL_TRY(add_keys(row, stage, columns, at_us, counts, questions));
    COEVAL_TRY(ask(views_of_stage(row, stage), questions, columns));
  }
  return columns;
}

Result<std::vector<data::Column>> ask_row(Kernel& kernel, const define::RowSchema& row,
                                          const data::Batch& questions,
                                          std::span<const std::int64_t> at_us,
                                          EvaluationCounts& counts) {
  const auto ask = [&](std::span<const int> views, const data::Batch& asked,
                       std::vector<data::Column>& columns) -> Status {
    COEVAL_ASSIGN(const QuestionBlock block, kernel.prepare_questions(asked, at_us, views));
    for (const int view : views) {
      const auto answers = ask_view(kernel, view, block);
      for (std::size_t i = 0; i < row.view_features.size(); ++i)
        if (row.view_features[i].view == view)
          columns[i] = answers[static_cast<std::size_t>(row.view_features[i].feature)];
    }
    return {};
  };
  return answer_stages(row, questions, at_us, counts, ask);
}

std::vector<int> stale_questions(const define::RowSchema& row, const data::Batch& assembled) {
  std::vector<int> broken;
  if (row.stale_rules.empty()) return broken;
  broken.assign(static_cast<std::size_t>(assembled.rows), -1);
  for (std::size_t rule = row.stale_rules.size(); rule-- > 0;) {
    const auto& age = assembled.columns[static_cast<std::size_t>(row.stale_rules[rule].age_column)];
    for (std::int64_t i = 0; i < assembled.rows; ++i)
      if (is_stale(row.stale_rules[rule], age, i))
        broken[static_cast<std::size_t>(i)] = static_cast<int>(rule);
  }
  return broken;
}

std::string describe_stale(const define::StaleRule& rule, const data::Batch& assembled,
                           std::int64_t row) {
  const auto& age = assembled.columns[static_cast<std::size_t>(rule.age_column)];
  const std::string limit = format_duration(rule.max_age_us);
  if (age.is_null(row))
    return "feature '" + rule.feature + "' is stale: it counts no event, and max_age = " + limit;
  return "feature '" + rule.feature + "' is stale: its newest event is " +
         format_duration(std::llround(age.real(row) * 1e6)) + " old, older than max_age = " + limit;
}

}  // namespace coeval::kernel
