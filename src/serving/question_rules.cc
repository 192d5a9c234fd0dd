#include "serving/question_rules.h"

#include <utility>

namespace coeval::serving {
namespace {

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
  std::vector<BadQuestion> bad = quality::bad_rows(rules, questions.rows);
  if (!bad.empty()) keep_the_others(questions, bad);
  return bad;
}

}  // namespace coeval::serving
