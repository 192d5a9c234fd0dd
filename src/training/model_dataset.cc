#include "training/model_dataset.h"

#include <array>

#include "replay/feature_dataset.h"
#include "replay/labels.h"

namespace coeval::training {

namespace {

// One small dictionary for all split columns: codes are the enum's values.
std::shared_ptr<const data::Column> split_dictionary() {
  data::ColumnBuilder names(data::Type::string);
  for (std::size_t part = 0; part < kSplitParts; ++part)
    names.append_string(name(static_cast<SplitPart>(part)));
  return std::make_shared<data::Column>(names.finish());
}

data::Column split_column(const std::vector<SplitPart>& parts,
                          const std::shared_ptr<const data::Column>& dictionary) {
  std::vector<std::int32_t> codes;
  codes.reserve(parts.size());
  std::vector<std::uint8_t> validity((parts.size() + 7) / 8);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    codes.push_back(static_cast<std::int32_t>(parts[i]));
    if (parts[i] != SplitPart::none)
      validity[i / 8] = static_cast<std::uint8_t>(validity[i / 8] | 1u << (i % 8));
  }
  return data::Column::coded(std::move(codes), dictionary, std::move(validity));
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

}  // namespace

Result<ModelRows> model_rows(const define::Project& project, const define::Model& model,
                             const replay::Past& past) {
  const auto& history = past.sources[static_cast<std::size_t>(model.source)];
  const data::Batch& rows = history.rows;
  if (rows.columns[static_cast<std::size_t>(model.at_index)].has_nulls())
    return fail(Code::missing_value,
                "rows of source '" + project.sources[static_cast<std::size_t>(model.source)].name +
                    "' have no '" + model.at_column + "', the question's time",
                "declare the column without nullable = true, so that such rows go to quarantine");
  ModelRows out;
  out.questions = questions_of(model, rows);
  replay::Labels labels = replay::labels_of(project, model, past);
  out.label = std::move(labels.label);
  out.parts.resize(static_cast<std::size_t>(rows.rows));
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const auto place = static_cast<std::size_t>(row);
    const bool valid = labels.known_us[place] != replay::Labels::kNever;
    const SplitPart part =
        assign(out.questions.at_us[place], labels.known_us[place], valid, model.split);
    out.parts[place] = part;
    out.counts.add(part, valid && out.label.bit(row));
  }
  return out;
}

namespace {

// The parts of a block of answers; refused rows are counted as such.
std::vector<SplitPart> parts_of(const ModelRows& rows, const replay::Answers& answers,
                                PartCounts& counts) {
  std::vector<SplitPart> parts;
  for (std::size_t i = 0; i < answers.rows.size(); ++i) {
    const auto place = static_cast<std::size_t>(answers.rows[i]);
    const SplitPart part = rows.parts[place];
    const bool refused = !answers.stale.empty() && answers.stale[i] >= 0;
    if (refused)
      counts.refuse(part, !rows.label.is_null(answers.rows[i]) && rows.label.bit(answers.rows[i]));
    parts.push_back(refused ? SplitPart::stale : part);
  }
  return parts;
}

}  // namespace

Result<PartCounts> write_model_dataset(std::shared_ptr<const define::Project> project,
                                       const define::Model& model, const replay::Past& past,
                                       const replay::OpenFormat& formats, const std::string& out,
                                       const replay::AnswerOptions& options) {
  COEVAL_ASSIGN(const ModelRows rows, model_rows(*project, model, past));
  if (rows.questions.columns.rows == 0)
    return fail(Code::no_rows, "source '" +
                                   project->sources[static_cast<std::size_t>(model.source)].name +
                                   "' has no rows for model '" + model.name + "'");
  COEVAL_ASSIGN(stores::TableFiles * files, formats(out));
  std::unique_ptr<stores::TableWriter> writer;
  PartCounts counts = rows.counts;
  const auto dictionary = split_dictionary();
  const auto sink = [&](replay::Answers answers) -> Status {
    const data::Column split = split_column(parts_of(rows, answers, counts), dictionary);
    data::Batch table =
        replay::join_columns(data::take(rows.questions.columns, answers.rows), answers.inputs);
    add_column(table, kLabelColumn, data::Type::boolean, true,
               data::take(rows.label, answers.rows));
    add_column(table, kSplitColumn, data::Type::string, true, split);
    if (!writer) {
      COEVAL_ASSIGN(writer, files->create(out, table.schema, {}));
    }
    return writer->write(table);
  };
  COEVAL_TRY(replay::answer(std::move(project), past, rows.questions, model.row, model.inputs,
                            options, sink));
  COEVAL_TRY(writer->close());
  return counts;
}

}  // namespace coeval::training
