#include "serving/question_rules.h"

#include <utility>

namespace coeval::serving {
namespace {

BrokenRule broken_rule(const quality::RowChecks& rules, const data::Batch& rows, std::int64_t row,
                       int rule) {
  const quality::Rule& declared = rules.rules()[static_cast<std::size_t>(rule)];
  const auto place = static_cast<std::size_t>(declared.column);
  const data::Column& column = rows.columns[place];
  return {rows.schema.fields[place].name, declared.name, rules.explain(rows, row, rule),
          data::to_json(column.value(row), column.type())};
}

void keep_the_others(QuestionBatch& questions, const std::vector<BadQuestion>& bad) {
  std::vector<std::int64_t> kept, at_us;
  auto next = bad.begin();
  for (std::int64_t row = 0; row < questions.rows.rows; ++row) {
    if (next != bad.end() && next->row == row) {
      ++next;
      continue;
    }
    kept.push_back(row);
    at_us.push_back(questions.at_us[static_cast<std::size_t>(row)]);
  }
  questions.rows = data::take(questions.rows, kept);
  questions.at_us = std::move(at_us);
}

}  // namespace

std::vector<BadQuestion> take_out_bad_questions(const quality::RowChecks& rules,
                                                QuestionBatch& questions) {
  std::vector<BadQuestion> bad;
  for (const quality::RowVerdict& verdict : rules.check(questions.rows)) {
    BadQuestion& question = bad.emplace_back(BadQuestion{verdict.row, {}});
    for (const int rule : verdict.rules) {
      question.broken.push_back(broken_rule(rules, questions.rows, verdict.row, rule));
    }
  }
  if (!bad.empty()) keep_the_others(questions, bad);
  return bad;
}

}  // namespace coeval::serving
