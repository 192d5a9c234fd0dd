#include "replay/explain.h"

#include "data/row_codec.h"
#include "data/text_tables.h"
#include "define/row_schemas.h"

namespace coeval::replay {

namespace {

// The last step says how the value came about; the others are for who asks about the feature alone.
std::string arithmetic_line(const define::Aggregate& aggregate, const Arithmetic& arithmetic,
                            std::size_t events) {
  const std::string text = std::string(name(aggregate.kind)) + " of " + std::to_string(events) +
                           (events == 1 ? " event" : " events");
  return arithmetic.steps.empty() ? text : text + ": " + arithmetic.steps.back();
}

}  // namespace

Result<FeatureExplanation> explain_feature(const define::Project& project, const Past& past,
                                           define::ViewFeature feature, const data::Batch& question,
                                           Visibility seen) {
  COEVAL_ASSIGN(const auto found, feature_history(project, past, feature, question, seen));
  const define::View& view = view_of(project, feature);
  const define::Aggregate& aggregate = aggregate_of(project, feature);
  const SourceHistory& history = past.sources[static_cast<std::size_t>(view.source)];
  COEVAL_ASSIGN(const auto arithmetic, compute(aggregate, found.values));
  FeatureExplanation out;
  out.feature = found.name;
  out.from_us = found.bounds.from_us;
  out.to_us = found.bounds.to_us;
  out.key = found.key;
  out.arithmetic = arithmetic_line(aggregate, arithmetic, found.inside.size());
  for (std::size_t i = 0; i < found.inside.size(); ++i) {
    const std::int64_t row = found.inside[i];
    out.events.push_back({place_of(history, row), data::row_json(history.rows, row), row,
                          found.values.event_time_us[i],
                          history.known_us[static_cast<std::size_t>(row)]});
  }
  return out;
}

Result<std::vector<FeatureExplanation>> explain_prediction(const define::Project& project,
                                                           const define::Model& model,
                                                           const Past& past,
                                                           const stores::PredictionRecord& record) {
  const std::vector<std::string> rows = {record.question};
  COEVAL_ASSIGN(const data::Batch question, decode_rows(define::question_schema(model), rows));
  std::vector<FeatureExplanation> out;
  const Visibility seen{record.at_us, record.position.value};
  COEVAL_ASSIGN(const auto asked, with_keys(project, past, model.row, question, seen));
  for (const auto& feature : model.row.view_features) {
    COEVAL_ASSIGN(auto one, explain_feature(project, past, feature, asked.columns, seen));
    one.key = key_path(view_of(project, feature), one.key, asked);
    out.push_back(std::move(one));
  }
  return out;
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
