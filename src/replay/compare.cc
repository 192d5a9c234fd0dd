#include "replay/compare.h"

#include <bit>

#include "data/row_codec.h"
#include "define/row_schemas.h"

namespace coeval::replay {

namespace {

AuditDifference difference(const stores::PredictionRecord& record, std::string what,
                           std::string served, std::string recomputed) {
  return {record.id,       record.model,      record.version,        record.at_us,
          std::move(what), std::move(served), std::move(recomputed), {}};
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

std::string number(float value) {
  return data::to_text(data::Value{static_cast<double>(value)}, data::Type::float64);
}

// The first input whose bytes differ, by encoding each cell of both rows alone.
AuditDifference first_input(const AuditedModel& audited, const stores::PredictionRecord& record,
                            const data::Batch& inputs, std::int64_t row) {
  const auto& model = audited.project->models[static_cast<std::size_t>(audited.model)];
  const std::vector<std::string> rows = {record.features};
  const auto served = decode_rows(define::input_schema(model.inputs), rows);
  if (!served)
    return difference(record, "features", "undecodable: " + served.error().message, "a row");
  for (std::size_t i = 0; i < inputs.columns.size(); ++i) {
    const data::Batch then{{{served->schema.fields[i]}}, {served->columns[i]}, 1};
    const data::Batch now{{{served->schema.fields[i]}}, {inputs.columns[i]}, inputs.rows};
    if (data::encode_row(then, 0) == data::encode_row(now, row)) continue;
    const auto type = served->schema.fields[i].type;
    return difference(record, served->schema.fields[i].name,
                      data::to_text(served->columns[i].value(0), type),
                      data::to_text(inputs.columns[i].value(row), type));
  }
  return difference(record, "features", "other bytes", "equal values");
}

std::optional<AuditDifference> compare_score(const AuditedModel& audited,
                                             const stores::PredictionRecord& record, float margin,
                                             float score) {
  if (!same_bits(margin, record.raw_score))
    return difference(record, "raw_score", number(record.raw_score), number(margin));
  if (!same_bits(score, record.score))
    return difference(record, "score", number(record.score), number(score));
  const bool decision = audited.served->card.decision(score);
  if (decision != record.decision)
    return difference(record, "decision", record.decision ? "true" : "false",
                      decision ? "true" : "false");
  return std::nullopt;
}

}  // namespace

Result<std::vector<std::optional<AuditDifference>>> compare(
    const AuditedModel& audited, std::span<const stores::PredictionRecord> records,
    const data::Batch& inputs, std::span<const int> stale) {
  const auto& served = *audited.served;
  std::vector<float> matrix(records.size() * served.encoder.width());
  COEVAL_TRY(served.encoder.encode(inputs, matrix));
  std::vector<float> margins(records.size()), scores(records.size());
  COEVAL_TRY(served.predict(matrix, margins, scores));
  data::Batch nullable = inputs;  // the recorded rows' schema: every input may be null
  const auto& model = audited.project->models[static_cast<std::size_t>(audited.model)];
  nullable.schema = define::input_schema(model.inputs);
  std::vector<std::optional<AuditDifference>> out(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const auto& record = records[i];
    if (!stale.empty() && stale[i] >= 0)
      out[i] = difference(record, model.row.stale_rules[static_cast<std::size_t>(stale[i])].feature,
                          "answered", "refused: the feature is stale");
    else if (record.bits_id != served.card.bits_id)
      out[i] = difference(record, "bits_id", record.bits_id, served.card.bits_id);
    else if (data::encode_row(nullable, row) != record.features)
      out[i] = first_input(audited, record, nullable, row);
    else
      out[i] = compare_score(audited, record, margins[i], scores[i]);
  }
  return out;
}

}  // namespace coeval::replay
