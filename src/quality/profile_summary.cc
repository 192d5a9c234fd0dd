#include "quality/profile_summary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

namespace coeval::quality {

namespace {

using data::Json;

constexpr std::string_view kLevels[] = {"characters", "runs", "classes"};

std::string short_number(double value) {
  std::array<char, 40> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 6);
  return {text.data(), end.ptr};
}

Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json json_of(const std::vector<ProfileBin>& bins) {
  Json array = Json::Array();
  for (const ProfileBin& bin : bins) {
    Json one;
    one.set("from", bin.from).set("to", bin.to).set("count", bin.count);
    array.push(std::move(one));
  }
  return array;
}

Json json_of(const std::vector<ProfileQuantile>& quantiles) {
  Json array = Json::Array();
  for (const ProfileQuantile& quantile : quantiles) {
    Json one;
    one.set("p", quantile.p).set("value", quantile.value).set("error", quantile.error);
    array.push(std::move(one));
  }
  return array;
}

Json json_of(const TextSummary& text) {
  Json patterns = Json::Array();
  for (const ProfilePattern& pattern : text.patterns) {
    Json one;
    one.set("shape", pattern.shape).set("count", pattern.count);
    patterns.push(std::move(one));
  }
  Json json;
  json.set("empty", text.empty)
      .set("min_length", text.min_length)
      .set("max_length", text.max_length)
      .set("mean_length", text.mean_length)
      .set("lengths", json_of(text.lengths))
      .set("pattern_level", kLevels[static_cast<std::size_t>(text.level)])
      .set("patterns_distinct", text.patterns_distinct)
      .set("patterns", std::move(patterns));
  return json;
}

void set_numbers(Json& json, const ColumnSummary& column, data::Type type) {
  json.set("zeros", column.zeros)
      .set("negatives", column.negatives)
      .set("min", data::to_json(column.min, type))
      .set("max", data::to_json(column.max, type))
      .set("mean", json_of(column.mean))
      .set("std", json_of(column.deviation))
      .set("sum", json_of(column.sum))
      .set("quantiles", json_of(column.quantiles))
      .set("quantiles_exact", column.quantiles_exact)
      .set("histogram", json_of(column.histogram));
}

// What the numbers of a column are: its own values, or how long its lists are.
data::Type number_type(data::Type type) { return data::is_list(type) ? data::Type::int64 : type; }

std::string share(std::int64_t part, std::int64_t all) {
  if (all == 0) return "";
  return " (" + short_number(100.0 * static_cast<double>(part) / static_cast<double>(all)) + " %)";
}

void add_bars(std::string& out, const std::vector<ProfileBin>& bins) {
  constexpr std::string_view kBars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::int64_t most = 1;
  for (const ProfileBin& bin : bins) most = std::max(most, bin.count);
  for (const ProfileBin& bin : bins) {
    const double part = static_cast<double>(bin.count) / static_cast<double>(most);
    out += kBars[static_cast<std::size_t>(std::ceil(part * 8))];
  }
}

void add_numbers(std::string& out, const ColumnSummary& column, const std::string& indent) {
  const data::Type type = number_type(column.type);
  if (data::is_null(column.min)) return;
  out += indent + (data::is_list(column.type) ? "lengths " : "range ") +
         data::to_text(column.min, type) + " to " + data::to_text(column.max, type);
  if (column.mean) out += ", mean " + number_text(*column.mean, type);
  if (column.deviation) out += ", std " + deviation_text(*column.deviation, type);
  if (column.zeros > 0) out += ", zero " + std::to_string(column.zeros);
  if (column.negatives > 0) out += ", negative " + std::to_string(column.negatives);
  out += "\n" + indent + (column.quantiles_exact ? "quantiles" : "quantiles (approximate)");
  for (const ProfileQuantile& quantile : column.quantiles)
    out += "  " + short_number(quantile.p) + ": " + number_text(quantile.value, type);
  out += "\n" + indent + "histogram |";
  add_bars(out, column.histogram);
  out += "|\n";
}

void add_text(std::string& out, const TextSummary& text, const std::string& indent) {
  out += indent + "lengths " + std::to_string(text.min_length) + " to " +
         std::to_string(text.max_length) + ", mean " + short_number(text.mean_length);
  if (text.empty > 0) out += ", empty " + std::to_string(text.empty);
  out += "\n" + indent + "patterns";
  for (std::size_t i = 0; i < text.patterns.size() && i < 5; ++i)
    out += "  '" + text.patterns[i].shape + "' " + std::to_string(text.patterns[i].count);
  out += "\n";
}

void add_column(std::string& out, const ColumnSummary& column, const std::string& indent) {
  out += indent.substr(2) + column.name + " (" + data::name(column.type) +
         "): " + std::to_string(column.rows) + " rows";
  const std::pair<std::string_view, std::int64_t> apart[] = {
      {"null", column.nulls},
      {"NaN", column.nans},
      {"+infinity", column.plus_infinities},
      {"-infinity", column.minus_infinities}};
  for (const auto& [what, count] : apart)
    if (count > 0)
      out += ", " + std::to_string(count) + " " + std::string(what) + share(count, column.rows);
  if (!data::is_list(column.type))
    out += std::string(", ") + (column.distinct_exact ? "" : "about ") +
           std::to_string(column.distinct) + " distinct";
  out += "\n";
  add_numbers(out, column, indent);
  if (column.text) add_text(out, *column.text, indent);
  if (!column.top_values.empty()) {
    out += indent + "most frequent";
    for (std::size_t i = 0; i < column.top_values.size() && i < 5; ++i)
      out += "  " + data::to_text(column.top_values[i].value, column.type) + " " +
             std::to_string(column.top_values[i].count);
    out += "\n";
  }
  for (const ColumnSummary& element : column.elements) add_column(out, element, indent + "  ");
}

}  // namespace

