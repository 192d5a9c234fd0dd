#include "replay/feature_dataset.h"

#include <algorithm>
#include <limits>

#include "data/decimal.h"
#include "data/packed_list.h"

namespace coeval::replay {

namespace {

using data::Type;

// Lists of a file may have any length, and nulls among their elements.
Result<data::Column> fit_lists(const data::Column& column, const data::Field& wanted) {
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    const data::ListView list(column.string(row), column.type());
    bool whole = data::is_packed_list(column.string(row), wanted.type);
    for (std::size_t i = 0; whole && i < list.size(); ++i) whole = !list.is_null_element(i);
    if (!whole)
      return fail(Code::type_mismatch, "question column '" + wanted.name + "', row " +
                                           std::to_string(row) + ", must be " + name(wanted.type) +
                                           " without nulls");
  }
  return column.with_list_type(wanted.type);
}

// Decimals of other digits, where each value fits.
Result<data::Column> fit_decimals(const data::Column& column, const data::Field& wanted) {
  data::ColumnBuilder builder(wanted.type);
  builder.reserve(column.size());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      builder.append_null();
      continue;
    }
    const std::string text = data::to_text(column.value(row), column.type());
    std::int64_t scaled = 0;
    if (data::read_decimal(text, wanted.type, scaled) != data::DecimalFault::none)
      return fail(Code::out_of_range, "question column '" + wanted.name + "', row " +
                                          std::to_string(row) + ", does not fit " +
                                          std::string(name(wanted.type)) + ", found " + text);
    builder.append_integer(scaled);
  }
  return builder.finish();
}

Result<data::Column> fit(const data::Column& column, const data::Field& wanted) {
  if (column.type() == wanted.type) return column;
  if (data::is_list(column.type()) && data::is_list(wanted.type)) return fit_lists(column, wanted);
  if (data::is_decimal(column.type()) && data::is_decimal(wanted.type))
    return fit_decimals(column, wanted);
  if (!data::is_integer(column.type()) || !data::is_integer(wanted.type))
    return fail(Code::type_mismatch, "question column '" + wanted.name + "' must be " +
                                         std::string(name(wanted.type)) + ", found " +
                                         std::string(name(column.type())));
  data::ColumnBuilder builder(wanted.type);
  builder.reserve(column.size());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) {
      builder.append_null();
      continue;
    }
    const std::int64_t value = column.integer(row);
    if (wanted.type == Type::int32 && value != static_cast<std::int32_t>(value))
      return fail(Code::out_of_range, "question column '" + wanted.name + "', row " +
                                          std::to_string(row) + ", does not fit int32, found " +
                                          std::to_string(value));
    builder.append_integer(value);
  }
  return builder.finish();
}

// What a text format must be told: the columns that are needed, and their types.
data::Schema needed(const std::string& at, const define::RowSchema& row) {
  data::Schema schema;
  const std::size_t own = row.schema.fields.size() - row.view_features.size();
  for (std::size_t i = 0; i < own; ++i) schema.fields.push_back(row.schema.fields[i]);
  if (schema.index_of(at) < 0) schema.fields.push_back({at, Type::timestamp, false});
  return schema;
}

Result<data::Batch> read_whole(const OpenFormat& formats, const std::string& path,
                               const data::Schema& schema) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  stores::ReadOptions options;
  options.schema = schema;
  COEVAL_ASSIGN(auto reader, files->open(path, options));
  std::vector<data::Batch> parts;
  while (true) {
    COEVAL_ASSIGN(data::Batch part, reader->next());
    // A question that cannot be read has no answer, and leaving it out silently would hide that.
    if (!reader->bad_rows().empty()) {
      const auto& bad = reader->bad_rows().front();
      return fail(Code::bad_file, "line " + std::to_string(bad.line) + ": " + bad.reason);
    }
    if (part.rows == 0) break;
    parts.push_back(std::move(part));
  }
  if (!parts.empty()) return data::concatenate(parts);
  data::Batch none;
  none.schema = reader->schema();
  for (const auto& field : none.schema.fields)
    none.columns.push_back(data::ColumnBuilder(field.type).finish());
  return none;
}

// What else is wrong with the file, reading the questions will say.
Result<bool> has_column(const OpenFormat& formats, const std::string& path,
                        const std::string& column) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  stores::ReadOptions options;
  options.columns = {column};
  options.schema = data::Schema{{{column, Type::string, false}}};
  const auto reader = files->open(path, options);
  if (!reader) {
    const Code code = reader.error().code;
    if (code == Code::unknown_key || code == Code::bad_csv) return false;
    return std::unexpected(reader.error());
  }
  // JSON has no header: a column is there when a line has it.
  bool is_missing = false;
  while (true) {
    const auto part = (*reader)->next();
    if (!part || part->rows > 0) return true;
    const auto bad = (*reader)->bad_rows();
    if (bad.empty()) return !is_missing;
    is_missing = true;
    for (const auto& row : bad)
      if (row.reason != column + ": missing") return true;
  }
}

