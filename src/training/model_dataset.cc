#include "training/model_dataset.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <future>
#include <optional>
#include <span>
#include <utility>

#include "define/build.h"
#include "kernel/evaluate.h"
#include "replay/feature_dataset.h"
#include "replay/labels.h"
#include "replay/retention.h"
#include "replay/versions.h"

namespace coeval::training {

namespace {

// One small dictionary for all split columns: codes are the enum's values.
std::shared_ptr<const data::Column> split_dictionary() {
  data::ColumnBuilder names(data::Type::string);
  for (std::size_t part = 0; part < kSplitParts; ++part)
    names.append_string(name(static_cast<SplitPart>(part)));
  return std::make_shared<data::Column>(names.finish());
}

data::Column split_column(const std::vector<SplitPart>& parts) {
  std::vector<std::int32_t> codes;
  codes.reserve(parts.size());
  std::vector<std::uint8_t> validity((parts.size() + 7) / 8);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    codes.push_back(static_cast<std::int32_t>(parts[i]));
    if (parts[i] != SplitPart::none)
      validity[i / 8] = static_cast<std::uint8_t>(validity[i / 8] | 1u << (i % 8));
  }
  return data::Column::coded(std::move(codes), split_dictionary(), std::move(validity));
}

void add_column(data::Batch& batch, std::string column_name, data::Type type, bool nullable,
                data::Column column) {
  batch.schema.fields.push_back({std::move(column_name), type, nullable});
  batch.columns.push_back(std::move(column));
}

replay::Questions questions_of(const define::Model& model, const data::Batch& rows) {
  replay::Questions questions;
  const auto at = rows.columns[static_cast<std::size_t>(model.at_index)].values<std::int64_t>();
  questions.at_us.assign(at.begin(), at.end());
  questions.columns.rows = rows.rows;
  const auto add = [&](int index) {
    const auto place = static_cast<std::size_t>(index);
    if (questions.columns.schema.index_of(rows.schema.fields[place].name) >= 0) return;
    questions.columns.schema.fields.push_back(rows.schema.fields[place]);
    questions.columns.columns.push_back(rows.columns[place]);
  };
  add(model.at_index);
  for (const int index : model.row.question_columns) add(index);
  return questions;
}

// The rows that ask, where names of events say that some do not. (semantics: T7)
using AskingRows = std::optional<std::vector<std::int64_t>>;

// Nor do those that could see what retention has removed: their features would not be what they
// were.
AskingRows rows_that_ask(const define::Project& project, const define::Model& model,
                         const replay::Past& past) {
  const auto source = static_cast<std::size_t>(model.source);
  const auto& history = past.sources[source];
  const auto views = replay::views_of(model.row);
  const replay::RemovedPast removed(project, views, past.trim);
  if (!history.amendments && removed.is_empty()) return std::nullopt;
  std::vector<std::int64_t> rows = replay::asking_rows(project.sources[source], history);
  const auto at =
      history.rows.columns[static_cast<std::size_t>(model.at_index)].values<std::int64_t>();
  std::erase_if(rows, [&](std::int64_t row) {
    return removed.is_seen_at(at[static_cast<std::size_t>(row)]);
  });
  return rows;
}

void keep(const AskingRows& asking, replay::Questions& questions) {
  if (!asking) return;
  std::vector<std::int64_t> at_us;
  for (const std::int64_t row : *asking)
    at_us.push_back(questions.at_us[static_cast<std::size_t>(row)]);
  questions.at_us = std::move(at_us);
  questions.columns = data::take(questions.columns, *asking);
}

void keep(const AskingRows& asking, replay::Labels& labels) {
  if (!asking) return;
  std::vector<std::int64_t> known_us;
  for (const std::int64_t row : *asking)
    known_us.push_back(labels.known_us[static_cast<std::size_t>(row)]);
  labels.known_us = std::move(known_us);
  labels.label = data::take(labels.label, *asking);
}

// What a label compares: NaN there makes a comparison false, which says nothing of what happened.
void find_compared(const define::ExprPtr& expr, std::vector<const define::Expr*>& found) {
  const bool converted = expr->op == define::Op::cast && !data::is_float(expr->args[0]->type);
  if (expr->op == define::Op::literal || converted) return;
  if (data::is_float(expr->type)) {
    found.push_back(expr.get());
    return;
  }
  for (const auto& argument : expr->args) find_compared(argument, found);
}

std::int64_t nan_rows(const define::Expr& expr, const data::Batch& rows,
                      const data::Column& label) {
  kernel::EvaluationCounts counts;
  const data::Column values = kernel::evaluate(expr, rows, {}, counts);
  std::int64_t bad = 0;
  for (std::int64_t row = 0; row < values.size(); ++row)
    bad += !values.is_null(row) && std::isnan(values.real(row)) && !label.is_null(row) ? 1 : 0;
  return bad;
}

// A label that is NaN is unknown, not false. Rows whose label is null do not matter.
Status check_label_is_number(const define::Project& project, const define::Model& model,
                             const replay::Past& past) {
  std::vector<const define::Expr*> compared;
  find_compared(model.label, compared);
  if (compared.empty()) return {};
  const auto source = static_cast<std::size_t>(model.label_source());
  const data::Batch& rows = past.sources[source].rows;
  kernel::EvaluationCounts counts;
  const data::Column label = kernel::evaluate(*model.label, rows, {}, counts);
  for (const define::Expr* expr : compared)
    if (const std::int64_t bad = nan_rows(*expr, rows, label); bad > 0)
      return fail(Code::training_failed,
                  "the label of model '" + model.name + "' compares " + define::canonical(*expr) +
                      ", which is NaN in " + std::to_string(bad) + " of " +
                      std::to_string(rows.rows) + " rows of source '" +
                      project.sources[source].name + "': neither true nor false",
                  "leave finite = false out of the column, so that such rows go to quarantine, or "
                  "make such labels null: if(x < 0 or x >= 0, x, null) in place of x");
  return {};
}

struct LabelledRows {
  data::Column label;  // boolean, null where undecided
  data::Column split;  // the name of a part, "gap", or null outside
  data::Batch beside;  // what training and evaluation read of the row: weight, unit, slices
};

data::Batch read_beside(const define::Model& model, const replay::SourceHistory& history,
                        const AskingRows& asking) {
  data::Batch beside;
  kernel::EvaluationCounts counts;
  const auto add = [&](std::string column_name, const define::Expr& expr) {
    data::Column column = kernel::evaluate(expr, history.rows, {}, counts);
    if (asking) column = data::take(column, *asking);
    beside.rows = column.size();
    add_column(beside, std::move(column_name), expr.type, true, std::move(column));
  };
  const define::TrainingOptions& options = model.training;
  if (options.weight) add(kWeightColumn, *options.weight);
  if (options.resampling.expr) add(kUnitColumn, *options.resampling.expr);
  for (const auto& slice : options.slices) add(slice_column(slice), *slice.expr);
  for (const data::Field& field : define::columns_of(model.metrics)) {
    const int place = history.rows.schema.index_of(field.name);
    add(metric_column(field.name), *define::make_column(place, field.name, field.type));
  }
  return beside;
}

LabelledRows label_rows(const define::Project& project, const define::Model& model,
                        const replay::Past& past, const AskingRows& asking,
                        std::span<const std::int64_t> at_us) {
  LabelledRows out;
  replay::Labels labels = replay::labels_of(project, model, past);
  keep(asking, labels);
  out.label = std::move(labels.label);
  std::vector<SplitPart> parts(at_us.size());
  for (std::size_t row = 0; row < at_us.size(); ++row) {
    const bool valid = labels.known_us[row] != replay::Labels::kNever;
    parts[row] = assign(at_us[row], labels.known_us[row], valid, model.split);
  }
  out.split = split_column(parts);
  out.beside = read_beside(model, past.sources[static_cast<std::size_t>(model.source)], asking);
  if (model.training.rolling.folds > 0) {
    data::ColumnBuilder known(data::Type::timestamp);
    for (const std::int64_t known_us : labels.known_us)
      known_us == replay::Labels::kNever ? known.append_null() : known.append_integer(known_us);
    add_column(out.beside, kKnownColumn, data::Type::timestamp, true, known.finish());
  }
  return out;
}

SplitPart part_of(const data::Column& split, std::int64_t row) {
  return split.is_null(row) ? SplitPart::none
                            : SplitPart{static_cast<std::uint8_t>(split.code(row))};
}

void count(const data::Column& split, const data::Column& label, PartCounts& counts) {
  for (std::int64_t row = 0; row < split.size(); ++row)
    counts.add(part_of(split, row), !label.is_null(row) && label.bit(row));
}

// Questions that are refused: they are in no part.
class Refused {
 public:
  // The split of a block of answers, where it differs from `split`.
  data::Column take_out(const data::Column& split, const data::Column& label,
                        const std::vector<int>& stale) {
    std::vector<std::int32_t> codes(stale.size());
    std::vector<std::uint8_t> validity((stale.size() + 7) / 8);
    for (std::size_t i = 0; i < stale.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      SplitPart part = part_of(split, row);
      if (stale[i] >= 0) {
        parts_.emplace_back(part, !label.is_null(row) && label.bit(row));
        part = SplitPart::stale;
      }
      codes[i] = static_cast<std::int32_t>(part);
      if (part != SplitPart::none)
        validity[i / 8] = static_cast<std::uint8_t>(validity[i / 8] | 1u << (i % 8));
    }
    return data::Column::coded(std::move(codes), split.dictionary_ptr(), std::move(validity));
  }

