#include "training/training_rows.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "training/model_dataset.h"

namespace coeval::training {

namespace {

// Part of a row by the dataset's split column, read through its (tiny) dictionary or as text.
SplitPart part_of(const data::Column& split, std::int64_t row) {
  if (split.is_null(row)) return SplitPart::none;
  const std::string_view text = split.string(row);
  for (std::size_t part = 0; part < kSplitParts; ++part)
    if (text == name(static_cast<SplitPart>(part))) return static_cast<SplitPart>(part);
  return SplitPart::none;
}

// Calls visit(batch) for each batch of the columns named.
template <class Visit>
Status scan(const replay::OpenFormat& formats, const std::string& path,
            std::vector<std::string> columns, Visit visit) {
  COEVAL_ASSIGN(stores::TableFiles * files, formats(path));
  stores::ReadOptions options;
  options.columns = std::move(columns);
  COEVAL_ASSIGN(auto reader, files->open(path, options));
  while (true) {
    COEVAL_ASSIGN(const data::Batch batch, reader->next());
    if (batch.rows == 0) return {};
    COEVAL_TRY(visit(batch));
  }
}

struct Survey {
  std::array<std::int64_t, kSplitParts> rows{};
  std::vector<std::set<std::string>> words;  // by input; empty for numbers
};

// The strings of coded columns are looked up once per dictionary entry, not once per row.
void collect_words(const data::Column& column, const std::vector<SplitPart>& parts,
                   std::set<std::string>& words) {
  std::vector<bool> seen(column.is_coded() ? static_cast<std::size_t>(column.dictionary().size())
                                           : 0);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (parts[static_cast<std::size_t>(row)] != SplitPart::train || column.is_null(row)) continue;
    if (!column.is_coded()) {
      words.emplace(column.string(row));
    } else if (!seen[static_cast<std::size_t>(column.code(row))]) {
      seen[static_cast<std::size_t>(column.code(row))] = true;
      words.emplace(column.string(row));
    }
  }
}

std::vector<SplitPart> parts_of(const data::Batch& batch) {
  const data::Column& split = *batch.find(kSplitColumn);
  std::vector<SplitPart> parts(static_cast<std::size_t>(batch.rows));
  for (std::int64_t row = 0; row < batch.rows; ++row)
    parts[static_cast<std::size_t>(row)] = part_of(split, row);
  return parts;
}

Result<Survey> survey(const replay::OpenFormat& formats, const std::string& path,
                      const define::Model& model) {
  Survey found;
  found.words.resize(model.inputs.size());
  std::vector<std::string> columns = {kSplitColumn};
  for (const auto& input : model.inputs)
    if (input.categorical) columns.push_back(input.name);
  COEVAL_TRY(scan(formats, path, columns, [&](const data::Batch& batch) -> Status {
    const auto parts = parts_of(batch);
    for (const SplitPart part : parts) ++found.rows[static_cast<std::size_t>(part)];
    for (std::size_t i = 0; i < model.inputs.size(); ++i)
      if (model.inputs[i].categorical)
        collect_words(*batch.find(model.inputs[i].name), parts, found.words[i]);
    return {};
  }));
  return found;
}

// One row per distinct word: all that freezing dictionaries needs to see.
data::Batch words_as_rows(const define::Model& model, const Survey& found) {
  std::size_t rows = 0;
  for (const auto& words : found.words) rows = std::max(rows, words.size());
  data::Batch batch;
  batch.rows = static_cast<std::int64_t>(rows);
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    data::ColumnBuilder builder(model.inputs[i].type);
    if (model.inputs[i].categorical)
      for (const auto& word : found.words[i]) builder.append_string(word);
    while (builder.size() < batch.rows) builder.append_null();
    batch.schema.fields.push_back({model.inputs[i].name, model.inputs[i].type, true});
    batch.columns.push_back(builder.finish());
  }
  return batch;
}

