#include "quality/row_conditions.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "data/hash.h"
#include "define/build.h"
#include "quality/key_hash.h"

namespace coeval::quality {

namespace {

using data::Type;
using define::CheckKind;

// Places of a source's columns in the rows, −1 for those that are not there.
std::vector<int> places_of(const define::Source& source, std::span<const int> columns) {
  std::vector<int> places(source.columns.size(), -1);
  for (std::size_t i = 0; i < columns.size(); ++i)
    places[static_cast<std::size_t>(columns[i])] = static_cast<int>(i);
  return places;
}

// The columns by their places in the rows.
std::vector<int> placed(const std::vector<int>& columns, const std::vector<int>& places) {
  std::vector<int> out;
  for (const int column : columns) out.push_back(places[static_cast<std::size_t>(column)]);
  return out;
}

std::string key_text(const define::Source& source, const define::Check& check) {
  std::string text;
  for (const int key : check.keys)
    text +=
        (text.empty() ? " of one " : " and ") + source.columns[static_cast<std::size_t>(key)].name;
  return text;
}

std::string must_text(const define::Source& source, const define::Check& check) {
  if (check.kind == CheckKind::row) return "must hold: " + check.text;
  const std::string& column = source.columns[static_cast<std::size_t>(check.columns[0])].name;
  if (check.kind == CheckKind::refers)
    return column + " must be a value of " + check.text + " that was known before its row";
  return column +
         (check.strictly ? " must go up from row to row" : " must not go down from row to row") +
         key_text(source, check);
}

// A number in the order of the values: floats by their bits, of which −0 is 0's.
std::int64_t ordered(const data::Column& column, std::int64_t row) {
  if (!data::is_float(column.type())) return column.integer(row);
  const auto bits = std::bit_cast<std::int64_t>(column.real(row) + 0.0);
  return bits < 0 ? bits ^ std::numeric_limits<std::int64_t>::max() : bits;
}

// What a rule of order asks of a row: not where its value or its key is null or no number.
struct OrderedValue {
  bool is_asked = false;
  data::Hash128 key;
  std::int64_t value = 0;
};

OrderedValue ordered_value(const std::string& rule, const data::Batch& batch, int column,
                           const std::vector<int>& keys, std::int64_t row, std::string& key) {
  const data::Column& values = batch.columns[static_cast<std::size_t>(column)];
  const bool is_real = data::is_float(values.type());
  if (values.is_null(row) || (is_real && std::isnan(values.real(row)))) return {};
  key = rule + ' ';
  const bool has_key = std::ranges::all_of(keys, [&](int k) {
    return append_key(key, batch.columns[static_cast<std::size_t>(k)], row);
  });
  if (!has_key) return {};
  return {true, data::xxh3_128(key), ordered(values, row)};
}

}  // namespace

RowConditions::RowConditions(const define::Source& source, std::span<const int> columns,
                             std::vector<Rule>& rules) {
  const std::vector<int> places = places_of(source, columns);
  for (std::size_t c = 0; c < source.checks.size(); ++c) {
    const define::Check& check = source.checks[c];
    if (!define::is_row_check(check.kind)) continue;
    std::vector<int> read = placed(check.columns, places);
    const std::vector<int> keys = placed(check.keys, places);
    if (std::ranges::count(read, -1) + std::ranges::count(keys, -1) > 0) continue;
    const int column = read.empty() ? -1 : read[0];
    read.insert(read.end(), keys.begin(), keys.end());
    const int rule = static_cast<int>(rules.size());
    rules.push_back({-1, check.rule_name(), must_text(source, check), check.severity,
                     static_cast<int>(c), std::move(read)});
    if (check.kind == CheckKind::row)
      expressions_.push_back({define::renumber(check.expr, places), rule});
    else if (check.kind == CheckKind::refers)
      references_.push_back({check, column, rule});
    else
      orders_.push_back({check.name, column, keys, check.strictly,
                         check.severity == define::Severity::error, rule});
  }
}

void RowConditions::scan_expressions(const data::Batch& batch, Findings& findings) const {
  kernel::EvaluationCounts counts;
  for (const Expression& each : expressions_) {
    const data::Column holds = kernel::evaluate(*each.expr, batch, {}, counts);
    const auto* const bits = static_cast<const std::uint8_t*>(holds.values_data());
    for (std::int64_t row = 0; row < batch.rows; ++row) {
      if ((row & 7) == 0 && row + 8 <= batch.rows && bits[row >> 3] == 0xFF)
        row += 7;  // it holds for eight
      else if (!holds.bit(row) && !holds.is_null(row))
        findings.push_back({row, each.rule});
    }
  }
}

Status RowConditions::scan_references(const data::Batch& batch, const data::Column& times,
                                      const KnownKeys& known_keys, Findings& findings) const {
  const auto before = times.values<std::int64_t>();
  for (const Reference& each : references_) {
    const data::Column& keys = batch.columns[static_cast<std::size_t>(each.column)];
    std::vector<std::uint8_t> known(static_cast<std::size_t>(batch.rows), 0);
    COEVAL_TRY(known_keys(each.check, keys, before, known));
    for (std::int64_t row = 0; row < batch.rows; ++row)
      if (known[static_cast<std::size_t>(row)] == 0 && !keys.is_null(row) && !times.is_null(row))
        findings.push_back({row, each.rule});
  }
  return {};
}

void RowConditions::scan_increasing(const data::Batch& batch, LastValues& last_values,
                                    std::span<const std::uint8_t> bad, Findings& findings) const {
  std::vector<OrderedValue> values(orders_.size());
  std::string key;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    bool stays = bad[static_cast<std::size_t>(row)] == 0;
    for (std::size_t i = 0; i < orders_.size(); ++i) {
      const Order& order = orders_[i];
      values[i] = ordered_value(order.name, batch, order.column, order.keys, row, key);
      if (!values[i].is_asked) continue;
      if (last_values.may_follow(values[i].key, values[i].value, order.strictly)) continue;
      findings.push_back({row, order.rule});
      stays = stays && !order.keeps_out;
    }
    if (!stays) continue;
    for (const OrderedValue& value : values)
      if (value.is_asked) last_values.set(value.key, value.value);
  }
}

void RowConditions::follow(const data::Batch& batch, LastValues& last_values) const {
  std::string key;
  for (std::int64_t row = 0; row < batch.rows; ++row)
    for (const Order& order : orders_) {
      const OrderedValue value =
          ordered_value(order.name, batch, order.column, order.keys, row, key);
      if (value.is_asked) last_values.set(value.key, value.value);
    }
}

}  // namespace coeval::quality
