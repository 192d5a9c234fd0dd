#include "training/model_dataset.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <future>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "define/build.h"
#include "define/row_part.h"
#include "kernel/evaluate.h"
#include "replay/feature_dataset.h"
#include "replay/labels.h"
#include "replay/retention.h"
#include "replay/versions.h"
#include "stores/files.h"
#include "training/checked_rows.h"
#include "training/dataset_columns.h"
#include "training/dataset_reader.h"

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

// The columns to write: all of them, or those named.
struct Wanted {
  bool whole = true;
  std::set<std::string> names;

  bool has(const std::string& column) const { return whole || names.contains(column); }
};

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

// A regression learns nothing from a label that is no finite number.
Status check_label_is_finite(const define::Project& project, const define::Model& model,
                             const replay::Past& past) {
  const auto source = static_cast<std::size_t>(model.label_source());
  const data::Batch& rows = past.sources[source].rows;
  kernel::EvaluationCounts counts;
  const data::Column label = kernel::evaluate(*model.label, rows, {}, counts);
  std::int64_t nan = 0, infinite = 0;
  for (std::int64_t row = 0; row < label.size(); ++row) {
    if (label.is_null(row)) continue;
    nan += std::isnan(label.real(row)) ? 1 : 0;
    infinite += std::isinf(label.real(row)) ? 1 : 0;
  }
  if (nan + infinite == 0) return {};
  return fail(Code::training_failed,
              "the label of model '" + model.name + "' is NaN in " + std::to_string(nan) +
                  " and infinite in " + std::to_string(infinite) + " of " +
                  std::to_string(rows.rows) + " rows of source '" + project.sources[source].name +
                  "'",
              "leave finite = false out of the column, so that such rows go to quarantine, or make "
              "such labels null: if(abs(x) < 1e38, x, null) in place of x");
}

// A label that is NaN is unknown, not false. Rows whose label is null do not matter.
Status check_label_is_number(const define::Project& project, const define::Model& model,
                             const replay::Past& past) {
  if (model.kind == define::ModelKind::regression)
    return check_label_is_finite(project, model, past);
  if (model.kind == define::ModelKind::ranking) return {};  // whole numbers
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
  data::Column label;  // boolean, or float64 of a regression; null where undecided
  data::Column split;  // the name of a part, "gap", or null outside
  data::Batch beside;  // what training and evaluation read of the row: weight, unit, slices
};

