#include <algorithm>
#include <utility>

#include "data/row_codec.h"
#include "define/diagnostics.h"
#include "define/row_schemas.h"
#include "serving/engine_parts.h"

namespace coeval::serving {
namespace {

/// A logged row as an object, or null when the definition it was written under is another one.
data::Json row_json(const std::string& bytes, const data::Schema& schema) {
  std::vector<data::ColumnBuilder> builders;
  for (const data::Field& field : schema.fields) builders.emplace_back(field.type);
  if (!data::decode_row(bytes, schema, builders)) return {};
  data::Json json{data::Json::Object{}};
  for (std::size_t i = 0; i < builders.size(); ++i) {
    const data::Column column = builders[i].finish();
    json.set(schema.fields[i].name, data::to_json(column.value(0), column.type()));
  }
  return json;
}

// The classes by name, which the definition has; another one cannot name them.
void set_classes(data::Json& json, const stores::PredictionRecord& record,
                 const define::Model* model) {
  const std::size_t classes = record.class_scores.size();
  const bool named = model != nullptr && model->classes.size() == classes;
  data::Json scores{data::Json::Object{}}, margins{data::Json::Object{}};
  for (std::size_t i = 0; i < classes; ++i) {
    const std::string name = named ? model->classes[i] : std::to_string(i);
    scores.set(name, static_cast<double>(record.class_scores[i]));
    margins.set(name, static_cast<double>(record.class_margins[i]));
  }
  json.set("decision",
           named ? model->classes[record.decided_class] : std::to_string(record.decided_class));
  json.set("scores", std::move(scores));
  json.set("raw_scores", std::move(margins));
}

data::Json record_json(const stores::PredictionRecord& record, const define::Model* model) {
  data::Json json;
  json.set("prediction_id", record.id);
  json.set("model", record.model);
  json.set("version", record.version);
  json.set("ir_hash", record.ir_hash);
  json.set("bits_id", record.bits_id);
  json.set("position", static_cast<std::int64_t>(record.position.value));
  json.set("at", format_time(record.at_us));
  json.set("variant", record.variant);
  json.set("propensity", record.propensity);
  json.set("raw_score", static_cast<double>(record.raw_score));
  json.set("score", static_cast<double>(record.score));
  const bool one = record.class_scores.empty();
  if (one && (model == nullptr || model->kind == define::ModelKind::binary))
    json.set("decision", record.decision);
  if (!record.class_scores.empty()) set_classes(json, record, model);
  json.set("latency_us", static_cast<std::int64_t>(record.latency_us));
  if (!record.approximate.empty()) json.set("approximate", approximate_json(record));
  // Names and types of the columns are those of the definition; another one cannot name them.
  const bool readable = model != nullptr && model->ir_hash == record.ir_hash;
  json.set("question",
           readable ? row_json(record.question, define::question_schema(*model)) : data::Json());
  json.set("features", readable ? row_json(record.features, define::input_schema(model->inputs))
                                : data::Json());
  return json;
}

Answer no_prediction(std::string_view id, std::string advice) {
  return error_answer(
      {Code::not_found, "no prediction " + define::in_quotes(id), std::move(advice), {}, {}});
}

}  // namespace

data::Json approximate_json(const stores::PredictionRecord& record) {
  data::Json::Array names;
  for (std::size_t begin = 0; begin < record.approximate.size();) {
    const std::size_t end =
        std::min(record.approximate.find(',', begin), record.approximate.size());
    names.emplace_back(record.approximate.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

Answer Engine::prediction(std::string_view id) {
  const std::optional<Position> position = position_of(id);
  if (!position) {
    return no_prediction(id,
                         "a prediction id has 26 characters, as the answer to a question gave it");
  }
  if (const Status flushed = parts_->log.flush(); !flushed) return error_answer(flushed.error());
  std::optional<Result<stores::PredictionRecord>> found;
  const Status read = parts_->log.log().read(*position, [&](const stores::Record& record) {
    if (record.position == *position && record.kind == stores::RecordKind::prediction) {
      found = stores::decode_prediction(record.payload);
    }
    return false;
  });
  if (!read) return error_answer(read.error());
  if (!found) {
    const auto trim = parts_->log.log().trim();
    if (!trim) return error_answer(trim.error());
    if (*trim && *position < (*trim)->first)
      return no_prediction(id, "it was removed from the log: what stood before position " +
                                   std::to_string((*trim)->first.value) +
                                   " was older than is kept");
  }
  if (found && !*found) return error_answer(found->error());
  if (!found || (*found)->id != id) return no_prediction(id, "it was made by another log");
  return {200, record_json(**found, parts_->project->find_model((*found)->model)).dump()};
}

}  // namespace coeval::serving
