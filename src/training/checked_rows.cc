#include "training/checked_rows.h"

#include <bit>
#include <utility>

namespace coeval::training {

namespace {

bool same(const data::Column& a, std::int64_t row_a, const data::Column& b, std::int64_t row_b) {
  if (a.is_null(row_a) || b.is_null(row_b)) return a.is_null(row_a) && b.is_null(row_b);
  if (data::is_float(a.type()))
    return std::bit_cast<std::uint64_t>(a.real(row_a)) ==
           std::bit_cast<std::uint64_t>(b.real(row_b));
  return a.value(row_a) == b.value(row_b);
}

}  // namespace

void CheckedRows::add(const replay::Answers& answers) {
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < answers.rows.size() && !wanted_.empty(); ++i) {
    if (!wanted_[static_cast<std::size_t>(answers.rows[i])]) continue;
    places.push_back(static_cast<std::int64_t>(i));
    rows_.push_back(answers.rows[i]);
    positions_.push_back(seen_ + static_cast<std::int64_t>(i));
  }
  seen_ += std::ssize(answers.rows);
  if (!places.empty()) inputs_.push_back(data::take(answers.inputs, places));
}

Status CheckedRows::read(DatasetReader reader) {
  std::vector<data::Batch> blocks;
  std::int64_t first = 0;
  auto next = positions_.begin();
  while (true) {
    COEVAL_ASSIGN(const data::Batch batch, reader.next());
    if (batch.rows == 0) break;
    std::vector<std::int64_t> places;
    for (; next != positions_.end() && *next < first + batch.rows; ++next)
      places.push_back(*next - first);
    if (!places.empty()) blocks.push_back(data::take(batch, places));
    first += batch.rows;
  }
  if (first != seen_)
    return fail(Code::bad_file,
                "a stored column has " + std::to_string(first) + " rows, the dataset has " +
                    std::to_string(seen_),
                "delete .coeval/datasets and build again");
  return expect(blocks);
}

Status CheckedRows::expect(const std::vector<data::Batch>& blocks) {
  if (blocks.empty()) return {};
  COEVAL_ASSIGN(const data::Batch all, data::concatenate(blocks));
  for (std::size_t i = 0; i < all.columns.size(); ++i)
    expected_.insert_or_assign(all.schema.fields[i].name, all.columns[i]);
  return {};
}

Result<std::map<std::string, std::int64_t>> CheckedRows::compare(
    std::shared_ptr<const define::Project> project, const replay::Past& past,
    const replay::Questions& questions, const define::RowPart& asked,
    replay::AnswerOptions options) {
  std::map<std::string, std::int64_t> differences;
  if (rows_.empty() || asked.inputs.empty()) return differences;
  COEVAL_TRY(expect(std::exchange(inputs_, {})));
  options.way = kernel::HistoryWay::asked;
  options.progress = nullptr;
  std::int64_t done = 0;
  const auto sink = [&](replay::Answers again) -> Status {
    for (std::size_t i = 0; i < again.inputs.columns.size(); ++i) {
      const std::string& name = again.inputs.schema.fields[i].name;
      const data::Column& expected = expected_.at(name);
      std::int64_t& different = differences[name];
      for (std::int64_t row = 0; row < again.inputs.rows; ++row)
        different += same(expected, done + row, again.inputs.columns[i], row) ? 0 : 1;
    }
    done += again.inputs.rows;
    return {};
  };
  COEVAL_TRY(replay::answer(std::move(project), past, replay::take(questions, rows_), asked.row,
                            asked.inputs, options, sink));
  return differences;
}

}  // namespace coeval::training
