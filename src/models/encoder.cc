#include "models/encoder.h"

#include <algorithm>
#include <functional>
#include <limits>

#include "base/check.h"
#include "data/decimal.h"
#include "data/utf8.h"

namespace coeval::models {
namespace {

using data::Json;
using data::Type;

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();
/// Codes are float32, in which integers are exact below 2^24; the last one is for unseen strings.
constexpr std::size_t kMaxStrings = (1u << 24) - 1;

/// Where the cells of one column go: every `stride`-th float.
struct Target {
  float* first;
  std::size_t stride;
  float& operator[](std::int64_t row) const {
    return first[static_cast<std::size_t>(row) * stride];
  }
};

bool is_encodable(Type type) {
  return data::is_number(type) || type == Type::boolean || type == Type::string;
}

template <class Cell>
void write_cells(const data::Column& column, Target out, Cell cell) {
  for (std::int64_t row = 0; row < column.size(); ++row) {
    out[row] = column.is_null(row) ? kMissing : cell(row);
  }
}

template <class T>
void write_numbers(const data::Column& column, Target out) {
  const auto values = column.values<T>();
  write_cells(column, out, [&](std::int64_t row) {
    return static_cast<float>(values[static_cast<std::size_t>(row)]);  // the one rounding of V6
  });
}

void write_decimals(const data::Column& column, Target out) {
  const int scale = data::scale_of(column.type());
  write_cells(column, out, [&](std::int64_t row) {
    return data::decimal_to_float(column.integer(row), scale);  // the one rounding of V6
  });
}

/// A shared dictionary may be much longer than the batch: then it is not translated as a whole.
void write_coded(const Encoder::Column& by, const data::Column& column, Target out) {
  const data::Column& words = column.dictionary();
  if (words.size() > column.size()) {
    write_cells(column, out, [&](std::int64_t row) { return by.code(column.string(row)); });
    return;
  }
  std::vector<float> codes(static_cast<std::size_t>(words.size()));
  for (std::int64_t i = 0; i < words.size(); ++i) {
    codes[static_cast<std::size_t>(i)] = by.code(words.string(i));
  }
  write_cells(column, out,
              [&](std::int64_t row) { return codes[static_cast<std::size_t>(column.code(row))]; });
}

void write_column(const Encoder::Column& by, const data::Column& column, Target out) {
  switch (by.type) {
    case Type::boolean:
      return write_cells(column, out, [&](auto row) { return column.bit(row) ? 1.0f : 0.0f; });
    case Type::int32:
      return write_numbers<std::int32_t>(column, out);
    case Type::int64:
      return write_numbers<std::int64_t>(column, out);
    case Type::float32:
      return write_numbers<float>(column, out);
    case Type::float64:
      return write_numbers<double>(column, out);
    default:
      break;
  }
  if (data::is_decimal(by.type)) return write_decimals(column, out);
  if (column.is_coded()) return write_coded(by, column, out);
  write_cells(column, out, [&](std::int64_t row) { return by.code(column.string(row)); });
}

std::vector<std::string> distinct_words(const data::Column& column) {
  std::vector<std::string_view> words;
  std::vector<bool> seen(column.is_coded() ? static_cast<std::size_t>(column.dictionary().size())
                                           : 0);
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (column.is_coded()) {
      const auto code = static_cast<std::size_t>(column.code(row));
      if (seen[code]) continue;
      seen[code] = true;
    }
    words.push_back(column.string(row));
  }
  std::ranges::sort(words);
  const auto repeated = std::ranges::unique(words);
  return {words.begin(), repeated.begin()};
}

std::unexpected<Error> wrong_type(const std::string& name, Type declared, Type found) {
  return fail(Code::type_mismatch, "input '" + name + "' is " + std::string(data::name(declared)) +
                                       " in the model, but the column is " +
                                       std::string(data::name(found)));
}

Status check_column(const Encoder::Column& by, const data::Column& column) {
  if (column.type() != by.type) return wrong_type(by.name, by.type, column.type());
  return {};
}

Status check_count(std::size_t expected, const data::Batch& batch) {
  if (batch.columns.size() == expected) return {};
  return fail(Code::type_mismatch, "the model has " + std::to_string(expected) +
                                       " inputs, but there are " +
                                       std::to_string(batch.columns.size()) + " columns");
}

/// Text that is not UTF-8 would not survive encoder.json.
Status check_dictionary(const Encoder::Column& column) {
  if (column.dictionary.size() > kMaxStrings) {
    return fail(Code::unsupported,
                "input '" + column.name + "' has over 2^24 - 1 distinct strings");
  }
  for (const std::string& word : column.dictionary) {
    if (data::is_utf8(word)) continue;
    return fail(Code::type_mismatch, "input '" + column.name + "' holds text that is not UTF-8");
  }
  return {};
}

std::unexpected<Error> bad_encoder(const std::string& what) {
  return fail(Code::bad_json, "encoder: " + what);
}

Result<std::vector<std::string>> words_from_json(const Json& json, const std::string& name) {
  if (json.array() == nullptr) return bad_encoder("'dictionary' of '" + name + "' is not an array");
  std::vector<std::string> words;
  for (const Json& word : *json.array()) {
    if (word.string() == nullptr) return bad_encoder("a word of '" + name + "' is not a string");
    words.push_back(*word.string());
  }
  // Codes are places in the sorted dictionary, so another order is another model.
  if (std::ranges::adjacent_find(words, std::greater_equal{}) != words.end()) {
    return bad_encoder("'dictionary' of '" + name + "' is not sorted");
  }
  return words;
}

Result<Encoder::Column> column_from_json(const Json& json) {
  const Json* name = json.find("name");
  const Json* type = json.find("type");
  if (name == nullptr || name->string() == nullptr) return bad_encoder("a column without 'name'");
  if (type == nullptr || type->string() == nullptr) return bad_encoder("a column without 'type'");
  Encoder::Column column;
  column.name = *name->string();
  const auto parsed = data::parse_type(*type->string());
  if (!parsed || !is_encodable(*parsed)) {
    return bad_encoder("column '" + column.name + "' has type '" + *type->string() + "'");
  }
  column.type = *parsed;
  column.categorical = column.type == Type::string;
  if (!column.categorical) return column;
  const Json* dictionary = json.find("dictionary");
  if (dictionary == nullptr) return bad_encoder("column '" + column.name + "' has no 'dictionary'");
  COEVAL_ASSIGN(column.dictionary, words_from_json(*dictionary, column.name));
  return column;
}

Json column_to_json(const Encoder::Column& column) {
  Json json;
  json.set("name", column.name).set("type", data::name(column.type));
  if (!column.categorical) return json;
  Json::Array words;
  for (const std::string& word : column.dictionary) words.emplace_back(word);
  json.set("dictionary", std::move(words));
  return json;
}

}  // namespace