data::Json to_json(const ColumnSummary& column) {
  Json json;
  json.set("name", column.name)
      .set("type", data::name(column.type))
      .set("rows", column.rows)
      .set("nulls", column.nulls);
  if (data::is_float(column.type))
    json.set("nans", column.nans)
        .set("plus_infinities", column.plus_infinities)
        .set("minus_infinities", column.minus_infinities);
  if (column.text)
    json.set("text", json_of(*column.text));
  else
    set_numbers(json, column, number_type(column.type));
  if (!data::is_list(column.type)) {
    Json top = Json::Array();
    for (const ProfileValue& value : column.top_values) {
      Json one;
      one.set("value", data::to_json(value.value, column.type)).set("count", value.count);
      top.push(std::move(one));
    }
    json.set("distinct", column.distinct)
        .set("distinct_exact", column.distinct_exact)
        .set("top_values", std::move(top));
  }
  for (const ColumnSummary& element : column.elements) json.set("elements", to_json(element));
  return json;
}

data::Json to_json(const ProfileSummary& summary) {
  Json columns = Json::Array();
  for (const ColumnSummary& column : summary.columns) columns.push(to_json(column));
  Json json;
  json.set("rows", summary.rows).set("columns", std::move(columns));
  return json;
}

std::string number_text(double value, data::Type type) {
  const bool calendar = type == data::Type::timestamp || type == data::Type::date;
  if (calendar && std::abs(value) < 1e18)
    return data::to_text(static_cast<std::int64_t>(std::floor(value)), type);
  return short_number(value);
}

std::string to_text(const ProfileSummary& summary) {
  std::string out = std::to_string(summary.rows) + " rows, " +
                    std::to_string(summary.columns.size()) + " columns\n";
  for (const ColumnSummary& column : summary.columns) add_column(out, column, "  ");
  return out;
}

ColumnSummary without_values(ColumnSummary summary) {
  summary.min = summary.max = data::Value{};
  summary.mean = summary.deviation = summary.sum = std::nullopt;
  summary.quantiles.clear();
  summary.histogram.clear();
  summary.top_values.clear();
  if (summary.text) summary.text->patterns.clear();
  summary.elements.clear();
  return summary;
}

std::string deviation_text(double deviation, data::Type type) {
  if (type == data::Type::timestamp) return short_number(deviation / 1e6) + " s";
  return short_number(deviation) + (type == data::Type::date ? " d" : "");
}

}  // namespace coeval::quality
