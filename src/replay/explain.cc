#include "replay/explain.h"

#include <algorithm>
#include <limits>

#include "data/json.h"
#include "data/row_codec.h"
#include "kernel/evaluate.h"

namespace coeval::replay {

namespace {

// The values that an event's key columns must have.
Result<std::vector<data::Value>> key_of(const define::View& view, const data::Batch& question) {
  std::vector<data::Value> key;
  for (const auto& name : view.keys) {
    const data::Column* column = question.find(name);
    if (column == nullptr)
      return fail(Code::missing_value,
                  "the question has no column '" + name + "', a key of view '" + view.name + "'");
    key.push_back(column->value(0));
  }
  return key;
}

bool has_key(const define::View& view, const data::Batch& rows, std::int64_t row,
             const std::vector<data::Value>& key) {
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto& column = rows.columns[static_cast<std::size_t>(view.key_columns[i])];
    if (data::is_null(key[i]) || column.is_null(row)) return false;
    if (const auto* text = std::get_if<std::string>(&key[i])) {
      if (column.string(row) != *text) return false;
    } else if (column.value(row) != key[i]) {
      return false;
    }
  }
  return true;
}

bool seen_by(const SourceHistory& history, std::int64_t row, Visibility seen) {
  if (history.known_us[static_cast<std::size_t>(row)] >= seen.at_us) return false;
  const std::int64_t place = history.place_in_file(row);
  return place >= 0 || static_cast<std::uint64_t>(-1 - place) < seen.position;
}

std::string key_text(const define::View& view, const std::vector<data::Value>& key,
                     const data::Schema& schema) {
  std::string text;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto type = schema.fields[static_cast<std::size_t>(view.key_columns[i])].type;
    text += (i == 0 ? "" : ", ") + view.keys[i] + "=" + data::to_text(key[i], type);
  }
  return text.empty() ? "all" : text;
}

// Rows that the aggregate's `where` keeps; the others are not part of the feature.
std::vector<std::int64_t> kept_by_where(const define::Aggregate& aggregate, const data::Batch& rows,
                                        std::vector<std::int64_t> numbers) {
  if (!aggregate.where || numbers.empty()) return numbers;
  kernel::EvaluationCounts counts;
  const data::Column kept =
      kernel::evaluate(*aggregate.where, data::take(rows, numbers), {}, counts);
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    if (!kept.is_null(at) && kept.bit(at)) out.push_back(numbers[i]);
  }
  return out;
}

std::string row_text(const data::Batch& rows, std::int64_t row) {
  data::Json json{data::Json::Object{}};
  for (std::size_t i = 0; i < rows.columns.size(); ++i)
    json.set(rows.schema.fields[i].name,
             data::to_json(rows.columns[i].value(row), rows.schema.fields[i].type));
  return json.dump();
}

// The arithmetic in words, over integers or doubles as they come; for people, not for bits.
std::string arithmetic(const define::Aggregate& aggregate, const data::Batch& rows) {
  const std::string events = std::to_string(rows.rows) + (rows.rows == 1 ? " event" : " events");
  if (!aggregate.argument) return events;
  kernel::EvaluationCounts counts;
  const data::Column values = kernel::evaluate(*aggregate.argument, rows, {}, counts);
  std::int64_t present = 0;
  double sum = 0;
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    if (values.is_null(row)) continue;
    ++present;
    if (data::is_float(values.type())) sum += values.real(row);
    if (data::is_integer(values.type())) sum += static_cast<double>(values.integer(row));
  }
  const std::string kind(name(aggregate.kind));
  if (aggregate.kind != define::Aggregation::mean && aggregate.kind != define::Aggregation::sum)
    return kind + " of " + std::to_string(present) + " values in " + events;
  std::string text = "sum " + data::to_text(data::Value{sum}, data::Type::float64);
  if (aggregate.kind == define::Aggregation::mean) text += " / " + std::to_string(present);
  return text + " over " + events;
}

}  // namespace

