#include "model.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "data/json.h"
#include "data/row_codec.h"
#include "serving/scored_questions.h"
#include "stores/prediction_record.h"
#include "stores/record_names.h"

namespace coeval::sim {

namespace {

using stores::RecordKind;

// As the server answers features: an object, in input order.
std::string json_of_features(const data::Batch& features) {
  std::string text = "{";
  for (std::size_t i = 0; i < features.columns.size(); ++i) {
    if (i > 0) text += ',';
    data::append_json_string(text, features.schema.fields[i].name);
    text += ':';
    text += data::to_json(features.columns[i].value(0), features.columns[i].type()).dump();
  }
  return text + "}";
}

}  // namespace

Result<std::unique_ptr<Model>> Model::create(const Definition& definition, Random& random) {
  std::unique_ptr<Model> model(new Model(definition, random));
  COEVAL_TRY(model->begin_kernel());
  return model;
}

Status Model::begin_kernel() {
  COEVAL_ASSIGN(kernel_, kernel::Kernel::create(definition_.project, definition_.views));
  names_ = std::make_unique<kernel::EventIndexes>(*definition_.project);
  plan_ = serving::plan_model(kModel, definition_.model, *definition_.project, *kernel_);
  if (plan_.unusable) return std::unexpected(*plan_.unusable);
  return {};
}

Result<std::int64_t> Model::apply(int source, const data::Batch& rows,
                                  const std::vector<std::int64_t>& known_us) {
  COEVAL_TRY(kernel_->learn(source, rows, known_us));
  std::optional<kernel::Amendments> amendments;
  if (kernel::EventIndex* index = names_->of(source)) amendments = index->take(rows, known_us);
  COEVAL_ASSIGN(const kernel::EventBlock block,
                kernel_->prepare_events(source, rows, known_us, kernel::run_in_turn,
                                        amendments ? &*amendments : nullptr));
  for (std::int64_t row = 0; row < block.rows; ++row) kernel_->apply(block, row);
  return amendments ? amendments->counted.duplicates : 0;
}

Result<std::int64_t> Model::append_events(int source, const data::Batch& rows, std::int64_t count,
                                          std::int64_t known_us) {
  std::vector<std::int64_t> taken(static_cast<std::size_t>(count));
  std::iota(taken.begin(), taken.end(), 0);
  for (const std::int64_t row : taken)
    records_.push_back(
        {RecordKind::event, source, known_us, data::encode_row(rows, row), 0, std::string()});
  if (count == 0) return 0;
  return apply(source, data::take(rows, taken),
               std::vector<std::int64_t>(static_cast<std::size_t>(count), known_us));
}

void Model::append_prediction(std::int64_t known_us, std::int64_t at_us, std::string features) {
  records_.push_back(
      {RecordKind::prediction, -1, known_us, std::string(), at_us, std::move(features)});
}

std::int64_t Model::last_known_us() const {
  return records_.empty() ? INT64_MIN : records_.back().known_us;
}

void Model::acknowledge(std::size_t records) {
  acknowledged_ = std::max(acknowledged_, records);
  handed_ = std::max(handed_, acknowledged_);
}

void Model::commit() {
  std::size_t end = records_.size();
  while (end > acknowledged_ && records_[end - 1].kind != RecordKind::event) --end;
  acknowledge(end);
  hand_over();
}

Status Model::recover_to(std::size_t records) {
  const bool lost = std::exchange(lost_, false) || records < records_.size();
  records_.resize(records);
  acknowledged_ = handed_ = records;
  if (!lost) return {};
  COEVAL_TRY(begin_kernel());
  return fold(0, records);
}

// Feeds records in blocks of any length, which must make no difference. (semantics: A1 A5)
Status Model::fold(std::size_t from, std::size_t to) {
  while (from < to) {
    const Expected& first = records_[from];
    if (first.kind != RecordKind::event) {
      ++from;
      continue;
    }
    const auto& schema =
        definition_.project->sources[static_cast<std::size_t>(first.source)].schema;
    std::vector<data::ColumnBuilder> builders;
    for (const data::Field& field : schema.fields) builders.emplace_back(field.type);
    std::vector<std::int64_t> known_us;
    const std::uint64_t most = 1 + random_.below(200);
    for (; from < to && known_us.size() < most; ++from) {
      const Expected& next = records_[from];
      if (next.kind != RecordKind::event) continue;
      if (next.source != first.source) break;
      COEVAL_TRY(data::decode_row(next.payload, schema, builders));
      known_us.push_back(next.known_us);
    }
    data::Batch rows;
    rows.schema = schema;
    rows.rows = static_cast<std::int64_t>(known_us.size());
    for (data::ColumnBuilder& builder : builders) rows.columns.push_back(builder.finish());
    COEVAL_TRY(apply(first.source, rows, known_us));
  }
  return {};
}

void Model::lose(std::size_t position, std::int64_t known_us) {
  records_[position] = {RecordKind::lost, -1, known_us, {}, 0, {}};
  lost_ = true;
}

std::string Model::difference(const stores::Record& found, std::size_t position) const {
  if (position >= records_.size()) return "was never appended";
  const Expected& expected = records_[position];
  if (found.position.value != position)
    return "has position " + std::to_string(found.position.value);
  if (found.kind != expected.kind) return "is of another kind";
  if (found.known.us != expected.known_us)
    return "was known at " + format_time(expected.known_us) + " and not at " +
           format_time(found.known.us);
  if (expected.kind == RecordKind::event) {
    const auto& source = definition_.project->sources[static_cast<std::size_t>(expected.source)];
    if (found.source != stores::source_tag(source.name) ||
        found.schema_version != stores::schema_tag(source.schema))
      return "is of another source";
    return found.payload == expected.payload ? "" : "holds another event";
  }
  if (expected.kind == RecordKind::lost) return "";
  const auto prediction = stores::decode_prediction(found.payload);
  if (!prediction) return "is no prediction";
  if (prediction->position.value != position || prediction->at_us != expected.at_us)
    return "is a prediction of another moment";
  return prediction->features == expected.features ? "" : "is a prediction with other features";
}

bool Model::reaches(std::int64_t at_us) const {
  return std::ranges::all_of(plan_.views, [&](int view) { return kernel_->reaches(view, at_us); });
}

Result<Model::Answer> Model::ask(const std::string& key, std::int64_t at_us) {
  serving::QuestionBatch question;
  question.at_us = {at_us};
  question.rows.schema = plan_.question;
  question.rows.rows = 1;
  for (const data::Field& field : plan_.question.fields) {
    data::ColumnBuilder builder(field.type);
    field.type == data::Type::string ? builder.append_string(key) : builder.append_integer(at_us);
    question.rows.columns.push_back(builder.finish());
  }
  COEVAL_ASSIGN(const serving::ScoredQuestions scored,
                serving::score_questions(plan_, *kernel_, question, counts_));
  return Answer{data::encode_row(scored.features, 0), json_of_features(scored.features)};
}

}  // namespace coeval::sim