  PartCounts counted(PartCounts counts) const {
    for (const auto& [part, positive] : parts_) counts.refuse(part, positive);
    return counts;
  }

 private:
  std::vector<std::pair<SplitPart, bool>> parts_;  // that they would be in, and their label
};

// Rows of the test part, evenly over it, with the inputs that the dataset has for them.
class CheckedRows {
 public:
  CheckedRows(const data::Column& split, std::size_t most) : wanted_(most == 0 ? 0 : split.size()) {
    std::vector<std::int64_t> tests;
    for (std::int64_t row = 0; most > 0 && row < split.size(); ++row)
      if (part_of(split, row) == SplitPart::test) tests.push_back(row);
    const std::size_t count = std::min(most, tests.size());
    for (std::size_t i = 0; i < count; ++i)
      wanted_[static_cast<std::size_t>(tests[i * tests.size() / count])] = true;
  }

  void add(const replay::Answers& answers) {
    std::vector<std::int64_t> places;
    for (std::size_t i = 0; i < answers.rows.size() && !wanted_.empty(); ++i) {
      if (!wanted_[static_cast<std::size_t>(answers.rows[i])]) continue;
      places.push_back(static_cast<std::int64_t>(i));
      rows_.push_back(answers.rows[i]);
    }
    if (!places.empty()) inputs_.push_back(data::take(answers.inputs, places));
  }