std::string place_of(const SourceHistory& history, std::int64_t row) {
  const std::int64_t place = history.place_in_file(row);
  if (place < 0) return "log position " + std::to_string(-1 - place);
  return history.path + (history.by_line ? " line " : " row ") + std::to_string(place);
}

Result<FeatureExplanation> explain_feature(const define::Project& project, const Past& past,
                                           define::ViewFeature feature, const data::Batch& question,
                                           Visibility seen) {
  const define::View& view = project.views[static_cast<std::size_t>(feature.view)];
  const auto index = static_cast<std::size_t>(feature.feature);
  const define::Aggregate& aggregate = view.aggregates[index / view.windows.size()];
  const std::int64_t window = view.windows[index % view.windows.size()].us;
  const SourceHistory& history = past.sources[static_cast<std::size_t>(view.source)];
  COEVAL_ASSIGN(const auto key, key_of(view, question));

  FeatureExplanation out;
  out.feature = view.feature_name(index);
  out.to_us = seen.at_us;
  out.from_us = window == define::kAllTime ? std::numeric_limits<std::int64_t>::min()
                                           : seen.at_us - window;  // semantics: T4
  out.key = key_text(view, key, history.rows.schema);
  const auto& source = project.sources[static_cast<std::size_t>(view.source)];
  const auto times =
      history.rows.columns[static_cast<std::size_t>(source.time_index)].values<std::int64_t>();
  std::vector<std::int64_t> rows;
  for (const std::int64_t row : history.order) {
    const std::int64_t time = times[static_cast<std::size_t>(row)];
    if (time < out.from_us || time >= out.to_us || !seen_by(history, row, seen)) continue;
    if (has_key(view, history.rows, row, key)) rows.push_back(row);
  }
  rows = kept_by_where(aggregate, history.rows, std::move(rows));
  std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
    return times[static_cast<std::size_t>(a)] < times[static_cast<std::size_t>(b)];  // T5
  });
  out.arithmetic = arithmetic(aggregate, data::take(history.rows, rows));
  for (const std::int64_t row : rows)
    out.events.push_back({place_of(history, row), row_text(history.rows, row), row,
                          times[static_cast<std::size_t>(row)],
                          history.known_us[static_cast<std::size_t>(row)]});
  return out;
}

Result<std::vector<FeatureExplanation>> explain_prediction(const define::Project& project,
                                                           const define::Model& model,
                                                           const Past& past,
                                                           const stores::PredictionRecord& record) {
  const std::vector<std::string> rows = {record.question};
  COEVAL_ASSIGN(const data::Batch question, decode_rows(question_schema(model), rows));
  std::vector<FeatureExplanation> out;
  for (const auto& feature : model.row.view_features) {
    COEVAL_ASSIGN(auto one, explain_feature(project, past, feature, question,
                                            {record.at_us, record.position.value}));
    out.push_back(std::move(one));
  }
  return out;
}

data::Schema question_schema(const define::Model& model) {
  data::Schema schema;
  for (std::size_t i = 0; i < model.row.question_columns.size(); ++i)
    schema.fields.push_back(model.row.schema.fields[i]);
  return schema;
}

data::Schema input_schema(std::span<const define::Input> inputs) {
  data::Schema schema;
  for (const auto& input : inputs) schema.fields.push_back({input.name, input.type, true});
  return schema;
}

Result<data::Batch> decode_rows(const data::Schema& schema, std::span<const std::string> rows) {
  std::vector<data::ColumnBuilder> builders;
  for (const auto& field : schema.fields) builders.emplace_back(field.type);
  for (const auto& row : rows) COEVAL_TRY(data::decode_row(row, schema, builders));
  data::Batch batch;
  batch.schema = schema;
  batch.rows = static_cast<std::int64_t>(rows.size());
  for (auto& builder : builders) batch.columns.push_back(builder.finish());
  return batch;
}

}  // namespace coeval::replay