Result<std::vector<std::int64_t>> times(const data::Batch& table, const std::string& at) {
  const data::Column* column = table.find(at);
  if (column == nullptr)
    return fail(Code::missing_value, "the questions have no column '" + at + "' for their time",
                "name it with --at COLUMN");
  if (column->type() != Type::timestamp)
    return fail(Code::type_mismatch, "the questions' time column '" + at +
                                         "' must be a timestamp, found " +
                                         std::string(name(column->type())));
  std::vector<std::int64_t> out;
  out.reserve(static_cast<std::size_t>(table.rows));
  for (std::int64_t row = 0; row < table.rows; ++row) {
    if (column->is_null(row))
      return fail(Code::missing_value,
                  "the question in row " + std::to_string(row) + " has no time in '" + at + "'");
    out.push_back(column->integer(row));
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> keys_in(const define::Project& project, const OpenFormat& formats,
                                         const std::string& path) {
  std::vector<std::string> own;
  for (const auto& key : project.keys) {
    auto found = has_column(formats, path, key.name);
    if (!found)
      return std::unexpected(std::move(found).error().within("reading questions from " + path));
    if (*found) own.push_back(key.name);
  }
  return own;
}

Result<Questions> read_questions(const OpenFormat& formats, const std::string& path,
                                 const std::string& at, const define::RowSchema& row) {
  const auto failed = [&](Error error) {
    return std::unexpected(std::move(error).within("reading questions from " + path));
  };
  auto table = read_whole(formats, path, needed(at, row));
  if (!table) return failed(std::move(table).error());
  Questions questions;
  auto at_us = times(*table, at);
  if (!at_us) return failed(std::move(at_us).error());
  questions.at_us = std::move(*at_us);
  const std::size_t own = row.schema.fields.size() - row.view_features.size();
  for (std::size_t i = 0; i < own; ++i) {
    const data::Field& wanted = row.schema.fields[i];
    const int index = table->schema.index_of(wanted.name);
    if (index < 0)
      return failed(Error{Code::missing_value,
                          "the questions have no column '" + wanted.name + "'",
                          "the features asked for need it",
                          {},
                          {}});
    auto fitted = fit(table->columns[static_cast<std::size_t>(index)], wanted);
    if (!fitted) return failed(std::move(fitted).error());
    table->columns[static_cast<std::size_t>(index)] = std::move(*fitted);
    table->schema.fields[static_cast<std::size_t>(index)].type = wanted.type;
  }
  questions.columns = std::move(*table);
  return questions;
}

data::Batch join_columns(const data::Batch& left, const data::Batch& right) {
  data::Batch out = left;
  out.rows = right.rows;
  for (std::size_t i = 0; i < right.columns.size(); ++i) {
    const int there = out.schema.index_of(right.schema.fields[i].name);
    if (there >= 0) {
      out.schema.fields[static_cast<std::size_t>(there)] = right.schema.fields[i];
      out.columns[static_cast<std::size_t>(there)] = right.columns[i];
    } else {
      out.schema.fields.push_back(right.schema.fields[i]);
      out.columns.push_back(right.columns[i]);
    }
  }
  return out;
}

void add_approximate(data::Batch& table, const Answers& answers) {
  if (!answers.approximate || table.find(kApproximateColumn) != nullptr) return;
  table.schema.fields.push_back({kApproximateColumn, Type::string, true});
  table.columns.push_back(*answers.approximate);
}

namespace {

data::Column without(const data::Column& column, const std::vector<int>& stale) {
  data::ColumnBuilder builder(column.type());
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (stale[static_cast<std::size_t>(row)] >= 0)
      builder.append_null();
    else
      builder.append_from(column, row);
  }
  return builder.finish();
}

// A question that is refused has no values, and a column tells which feature was stale.
std::int64_t refuse(const define::RowSchema& row, Answers& answers) {
  if (row.stale_rules.empty()) return 0;
  std::int64_t count = 0;
  data::ColumnBuilder names(Type::string);
  for (const int rule : answers.stale) {
    count += rule >= 0 ? 1 : 0;
    if (rule >= 0)
      names.append_string(row.stale_rules[static_cast<std::size_t>(rule)].feature);
    else
      names.append_null();
  }
  for (auto& column : answers.inputs.columns) column = without(column, answers.stale);
  answers.inputs.schema.fields.push_back({kRefusedColumn, Type::string, true});
  answers.inputs.columns.push_back(names.finish());
  return count;
}

// Writes what `answering` hands to the sink that it is given.
Result<FeatureRows> write_answers(
    const Questions& questions, const define::FeatureSet& set, const OpenFormat& formats,
    const std::string& out,
    const std::function<Status(const std::function<Status(Answers)>&)>& answering) {
  FeatureRows written;
  COEVAL_ASSIGN(stores::TableFiles * files, formats(out));
  std::unique_ptr<stores::TableWriter> writer;
  const auto sink = [&](Answers answers) -> Status {
    written.rows += std::ssize(answers.rows);
    written.refused += refuse(set.row, answers);
    data::Batch table = join_columns(data::take(questions.columns, answers.rows), answers.inputs);
    add_approximate(table, answers);
    if (!writer) {
      COEVAL_ASSIGN(writer, files->create(out, table.schema, {}));
    }
    return writer->write(table);
  };
  COEVAL_TRY(answering(sink));
  COEVAL_TRY(writer->close());
  return written;
}

}  // namespace

Result<FeatureRows> write_feature_dataset(std::shared_ptr<const define::Project> project,
                                          const Past& past, const Questions& questions,
                                          const define::FeatureSet& set, const OpenFormat& formats,
                                          const std::string& out, const AnswerOptions& options) {
  return write_answers(questions, set, formats, out, [&](const auto& sink) {
    return answer(std::move(project), past, questions, set.row, set.inputs, options, sink);
  });
}

Result<FeatureRows> write_spilled_dataset(std::shared_ptr<const define::Project> project,
                                          const Questions& questions, const define::FeatureSet& set,
                                          const OpenFormat& formats, const std::string& out,
                                          const AnswerOptions& options, const SpillOptions& spill) {
  return write_answers(questions, set, formats, out, [&](const auto& sink) {
    return answer_spilled(std::move(project), formats, questions, set.row, set.inputs, options,
                          spill, sink);
  });
}

}  // namespace coeval::replay