  // Asks for them again, by the state that a server keeps.
  Status compare(std::shared_ptr<const define::Project> project, const define::Model& model,
                 const replay::Past& past, const replay::Questions& questions,
                 replay::AnswerOptions options, DatasetFacts& facts) const {
    if (rows_.empty()) return {};
    options.way = kernel::HistoryWay::plain;
    options.progress = nullptr;
    std::size_t batch = 0;
    std::int64_t in_batch = 0;
    const auto sink = [&](replay::Answers again) -> Status {
      for (std::int64_t row = 0; row < again.inputs.rows; ++row) {
        if (in_batch == inputs_[batch].rows) {
          ++batch;
          in_batch = 0;
        }
        facts.skew_differences += differences(inputs_[batch], in_batch++, again.inputs, row);
      }
      facts.skew_rows += again.inputs.rows;
      return {};
    };
    return replay::answer(std::move(project), past, replay::take(questions, rows_), model.row,
                          model.inputs, options, sink);
  }

 private:
  static std::int64_t differences(const data::Batch& a, std::int64_t row_a, const data::Batch& b,
                                  std::int64_t row_b) {
    std::int64_t count = 0;
    for (std::size_t i = 0; i < a.columns.size(); ++i)
      count += same(a.columns[i], row_a, b.columns[i], row_b) ? 0 : 1;
    return count;
  }

