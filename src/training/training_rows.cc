#include "training/training_rows.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "data/hash.h"
#include "training/dataset_reader.h"
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
            const std::vector<std::string>& columns, Visit visit) {
  COEVAL_ASSIGN(DatasetReader reader, DatasetReader::open(formats, path, columns));
  while (true) {
    COEVAL_ASSIGN(const data::Batch batch, reader.next());
    if (batch.rows == 0) return {};
    COEVAL_TRY(visit(batch));
  }
}

struct Survey {
  std::array<std::int64_t, kSplitParts> rows{};
  std::vector<std::set<std::string>> words;  // of the training rows, by input; empty for numbers
  std::vector<std::int64_t> texts;           // training rows with a text, by input; 0 for numbers
};

std::int64_t texts_in(const data::Column& column, const std::vector<SplitPart>& parts) {
  std::int64_t texts = 0;
  for (std::int64_t row = 0; row < column.size(); ++row)
    if (parts[static_cast<std::size_t>(row)] == SplitPart::train && !column.is_null(row)) ++texts;
  return texts;
}

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
  found.texts.resize(model.inputs.size());
  std::vector<std::string> columns = {kSplitColumn};
  for (const auto& input : model.inputs)
    if (input.categorical) columns.push_back(input.name);
  COEVAL_TRY(scan(formats, path, columns, [&](const data::Batch& batch) -> Status {
    const auto parts = parts_of(batch);
    for (const SplitPart part : parts) ++found.rows[static_cast<std::size_t>(part)];
    for (std::size_t i = 0; i < model.inputs.size(); ++i) {
      if (!model.inputs[i].categorical) continue;
      const data::Column& column = *batch.find(model.inputs[i].name);
      collect_words(column, parts, found.words[i]);
      found.texts[i] += texts_in(column, parts);
    }
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

constexpr std::array kParts = {SplitPart::train, SplitPart::validate, SplitPart::calibrate,
                               SplitPart::threshold, SplitPart::test};
constexpr std::size_t kMaxSliceWords = 100'000;
constexpr std::size_t kMaxStrangeLabels = 1'000;
/// From so many training rows on, a text that no two of them share is taken for a row's name.
constexpr std::int64_t kIdentifierRows = 100;

std::string text_of(const data::Column& column, std::int64_t row) {
  if (column.is_null(row)) return "null";
  if (column.type() == data::Type::string) return std::string(column.string(row));
  return data::to_text(column.value(row), column.type());
}

double number_of(const data::Column& column, std::int64_t row) {
  if (column.is_null(row)) return std::nan("");
  return data::is_float(column.type()) ? column.real(row)
                                       : std::stod(data::to_text(column.value(row), column.type()));
}

// Copies each encoded row to the next free place of its part.
class Placer {
 public:
  Placer(const define::Model& model, TrainingRows& rows)
      : rows_(rows), words_(model.training.slices.size()) {
    for (const SplitPart part : kParts)
      next_[static_cast<std::size_t>(part)] = rows.part(part).from;
    rows.at_us.resize(rows.rows());
    if (model.training.rolling.folds > 0) rows.known_us.resize(rows.rows());
    if (model.training.weight) rows.weights.resize(rows.rows());
    if (model.training.resampling.expr) rows.units.resize(rows.rows());
    for (const auto& slice : model.training.slices)
      rows.slices.push_back({slice.name, std::vector<std::int32_t>(rows.rows()), {}});
  }

  Status add(const define::Model& model, const data::Batch& batch) {
    data::Batch inputs;
    inputs.rows = batch.rows;
    for (const auto& input : model.inputs) {
      inputs.schema.fields.push_back({input.name, input.type, true});
      inputs.columns.push_back(*batch.find(input.name));
    }
    encoded_.resize(static_cast<std::size_t>(batch.rows) * rows_.width);
    COEVAL_TRY(rows_.encoder.encode(inputs, encoded_));
    place(model, batch);
    return check_words();
  }

  // Puts the columns that metrics read, which came batch by batch, in the order of the rows.
  // Errors: training_failed for labels that are none of the model's classes.
  Status finish(const define::Model& model) {
    COEVAL_TRY(model.kind == define::ModelKind::ranking ? check_grades(model)
                                                        : check_labels(model));
    if (pieces_.empty()) return {};
    COEVAL_ASSIGN(const data::Batch all, data::concatenate(pieces_));
    std::vector<std::int64_t> sources(rows_.rows());
    for (std::size_t from = 0; from < places_.size(); ++from)
      sources[places_[from]] = static_cast<std::int64_t>(from);
    rows_.metric_columns = data::take(all, sources);
    rows_.metric_columns.schema.fields = define::columns_of(model.metrics);
    return {};
  }

 private:
  // The columns of the rows of a batch that are in a part.
  void keep_columns(const std::vector<data::Field>& fields, const data::Batch& batch,
                    const std::vector<std::int64_t>& placed) {
    if (fields.empty()) return;
    data::Batch columns;
    columns.rows = std::ssize(placed);
    for (const data::Field& field : fields) {
      columns.schema.fields.push_back(field);
      columns.columns.push_back(data::take(*batch.find(metric_column(field.name)), placed));
    }
    pieces_.push_back(std::move(columns));
  }

  void place(const define::Model& model, const data::Batch& batch) {
    const auto parts = parts_of(batch);
    const data::Column& label = *batch.find(kLabelColumn);
    const data::Column& at = *batch.find(model.at_column);
    const data::Column* known = batch.find(kKnownColumn);
    const data::Column* weight = batch.find(kWeightColumn);
    const data::Column* unit = batch.find(kUnitColumn);
    std::vector<const data::Column*> slices;
    for (const auto& slice : model.training.slices)
      slices.push_back(batch.find(slice_column(slice)));
    const std::vector<data::Field> fields = define::columns_of(model.metrics);
    std::vector<std::int64_t> placed;
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      const SplitPart part = parts[static_cast<std::size_t>(row)];
      if (std::ranges::count(kParts, part) == 0) continue;
      const std::size_t to = next_[static_cast<std::size_t>(part)]++;
      if (!fields.empty()) {
        placed.push_back(row);
        places_.push_back(to);
      }
      const float* from = encoded_.data() + static_cast<std::size_t>(row) * rows_.width;
      std::copy_n(from, rows_.width, rows_.values.data() + to * rows_.width);
      place_label(model, label, row, to);
      rows_.at_us[to] = at.integer(row);
      if (known != nullptr) rows_.known_us[to] = known->integer(row);
      if (weight != nullptr) rows_.weights[to] = static_cast<float>(number_of(*weight, row));
      if (unit != nullptr)
        rows_.units[to] = static_cast<std::int64_t>(data::xxh3_64(text_of(*unit, row)));
      for (std::size_t i = 0; i < slices.size(); ++i)
        rows_.slices[i].codes[to] = word(i, text_of(*slices[i], row));
    }
    keep_columns(fields, batch, placed);
  }

  void place_label(const define::Model& model, const data::Column& label, std::int64_t row,
                   std::size_t to) {
    switch (model.kind) {
      case define::ModelKind::regression:
        rows_.labels.numbers[to] = label.real(row);
        return;
      case define::ModelKind::binary:
        rows_.labels.classes[to] = label.bit(row) ? 1 : 0;
        return;
      case define::ModelKind::ranking:
        place_grade(label.integer(row), to);
        return;
      case define::ModelKind::multiclass:
        break;
    }
    const auto found = std::ranges::find(model.classes, label.string(row));
    if (found != model.classes.end()) {
      rows_.labels.classes[to] = static_cast<std::uint8_t>(found - model.classes.begin());
      return;
    }
    ++strange_rows_;
    if (strange_labels_.size() < kMaxStrangeLabels)
      ++strange_labels_[std::string(label.string(row))];
  }

  void place_grade(std::int64_t grade, std::size_t to) {
    const bool known = grade >= 0 && grade <= define::kMaxGrade;
    if (known)
      rows_.labels.classes[to] = static_cast<std::uint8_t>(grade);
    else if (++strange_rows_ == 1)
      strange_grade_ = grade;
  }

  Status check_grades(const define::Model& model) const {
    if (strange_rows_ == 0) return {};
    return fail(Code::training_failed,
                "the label of model '" + model.name + "' is no grade in " +
                    std::to_string(strange_rows_) + " of " + std::to_string(rows_.rows()) +
                    " rows, first " + std::to_string(strange_grade_) + ": grades are from 0 to " +
                    std::to_string(define::kMaxGrade),
                "map the values to few grades: 0 is not relevant, and each next one gains twice "
                "as much");
  }

  // A text that is none of the classes: a class that was forgotten, or a value that was mistyped.
  Status check_labels(const define::Model& model) const {
    if (strange_labels_.empty()) return {};
    const auto most =
        std::ranges::max_element(strange_labels_, {}, [](const auto& each) { return each.second; });
    return fail(Code::training_failed,
                "the label of model '" + model.name + "' is none of its classes in " +
                    std::to_string(strange_rows_) + " of " + std::to_string(rows_.rows()) +
                    " rows, '" + most->first + "' in " + std::to_string(most->second) + " of them",
                "add it to `classes`, or make such labels null in `label`: null is no label");
  }

  std::int32_t word(std::size_t slice, std::string text) {
    const auto next = static_cast<std::int32_t>(words_[slice].size());
    const auto [place, fresh] = words_[slice].try_emplace(std::move(text), next);
    if (fresh) rows_.slices[slice].words.push_back(place->first);
    return place->second;
  }

  Status check_words() const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      if (words_[i].size() > kMaxSliceWords)
        return fail(Code::training_failed,
                    "slice '" + rows_.slices[i].name + "' has more than " +
                        std::to_string(kMaxSliceWords) + " values",
                    "slices are for few large groups of rows: write a condition instead");
    return {};
  }

  TrainingRows& rows_;
  std::vector<std::map<std::string, std::int32_t>> words_;
  std::array<std::size_t, kSplitParts> next_{};
  std::vector<float> encoded_;
  std::vector<data::Batch> pieces_;                     // of the columns that metrics read
  std::vector<std::size_t> places_;                     // of their rows
  std::map<std::string, std::int64_t> strange_labels_;  // the first of them
  std::int64_t strange_rows_ = 0, strange_grade_ = 0;
};

// Trainers refuse infinite values without saying where. What the test part has does not train.
Status check_finite(const define::Model& model, const TrainingRows& rows) {
  const std::size_t trains =
      rows.part(SplitPart::train).count + rows.part(SplitPart::validate).count;
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

// What a name of each row teaches holds for no other row, and every served row has an unseen one.
Status check_identifiers(const define::Model& model, const Survey& found) {
  for (std::size_t i = 0; i < model.inputs.size(); ++i) {
    if (found.texts[i] < kIdentifierRows || std::ssize(found.words[i]) < found.texts[i]) continue;
    return fail(Code::training_failed,
                "input '" + model.inputs[i].name + "' has another text in each of the " +
                    std::to_string(found.texts[i]) +
                    " training rows that have one: it names rows and says nothing of them",
                "leave it out of `inputs`, or make groups of it by an expression");
  }
  return {};
}

// A narrow window may well be empty for all training rows, and no tree asks for it then. Without
// any input that has a value there is nothing to learn from.
Status check_filled(const define::Model& model, TrainingRows& rows) {
  const TrainingRows::Range train = rows.part(SplitPart::train);
  for (std::size_t i = 0; i < rows.width && train.count > 0; ++i) {
    bool filled = false;
    for (std::size_t row = train.from; row < train.from + train.count && !filled; ++row)
      filled = !std::isnan(rows.values[row * rows.width + i]);
    if (!filled) rows.null_inputs.push_back(model.inputs[i].name);
  }
  if (rows.width == 0 || rows.null_inputs.size() < rows.width) return {};
  return fail(Code::training_failed,
              (rows.width == 1 ? "the only input, '" + rows.null_inputs.front() + "', is"
                               : "all " + std::to_string(rows.width) + " inputs, from '" +
                                     rows.null_inputs.front() + "' on, are") +
                  " null in all " + std::to_string(train.count) + " training rows",
              "see what they read: coeval dataset " + model.name +
                  " --out rows.csv writes the rows; are the views' keys those of the question?");
}

std::string shortest(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// The labels of a regression. Scores are float32, and so is what forests learn.
Status check_numbers(const define::Model& model, const TrainingRows& rows) {
  const auto& numbers = rows.labels.numbers;
  constexpr double kMost = std::numeric_limits<float>::max();
  const auto beyond =
      std::ranges::count_if(numbers, [](double label) { return !(std::abs(label) <= kMost); });
  if (beyond > 0)
    return fail(Code::training_failed,
                "the label of model '" + model.name + "' is beyond 3.4e38 in " +
                    std::to_string(beyond) + " of " + std::to_string(numbers.size()) +
                    " rows: a score is float32 and could not say it",
                "give the label another unit, or make such labels null");
  const TrainingRows::Range train = rows.part(SplitPart::train);
  const auto trained = std::span(numbers).subspan(numbers.empty() ? 0 : train.from,
                                                  numbers.empty() ? 0 : train.count);
  const bool constant = !trained.empty() && std::ranges::all_of(trained, [&](double label) {
    return label == trained.front();
  });
  if (constant)
    return fail(Code::training_failed,
                "the label of model '" + model.name + "' is " + shortest(trained.front()) +
                    " in all " + std::to_string(trained.size()) +
                    " training rows: there is nothing to learn",
                "check the label, or move train_until to a time in which it varies");
  return {};
}

// A class of which the trainer sees no row would be served with scores that mean nothing.
Status check_classes(const define::Model& model, const TrainingRows& rows) {
  const TrainingRows::Range train = rows.part(SplitPart::train);
  for (std::size_t i = 0; i < model.classes.size() && train.count > 0; ++i) {
    bool seen = false;
    for (std::size_t row = train.from; row < train.from + train.count && !seen; ++row)
      seen = rows.labels.classes[row] == i && (rows.weights.empty() || rows.weights[row] > 0);
    if (seen) continue;
    return fail(Code::training_failed,
                "class '" + model.classes[i] + "' of model '" + model.name + "' has none of the " +
                    std::to_string(train.count) + " training rows" +
                    (rows.weights.empty() ? "" : ", or none with a weight above 0") +
                    ": it cannot be learned",
                "take it out of `classes`, or move train_until to a time in which it occurs");
  }
  return {};
}

template <class T>
void reorder(std::vector<T>& values, const std::vector<std::size_t>& order) {
  if (values.empty()) return;
  std::vector<T> moved;
  moved.reserve(values.size());
  for (const std::size_t from : order) moved.push_back(values[from]);
  values = std::move(moved);
}

// The rows of each part by query, in the order in which queries begin; within a query as they are.
std::vector<std::size_t> order_by_query(const TrainingRows& rows) {
  std::vector<std::size_t> order;
  order.reserve(rows.rows());
  for (const SplitPart part : kParts) {
    const TrainingRows::Range range = rows.part(part);
    std::unordered_map<std::int64_t, std::size_t> begins;
    std::vector<std::pair<std::size_t, std::size_t>> keyed;
    for (std::size_t row = range.from; row < range.from + range.count; ++row)
      keyed.emplace_back(begins.try_emplace(rows.units[row], row).first->second, row);
    std::ranges::sort(keyed);
    for (const auto& [begin, row] : keyed) order.push_back(row);
  }
  return order;
}

Status group_queries(TrainingRows& rows) {
  const std::vector<std::size_t> order = order_by_query(rows);
  if (std::ranges::is_sorted(order)) return {};
  COEVAL_ASSIGN(SharedFloats values,
                SharedFloats::create("coeval rows", order.size() * rows.width));
  float* to = values.data();
  for (const std::size_t from : order) to = std::copy_n(rows.row(from), rows.width, to);
  rows.values = std::move(values);
  reorder(rows.labels.classes, order);
  reorder(rows.at_us, order);
  reorder(rows.known_us, order);
  reorder(rows.units, order);
  for (SliceColumn& slice : rows.slices) reorder(slice.codes, order);
  if (rows.metric_columns.columns.empty()) return {};
  const std::vector<data::Field> fields = rows.metric_columns.schema.fields;
  rows.metric_columns =
      data::take(rows.metric_columns, std::vector<std::int64_t>(order.begin(), order.end()));
  rows.metric_columns.schema.fields = fields;
  return {};
}

// Without two grades in some query there is no pair to learn from.
Status check_queries(const define::Model& model, const TrainingRows& rows) {
  if (model.kind != define::ModelKind::ranking) return {};
  const TrainingRows::Range steering = rows.part(SplitPart::validate);
  const auto grades = std::span(rows.labels.classes).subspan(steering.from, steering.count);
  if (model.early_stopping_rounds > 0 && steering.count > 0 &&
      std::ranges::all_of(grades, [](std::uint8_t grade) { return grade == 0; }))
    return fail(Code::training_failed,
                "none of the " + std::to_string(steering.count) + " validation rows of model '" +
                    model.name + "' is relevant, so early stopping has no NDCG to go by",
                "move validate_until, or leave early_stopping_rounds out");
  const TrainingRows::Range train = rows.part(SplitPart::train);
  std::size_t queries = 0;
  for (std::size_t row = train.from; row < train.from + train.count; ++row) {
    const bool begins = row == train.from || rows.units[row] != rows.units[row - 1];
    queries += begins ? 1 : 0;
    if (!begins && rows.labels.classes[row] != rows.labels.classes[row - 1]) return {};
  }
  if (train.count == 0) return {};
  return fail(Code::training_failed,
              "each of the " + std::to_string(queries) + " training queries of model '" +
                  model.name + "' has rows of one grade only: there is no order to learn",
              queries == train.count ? "each row is a query of its own: is `query` what rows share?"
                                     : "check the label, or move train_until");
}

Status check_weights(const TrainingRows& rows) {
  if (rows.weights.empty()) return {};
  const auto bad = std::ranges::count_if(
      rows.weights, [](float weight) { return !(weight >= 0) || std::isinf(weight); });
  if (bad > 0)
    return fail(Code::training_failed,
                std::to_string(bad) + " of " + std::to_string(rows.rows()) +
                    " rows have a weight that is null, negative or not finite",
                "weights are numbers from 0 on: coalesce(x, 1) replaces null");
  const TrainingRows::Range train = rows.part(SplitPart::train);
  const auto weights = std::span(rows.weights).subspan(train.from, train.count);
  if (std::ranges::all_of(weights, [](float weight) { return weight == 0; }))
    return fail(Code::training_failed, "all training rows have the weight 0",
                "give the rows that shall count a weight above 0");
  return {};
}

}  // namespace

TrainingRows::Range TrainingRows::part(SplitPart part) const {
  Range range;
  for (const SplitPart each : kParts) {
    range.count = static_cast<std::size_t>(counts[static_cast<std::size_t>(each)]);
    if (each == part) return range;
    range.from += range.count;
  }
  return {};
}

Result<TrainingRows> read_training_rows(const replay::OpenFormat& formats, const std::string& path,
                                        const define::Model& model,
                                        const models::Encoder* encoder) {
  COEVAL_ASSIGN(const Survey found, survey(formats, path, model));
  TrainingRows rows;
  if (encoder != nullptr) {
    rows.encoder = *encoder;
  } else {
    COEVAL_TRY(check_identifiers(model, found));
    COEVAL_ASSIGN(rows.encoder, models::Encoder::fit(model.inputs, words_as_rows(model, found)));
  }
  rows.width = rows.encoder.width();
  std::size_t all = 0;
  for (const SplitPart part : kParts) {
    const auto at = static_cast<std::size_t>(part);
    rows.counts[at] = found.rows[at];
    all += static_cast<std::size_t>(found.rows[at]);
  }
  COEVAL_ASSIGN(rows.values, SharedFloats::create("coeval rows", all * rows.width));
  rows.labels.kind = model.kind;
  rows.labels.resize(all);
  std::set<std::string> columns = {kSplitColumn, kLabelColumn, model.at_column};
  for (const auto& input : model.inputs) columns.insert(input.name);
  if (model.training.rolling.folds > 0) columns.insert(kKnownColumn);
  if (model.training.weight) columns.insert(kWeightColumn);
  if (model.training.resampling.expr) columns.insert(kUnitColumn);
  for (const auto& slice : model.training.slices) columns.insert(slice_column(slice));
  for (const auto& field : define::columns_of(model.metrics))
    columns.insert(metric_column(field.name));
  Placer placer(model, rows);
  COEVAL_TRY(scan(formats, path, {columns.begin(), columns.end()},
                  [&](const data::Batch& batch) { return placer.add(model, batch); }));
  COEVAL_TRY(placer.finish(model));
  if (model.kind == define::ModelKind::ranking) COEVAL_TRY(group_queries(rows));
  if (encoder == nullptr) {
    COEVAL_TRY(check_filled(model, rows));
    COEVAL_TRY(check_finite(model, rows));
    COEVAL_TRY(check_numbers(model, rows));
    COEVAL_TRY(check_classes(model, rows));
    COEVAL_TRY(check_queries(model, rows));
  }
  COEVAL_TRY(check_weights(rows));
  return rows;
}

}  // namespace coeval::training