data::Batch read_beside(const define::Model& model, const replay::SourceHistory& history,
                        const AskingRows& asking, const Wanted& wanted) {
  data::Batch beside;
  kernel::EvaluationCounts counts;
  const auto add = [&](std::string column_name, const define::Expr& expr) {
    if (!wanted.has(column_name)) return;
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

// A query whose rows lie in several parts, or partly after the test's end, is in none: part of a
// query teaches, or tests, another order than the whole. Rows without a query are rows of no query;
// rows without a label leave their query as it is.
void keep_queries_whole(const define::Expr& query, const replay::SourceHistory& history,
                        const AskingRows& asking, std::span<const std::int64_t> at_us,
                        std::int64_t test_until_us, std::vector<SplitPart>& parts) {
  kernel::EvaluationCounts counts;
  data::Column names = kernel::evaluate(query, history.rows, {}, counts);
  if (asking) names = data::take(names, *asking);
  std::unordered_map<std::string, SplitPart> of;
  std::unordered_set<std::string> torn;
  const auto name_of = [&](std::size_t row) {
    const auto place = static_cast<std::int64_t>(row);
    return data::to_text(names.value(place), names.type());
  };
  for (std::size_t row = 0; row < parts.size(); ++row) {
    if (names.is_null(static_cast<std::int64_t>(row))) {
      parts[row] = SplitPart::none;
      continue;
    }
    if (parts[row] == SplitPart::none && at_us[row] < test_until_us) continue;
    const auto [place, fresh] = of.try_emplace(name_of(row), parts[row]);
    if (!fresh && place->second != parts[row]) torn.insert(place->first);
  }
  if (torn.empty()) return;
  for (std::size_t row = 0; row < parts.size(); ++row)
    if (parts[row] != SplitPart::none && torn.contains(name_of(row))) parts[row] = SplitPart::gap;
}

LabelledRows label_rows(const define::Project& project, const define::Model& model,
                        const replay::Past& past, const AskingRows& asking,
                        std::span<const std::int64_t> at_us, const Wanted& wanted) {
  LabelledRows out;
  replay::Labels labels = replay::labels_of(project, model, past);
  keep(asking, labels);
  out.label = std::move(labels.label);
  std::vector<SplitPart> parts(at_us.size());
  for (std::size_t row = 0; row < at_us.size(); ++row) {
    const bool valid = labels.known_us[row] != replay::Labels::kNever;
    parts[row] = assign(at_us[row], labels.known_us[row], valid, model.split);
  }
  if (model.kind == define::ModelKind::ranking)
    keep_queries_whole(*model.training.resampling.expr,
                       past.sources[static_cast<std::size_t>(model.source)], asking, at_us,
                       model.split.test_until_us, parts);
  out.split = split_column(parts);
  out.beside =
      read_beside(model, past.sources[static_cast<std::size_t>(model.source)], asking, wanted);
  if (model.training.rolling.folds > 0 && wanted.has(kKnownColumn)) {
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

bool is_positive(const data::Column& label, std::int64_t row) {
  return label.type() == data::Type::boolean && !label.is_null(row) && label.bit(row);
}

void count(const data::Column& split, const data::Column& label, PartCounts& counts) {
  for (std::int64_t row = 0; row < split.size(); ++row)
    counts.add(part_of(split, row), is_positive(label, row));
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
        parts_.emplace_back(part, is_positive(label, row));
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

// By question: rows of the test part, evenly over it.
std::vector<bool> rows_to_check(const data::Column& split, std::size_t most) {
  if (most == 0) return {};
  std::vector<std::int64_t> tests;
  for (std::int64_t row = 0; row < split.size(); ++row)
    if (part_of(split, row) == SplitPart::test) tests.push_back(row);
  std::vector<bool> wanted(static_cast<std::size_t>(split.size()));
  const std::size_t count = std::min(most, tests.size());
  for (std::size_t i = 0; i < count; ++i)
    wanted[static_cast<std::size_t>(tests[i * tests.size() / count])] = true;
  return wanted;
}

data::Column bits_of(const std::vector<int>& stale) {
  data::ColumnBuilder bits(data::Type::boolean);
  for (const int rule : stale) bits.append_boolean(rule >= 0);
  return bits.finish();
}

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

// Makes a dataset, or columns of one.
class DatasetWriter {
 public:
  DatasetWriter(std::shared_ptr<const define::Project> project, const define::Model& model,
                const replay::Past& past, const replay::OpenFormat& formats, std::string out,
                const replay::AnswerOptions& options, std::size_t checked_rows)
      : project_(std::move(project)),
        model_(model),
        past_(past),
        formats_(formats),
        out_(std::move(out)),
        options_(options),
        checked_rows_(checked_rows) {
    row_ = {model.row, model.inputs};
    checked_inputs_.assign(model.inputs.size(), true);
  }

  // Without it, all columns are made.
  void make_only(std::vector<StoredColumn> columns) {
    wanted_.whole = false;
    facts_.columns = std::move(columns);
    const std::string file = out_.substr(out_.rfind('/') + 1);
    for (const auto& column : facts_.columns)
      if (column.file == file) wanted_.names.insert(column.name);
    std::vector<bool> computed;
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      const std::string& name = model_.inputs[i].name;
      computed.push_back(wanted_.has(name));
      checked_inputs_[i] = !column(name)->differences.has_value();
    }
    define::RowReaders readers;
    readers.stale_rules = wanted_.has(kRefusedColumn);
    if (wanted_.has(replay::kApproximateColumn))
      readers.view_features = approximate_features_of(*project_, model_.row);
    row_ = define::row_part(model_.row, model_.inputs, computed, readers);
  }

  Result<DatasetFacts> run() {
    const data::Batch& rows = past_.sources[static_cast<std::size_t>(model_.source)].rows;
    asking_ = rows_that_ask(*project_, model_, past_);
    COEVAL_TRY(check_rows(*project_, model_, rows, asking_));
    COEVAL_TRY(check_label_is_number(*project_, model_, past_));
    questions_ = questions_of(model_, rows);
    keep(asking_, questions_);
    // Labels are needed only once there are answers to write beside them.
    labelled_ = std::async(std::launch::async, [this] {
      return label_rows(*project_, model_, past_, asking_, questions_.at_us, wanted_);
    });
    choose_question_columns();
    COEVAL_TRY(read_refused());
    COEVAL_TRY(replay::answer(project_, past_, questions_, row_.row, row_.inputs, options_,
                              [this](replay::Answers answers) { return add(std::move(answers)); }));
    if (writer_) COEVAL_TRY(writer_->close());
    facts_.counts = refused_.counted(facts_.counts);
    COEVAL_TRY(check());
    return std::move(facts_);
  }

 private:
  StoredColumn* column(const std::string& name) {
    const auto found = std::ranges::find(facts_.columns, name, &StoredColumn::name);
    return found == facts_.columns.end() ? nullptr : &*found;
  }

  void choose_question_columns() {
    own_.rows = questions_.columns.rows;
    for (std::size_t i = 0; i < questions_.columns.columns.size(); ++i) {
      const data::Field& field = questions_.columns.schema.fields[i];
      if (!wanted_.has(field.name)) continue;
      own_.schema.fields.push_back(field);
      own_.columns.push_back(questions_.columns.columns[i]);
    }
  }

  // Which questions are refused, where that is stored already.
  Status read_refused() {
    const StoredColumn* stored = column(kRefusedColumn);
    if (stored == nullptr || wanted_.has(kRefusedColumn)) return {};
    COEVAL_ASSIGN(DatasetReader reader, DatasetReader::open(formats_, stores::folder_of(out_),
                                                            std::vector<StoredColumn>{*stored}));
    while (true) {
      COEVAL_ASSIGN(const data::Batch batch, reader.next());
      if (batch.rows == 0) break;
      for (std::int64_t row = 0; row < batch.rows; ++row)
        stored_refused_.push_back(batch.columns.front().bit(row) ? 0 : -1);
    }
    if (std::ssize(stored_refused_) == questions_.columns.rows) return {};
    return fail(Code::bad_file,
                "'" + stored->file + "' has " + std::to_string(stored_refused_.size()) +
                    " rows, the dataset has " + std::to_string(questions_.columns.rows),
                "delete it and build again");
  }

  std::vector<int> stale_of(const replay::Answers& answers) const {
    if (stored_refused_.empty()) return answers.stale;
    const auto first = stored_refused_.begin() + done_;
    return {first, first + std::ssize(answers.rows)};
  }

  Status add(replay::Answers answers) {
    const LabelledRows& mine = labelled_.get();
    if (!checked_) checked_.emplace(rows_to_check(mine.split, checked_rows_));
    checked_->add(answers);
    data::Column label = data::take(mine.label, answers.rows);
    data::Column split = data::take(mine.split, answers.rows);
    count(split, label, facts_.counts);
    const std::vector<int> stale = stale_of(answers);
    if (!stale.empty()) split = refused_.take_out(split, label, stale);
    done_ += std::ssize(answers.rows);
    data::Batch table = replay::join_columns(data::take(own_, answers.rows), answers.inputs);
    if (wanted_.has(kLabelColumn)) {
      const data::Type type = label.type();
      add_column(table, kLabelColumn, type, true, std::move(label));
    }
    if (wanted_.has(kSplitColumn))
      add_column(table, kSplitColumn, data::Type::string, true, std::move(split));
    if (!wanted_.whole && wanted_.has(kRefusedColumn))
      add_column(table, kRefusedColumn, data::Type::boolean, false, bits_of(stale));
    for (std::size_t i = 0; i < mine.beside.columns.size(); ++i) {
      table.schema.fields.push_back(mine.beside.schema.fields[i]);
      table.columns.push_back(data::take(mine.beside.columns[i], answers.rows));
    }
    if (wanted_.has(replay::kApproximateColumn)) replay::add_approximate(table, answers);
    return write(table);
  }

  Status write(const data::Batch& table) {
    if (table.columns.empty()) return {};
    if (!writer_) {
      COEVAL_ASSIGN(stores::TableFiles * files, formats_(out_));
      COEVAL_ASSIGN(writer_, files->create(out_, table.schema, {}));
    }
    return writer_->write(table);
  }

  // The checked test rows by the server's way, for inputs of which that is not known yet.
  Status check() {
    facts_.skew_rows = checked_->count();
    std::vector<StoredColumn> elsewhere;
    for (std::size_t i = 0; i < model_.inputs.size(); ++i) {
      const StoredColumn* stored = column(model_.inputs[i].name);
      if (checked_inputs_[i] && stored != nullptr && !wanted_.has(stored->name))
        elsewhere.push_back(*stored);
    }
    if (!elsewhere.empty()) {
      COEVAL_ASSIGN(DatasetReader reader,
                    DatasetReader::open(formats_, stores::folder_of(out_), elsewhere));
      COEVAL_TRY(checked_->read(std::move(reader)));
    }
    const auto asked = define::row_part(model_.row, model_.inputs, checked_inputs_, {});
    COEVAL_ASSIGN(const auto found,
                  checked_->compare(project_, past_, questions_, asked, options_));
    for (const auto& [name, differences] : found) {
      if (StoredColumn* stored = column(name)) stored->differences = differences;
      if (wanted_.whole) facts_.skew_differences += differences;
    }
    for (const auto& stored : facts_.columns)
      facts_.skew_differences += stored.differences.value_or(0);
    return {};
  }

  std::shared_ptr<const define::Project> project_;
  const define::Model& model_;
  const replay::Past& past_;
  const replay::OpenFormat& formats_;
  const std::string out_;
  const replay::AnswerOptions& options_;
  const std::size_t checked_rows_;
  Wanted wanted_;
  define::RowPart row_;               // what is asked of the replay
  std::vector<bool> checked_inputs_;  // by input: by the server's way too
  AskingRows asking_;
  replay::Questions questions_;
  data::Batch own_;                  // columns of the questions to write
  std::vector<int> stored_refused_;  // by row of the dataset, as Answers::stale; empty: computed
  std::int64_t done_ = 0;            // rows of the dataset
  std::unique_ptr<stores::TableWriter> writer_;
  Refused refused_;
  std::optional<CheckedRows> checked_;
  DatasetFacts facts_;
  std::shared_future<LabelledRows> labelled_;  // last: it waits for its thread, which reads others
};

}  // namespace

std::string slice_column(const define::Slice& slice) { return "slice:" + slice.name; }
std::string metric_column(std::string_view column) { return "row:column:" + std::string(column); }

Result<DatasetFacts> write_model_dataset(std::shared_ptr<const define::Project> project,
                                         const define::Model& model, const replay::Past& past,
                                         const replay::OpenFormat& formats, const std::string& out,
                                         const replay::AnswerOptions& options,
                                         std::size_t checked_rows) {
  return DatasetWriter(std::move(project), model, past, formats, out, options, checked_rows).run();
}

Result<DatasetFacts> write_dataset_columns(std::shared_ptr<const define::Project> project,
                                           const define::Model& model, const replay::Past& past,
                                           const replay::OpenFormat& formats,
                                           const std::string& out,
                                           const replay::AnswerOptions& options,
                                           std::size_t checked_rows,
                                           std::vector<StoredColumn> columns) {
  DatasetWriter writer(std::move(project), model, past, formats, out, options, checked_rows);
  writer.make_only(std::move(columns));
  return writer.run();
}

}  // namespace coeval::training