// Copies each encoded row to the next free place of its part.
class Placer {
 public:
  explicit Placer(TrainingRows& rows)
      : rows_(rows), next_{0, 0, rows.train, rows.train + rows.validate, 0, 0} {}

  Status add(const define::Model& model, const data::Batch& batch) {
    data::Batch inputs;
    inputs.rows = batch.rows;
    for (const auto& input : model.inputs) {
      inputs.schema.fields.push_back({input.name, input.type, true});
      inputs.columns.push_back(*batch.find(input.name));
    }
    encoded_.resize(static_cast<std::size_t>(batch.rows) * rows_.width);
    COEVAL_TRY(rows_.encoder.encode(inputs, encoded_));
    const auto parts = parts_of(batch);
    const data::Column& label = *batch.find(kLabelColumn);
    for (std::int64_t row = 0; row < batch.rows; ++row)
      place(row, parts[static_cast<std::size_t>(row)], label.bit(row));
    return {};
  }

 private:
  void place(std::int64_t row, SplitPart part, bool label) {
    if (part == SplitPart::none || part == SplitPart::gap || part == SplitPart::stale) return;
    // next_ is indexed by SplitPart: none, train, validate, test, gap, stale.
    const auto to = static_cast<std::size_t>(next_[static_cast<std::size_t>(part)]++);
    const float* from = encoded_.data() + static_cast<std::size_t>(row) * rows_.width;
    std::copy_n(from, rows_.width, rows_.values.data() + to * rows_.width);
    rows_.labels[to] = label ? 1 : 0;
  }

  TrainingRows& rows_;
  std::array<std::int64_t, kSplitParts> next_;
  std::vector<float> encoded_;
};

// Trainers refuse infinite values without saying where. What the test part has does not train.
Status check_finite(const define::Model& model, const TrainingRows& rows) {
  const auto trains = static_cast<std::size_t>(rows.train + rows.validate);
  for (std::size_t i = 0; i < rows.width; ++i) {
    std::size_t infinite = 0;
    for (std::size_t row = 0; row < trains; ++row)
      infinite += std::isinf(rows.values[row * rows.width + i]) ? 1 : 0;
    if (infinite > 0)
      return fail(
          Code::training_failed,
          "input '" + model.inputs[i].name + "' is infinite in " + std::to_string(infinite) +
              " of " + std::to_string(trains) + " rows to train with",
          "clamp(x, -1e38, 1e38) bounds it, if(abs(x) > 1e38, null, x) takes it as missing; "
          "model inputs are float32, which ends at 3.4e38");
  }
  return {};
}

}  // namespace

Result<TrainingRows> read_training_rows(const replay::OpenFormat& formats, const std::string& path,
                                        const define::Model& model,
                                        const models::Encoder* encoder) {
  COEVAL_ASSIGN(const Survey found, survey(formats, path, model));
  TrainingRows rows;
  if (encoder != nullptr) {
    rows.encoder = *encoder;
  } else {
    COEVAL_ASSIGN(rows.encoder, models::Encoder::fit(model.inputs, words_as_rows(model, found)));
  }
  rows.width = rows.encoder.width();
  rows.train = found.rows[static_cast<std::size_t>(SplitPart::train)];
  rows.validate = found.rows[static_cast<std::size_t>(SplitPart::validate)];
  rows.test = found.rows[static_cast<std::size_t>(SplitPart::test)];
  const auto all = static_cast<std::size_t>(rows.train + rows.validate + rows.test);
  rows.values.resize(all * rows.width);
  rows.labels.resize(all);
  std::vector<std::string> columns = {kSplitColumn, kLabelColumn};
  for (const auto& input : model.inputs) columns.push_back(input.name);
  Placer placer(rows);
  COEVAL_TRY(scan(formats, path, columns,
                  [&](const data::Batch& batch) { return placer.add(model, batch); }));
  if (encoder == nullptr) COEVAL_TRY(check_finite(model, rows));
  return rows;
}

}  // namespace coeval::training
