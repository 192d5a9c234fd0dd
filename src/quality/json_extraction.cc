#include "quality/json_extraction.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "data/utf8.h"

namespace coeval::quality {

namespace {

std::vector<int> all_columns(const define::Source& source) {
  std::vector<int> all(source.columns.size());
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace

JsonExtraction::JsonExtraction(const define::Source& source)
    : JsonExtraction(source, all_columns(source)) {}

JsonExtraction::JsonExtraction(const define::Source& source, std::span<const int> columns) {
  for (std::size_t place = 0; place < columns.size(); ++place) {
    const auto& column = source.columns[static_cast<std::size_t>(columns[place])];
    const bool decimal = data::is_decimal(column.type);
    if (!column.json) {
      decimals_ = decimals_ || decimal;
      continue;
    }
    auto holder = static_cast<std::size_t>(holder_of(column.json->column));
    if (holder_of(column.json->column) < 0) {
      holder = holders_.size();
      holders_.push_back(column.json->column);
      reads_decimals_.push_back(false);
    }
    if (decimal) reads_decimals_[holder] = true;
    parts_.push_back({place, holder, column.name, column.type, *column.json});
  }
}

int JsonExtraction::holder_of(std::string_view column) const {
  const auto found = std::ranges::find(holders_, column);
  return found == holders_.end() ? -1 : static_cast<int>(found - holders_.begin());
}

int JsonExtraction::holder_at(std::size_t place) const {
  const auto found = std::ranges::find(parts_, place, &Part::place);
  return found == parts_.end() ? -1 : static_cast<int>(found->holder);
}

std::vector<JsonFault> JsonExtraction::fill(std::span<const std::optional<std::string_view>> texts,
                                            std::span<data::Value> row,
                                            data::JsonParser& parser) const {
  std::vector<JsonFault> faults;
  for (const Part& part : parts_) row[part.place] = {};
  for (std::size_t holder = 0; holder < holders_.size(); ++holder)
    if (texts[holder]) fill_from(holder, *texts[holder], row, parser, faults);
  return faults;
}

void JsonExtraction::fill_from(std::size_t holder, std::string_view text,
                               std::span<data::Value> row, data::JsonParser& parser,
                               std::vector<JsonFault>& faults) const {
  const auto json =
      parser.parse(text, {.max_bytes = kMaxTextBytes}, 1, {.numbers = reads_decimals_[holder]});
  if (!json && !data::is_utf8(text)) {  // its own rule says so
    faults.push_back({holders_[holder], "utf8", holders_[holder] + " is not UTF-8"});
    return;
  }
  if (!json) {
    faults.push_back({holders_[holder], "json", holders_[holder] + ": " + json.error().message});
    return;
  }
  for (const Part& part : parts_) {
    if (part.holder != holder) continue;
    const auto found = data::find_json(*json, part.path);
    if (!found) {
      faults.push_back({part.name, "type", part.name + ": " + found.error().message});
      continue;
    }
    if (*found == nullptr) continue;
    auto value = data::from_json(**found, part.type);
    if (value)
      row[part.place] = std::move(*value);
    else
      faults.push_back(
          {part.name, "type", part.name + ": " + part.path.text() + ": " + value.error().message});
  }
}

void JsonExtraction::add_unreadable(const JsonFault& fault, std::int64_t row,
                                    std::vector<UnreadableValue>& unreadable) const {
  if (fault.rule == "utf8") return add_taken_out_of(fault.column, row, unreadable);
  std::string rule = fault.column + "." + fault.rule;
  for (const Part& part : parts_) {
    if ((fault.rule == "json" ? holders_[part.holder] : part.name) != fault.column) continue;
    unreadable.push_back({row, static_cast<int>(part.place), {}, {}});
    if (rule.empty()) continue;  // of those of one text the first says why
    unreadable.back().rule = std::exchange(rule, {});
    unreadable.back().reason = fault.reason;
  }
}

void JsonExtraction::add_taken_out_of(std::string_view column, std::int64_t row,
                                      std::vector<UnreadableValue>& unreadable) const {
  for (const Part& part : parts_)
    if (holders_[part.holder] == column)
      unreadable.push_back({row, static_cast<int>(part.place), {}, {}});
}

void JsonExtraction::fill(data::Batch& batch, std::vector<UnreadableValue>& unreadable) const {
  std::vector<const data::Column*> texts;
  for (const auto& holder : holders_) {
    texts.push_back(batch.find(holder));
    COEVAL_CHECK(texts.back() != nullptr);
  }
  std::vector<data::ColumnBuilder> builders;
  for (const Part& part : parts_) builders.emplace_back(part.type);
  std::vector<data::Value> row(batch.schema.fields.size());
  std::vector<std::optional<std::string_view>> row_texts(holders_.size());
  data::JsonParser parser;
  for (std::int64_t i = 0; i < batch.rows; ++i) {
    for (std::size_t holder = 0; holder < texts.size(); ++holder) {
      row_texts[holder].reset();
      if (!texts[holder]->is_null(i)) row_texts[holder] = texts[holder]->string(i);
    }
    for (const JsonFault& fault : fill(row_texts, row, parser))
      add_unreadable(fault, i, unreadable);
    for (std::size_t part = 0; part < parts_.size(); ++part)
      builders[part].append(row[parts_[part].place]);
  }
  for (std::size_t part = 0; part < parts_.size(); ++part)
    batch.columns[parts_[part].place] = builders[part].finish();
}

}  // namespace coeval::quality