float Encoder::Column::code(std::string_view word) const {
  const auto place = std::ranges::lower_bound(
      dictionary, word, {}, [](const std::string& entry) { return std::string_view(entry); });
  const bool seen = place != dictionary.end() && *place == word;
  return static_cast<float>(seen ? static_cast<std::size_t>(place - dictionary.begin())
                                 : dictionary.size());
}

Result<Encoder> Encoder::fit(const data::Schema& inputs, const data::Batch& training) {
  COEVAL_TRY(check_count(inputs.fields.size(), training));
  Encoder encoder;
  for (std::size_t i = 0; i < inputs.fields.size(); ++i) {
    const data::Field& field = inputs.fields[i];
    if (!is_encodable(field.type)) {
      return fail(Code::unsupported,
                  "input '" + field.name + "' is a " + std::string(data::name(field.type)) +
                      ", which a model cannot read",
                  "use a number made from it, such as minute_of_day() or a difference in hours");
    }
    Column column{field.name, field.type, field.type == Type::string, {}};
    COEVAL_TRY(check_column(column, training.columns[i]));
    if (column.categorical) column.dictionary = distinct_words(training.columns[i]);
    COEVAL_TRY(check_dictionary(column));
    encoder.columns_.push_back(std::move(column));
  }
  return encoder;
}

Result<Encoder> Encoder::from_json(const Json& json) {
  const Json* columns = json.find("columns");
  if (columns == nullptr || columns->array() == nullptr) return bad_encoder("no array 'columns'");
  Encoder encoder;
  for (const Json& column : *columns->array()) {
    COEVAL_ASSIGN(Column read, column_from_json(column));
    encoder.columns_.push_back(std::move(read));
  }
  return encoder;
}

Json Encoder::to_json() const {
  Json::Array columns;
  for (const Column& column : columns_) columns.push_back(column_to_json(column));
  Json json;
  json.set("columns", std::move(columns));
  return json;
}

Status Encoder::encode(const data::Batch& inputs, std::span<float> out) const {
  COEVAL_TRY(check_count(width(), inputs));
  COEVAL_CHECK(out.size() == static_cast<std::size_t>(inputs.rows) * width());
  for (std::size_t i = 0; i < width(); ++i) {
    COEVAL_TRY(check_column(columns_[i], inputs.columns[i]));
    write_column(columns_[i], inputs.columns[i], {out.data() + i, width()});
  }
  return {};
}

}  // namespace coeval::models
