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

std::string decision_text(const models::ModelCard& card, const stores::PredictionRecord& record) {
  if (record.class_scores.empty()) return record.decision ? "true" : "false";
  return record.decided_class < card.classes.size() ? card.classes[record.decided_class]
                                                    : std::to_string(record.decided_class);
}

// Of a multiclass model, the first class whose margin or probability has other bits.
std::optional<AuditDifference> compare_classes(const models::ModelCard& card,
                                               const stores::PredictionRecord& record,
                                               std::span<const float> margins,
                                               std::span<const float> scores) {
  if (record.class_scores.size() != card.classes.size())
    return difference(record, "scores", std::to_string(record.class_scores.size()) + " classes",
                      std::to_string(card.classes.size()) + " classes");
  for (std::size_t i = 0; i < card.classes.size(); ++i) {
    if (!same_bits(margins[i], record.class_margins[i]))
      return difference(record, "raw_score of '" + card.classes[i] + "'",
                        number(record.class_margins[i]), number(margins[i]));
    if (!same_bits(scores[i], record.class_scores[i]))
      return difference(record, "score of '" + card.classes[i] + "'",
                        number(record.class_scores[i]), number(scores[i]));
  }
  return std::nullopt;
}

std::optional<AuditDifference> compare_answer(const AuditedModel& audited,
                                              const stores::PredictionRecord& record,
                                              std::span<const float> margins,
                                              std::span<const float> scores) {
  const models::ModelCard& card = audited.served->card;
  if (auto found = compare_classes(card, record, margins, scores)) return found;
  const std::size_t decided = card.decided(scores);
  const float margin = margins[decided], score = scores[decided];
  if (!same_bits(margin, record.raw_score))
    return difference(record, "raw_score", number(record.raw_score), number(margin));
  if (!same_bits(score, record.score))
    return difference(record, "score", number(record.score), number(score));
  stores::PredictionRecord now = record;
  now.decision = card.decision(score);
  if (!card.classes.empty()) now.decided_class = static_cast<std::uint8_t>(decided);
  if (now.decision != record.decision || now.decided_class != record.decided_class)
    return difference(record, "decision", decision_text(card, record), decision_text(card, now));
  return std::nullopt;
}

}  // namespace

Result<std::vector<std::optional<AuditDifference>>> compare(
    const AuditedModel& audited, std::span<const stores::PredictionRecord> records,
    const data::Batch& inputs, std::span<const int> stale) {
  const auto& served = *audited.served;
  std::vector<float> matrix(records.size() * served.encoder.width());
  COEVAL_TRY(served.encoder.encode(inputs, matrix));
  const std::size_t outputs = served.card.outputs();
  std::vector<float> margins(records.size() * outputs), scores(records.size() * outputs);
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
      out[i] = compare_answer(audited, record, std::span(margins).subspan(i * outputs, outputs),
                              std::span(scores).subspan(i * outputs, outputs));
  }
  return out;
}

}  // namespace coeval::replay