  static bool same(const data::Column& a, std::int64_t row_a, const data::Column& b,
                   std::int64_t row_b) {
    if (a.is_null(row_a) || b.is_null(row_b)) return a.is_null(row_a) && b.is_null(row_b);
    if (data::is_float(a.type()))
      return std::bit_cast<std::uint64_t>(a.real(row_a)) ==
             std::bit_cast<std::uint64_t>(b.real(row_b));
    return a.value(row_a) == b.value(row_b);
  }

  std::vector<bool> wanted_;  // by question; empty where none is
  std::vector<std::int64_t> rows_;
  std::vector<data::Batch> inputs_;
};

Status check_rows(const define::Project& project, const define::Model& model,
                  const data::Batch& rows, const AskingRows& asking) {
  const std::string& source = project.sources[static_cast<std::size_t>(model.source)].name;
  if (rows.columns[static_cast<std::size_t>(model.at_index)].has_nulls())
    return fail(
        Code::missing_value,
        "rows of source '" + source + "' have no '" + model.at_column + "', the question's time",
        "declare the column without nullable = true, so that such rows go to quarantine");
  if (rows.rows == 0 || (asking && asking->empty()))
    return fail(Code::no_rows, "source '" + source + "' has no rows for model '" + model.name + "'",
                "rows that break a rule of the source are in quarantine, each with its reason: "
                ".coeval/quarantine/" +
                    source + ".jsonl");
  return {};
}

}  // namespace

std::string slice_column(const define::Slice& slice) { return "slice:" + slice.name; }
std::string metric_column(std::string_view column) { return "row:column:" + std::string(column); }

Result<DatasetFacts> write_model_dataset(std::shared_ptr<const define::Project> project,
                                         const define::Model& model, const replay::Past& past,
                                         const replay::OpenFormat& formats, const std::string& out,
                                         const replay::AnswerOptions& options,
                                         std::size_t checked_rows) {
  const auto source = static_cast<std::size_t>(model.source);
  const data::Batch& rows = past.sources[source].rows;
  const AskingRows asking = rows_that_ask(*project, model, past);
  COEVAL_TRY(check_rows(*project, model, rows, asking));
  COEVAL_TRY(check_label_is_number(*project, model, past));
  replay::Questions questions = questions_of(model, rows);
  keep(asking, questions);
  // Labels are needed only once there are answers to write beside them.
  std::shared_future<LabelledRows> labelled = std::async(std::launch::async, [&] {
    return label_rows(*project, model, past, asking, questions.at_us);
  });
  COEVAL_ASSIGN(stores::TableFiles * files, formats(out));
  std::unique_ptr<stores::TableWriter> writer;
  Refused refused;
  DatasetFacts facts;
  std::optional<CheckedRows> checked;
  const auto sink = [&](replay::Answers answers) -> Status {
    const LabelledRows& mine = labelled.get();
    if (!checked) checked.emplace(mine.split, checked_rows);
    checked->add(answers);
    data::Batch table =
        replay::join_columns(data::take(questions.columns, answers.rows), answers.inputs);
    data::Column label = data::take(mine.label, answers.rows);
    data::Column split = data::take(mine.split, answers.rows);
    count(split, label, facts.counts);
    if (!answers.stale.empty()) split = refused.take_out(split, label, answers.stale);
    add_column(table, kLabelColumn, data::Type::boolean, true, std::move(label));
    add_column(table, kSplitColumn, data::Type::string, true, std::move(split));
    for (std::size_t i = 0; i < mine.beside.columns.size(); ++i) {
      table.schema.fields.push_back(mine.beside.schema.fields[i]);
      table.columns.push_back(data::take(mine.beside.columns[i], answers.rows));
    }
    replay::add_approximate(table, answers);
    if (!writer) {
      COEVAL_ASSIGN(writer, files->create(out, table.schema, {}));
    }
    return writer->write(table);
  };
  COEVAL_TRY(replay::answer(project, past, questions, model.row, model.inputs, options, sink));
  COEVAL_TRY(writer->close());
  facts.counts = refused.counted(facts.counts);
  COEVAL_TRY(checked->compare(project, model, past, questions, options, facts));
  return facts;
}

}  // namespace coeval::training
