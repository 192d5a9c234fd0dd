#include "serving/event_rows.h"

#include <optional>
#include <utility>

#include "quality/json_extraction.h"

namespace coeval::serving {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Cuts the next line off `rest`.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return trimmed(line);
}

/// NDJSON is told from one object laid out over lines by its first line being a whole object.
bool is_ndjson(std::string_view body) {
  std::string_view rest = body;
  const std::string_view first = take_line(rest);
  return first.starts_with('{') && first.ends_with('}') && !trimmed(rest).empty();
}

class RowReader {
 public:
  explicit RowReader(const define::Source& source) : source_(source), extraction_(source) {
    rows_.typed.schema = source.schema;
    for (const data::Field& field : source.schema.fields) builders_.emplace_back(field.type);
    values_.resize(builders_.size());
  }

  Result<data::Json> parse(std::string_view text) const {
    return data::parse_json(text, {}, extraction_.texts());
  }

  void add(const data::Json& json, std::string raw) {
    const std::int64_t place = rows_.rows++;
    BadEventRow bad{place, {}, {}, {}};
    if (json.object() == nullptr) {
      fault(bad, "row.type", "expected an object, found " + std::string(json.kind()));
    } else {
      read_members(json, bad);
    }
    if (!bad.rules.empty()) {
      bad.raw = std::move(raw);
      rows_.bad.push_back(std::move(bad));
      return;
    }
    for (std::size_t i = 0; i < builders_.size(); ++i) builders_[i].append(values_[i]);
    rows_.places.push_back(place);
    rows_.raw.push_back(std::move(raw));
  }

  void add_unreadable(std::string_view raw, const Error& error) {
    rows_.bad.push_back({rows_.rows++, std::string(raw), {"row.json"}, error.message});
  }

  EventRows finish() {
    for (data::ColumnBuilder& builder : builders_) rows_.typed.columns.push_back(builder.finish());
    rows_.typed.rows = static_cast<std::int64_t>(rows_.places.size());
    return std::move(rows_);
  }

 private:
  static void fault(BadEventRow& bad, std::string rule, const std::string& reason) {
    bad.rules.push_back(std::move(rule));
    if (!bad.reason.empty()) bad.reason += "; ";
    bad.reason += reason;
  }

  void read_members(const data::Json& json, BadEventRow& bad) {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (extraction_.holder_at(i) >= 0) continue;
      const data::Field& field = source_.schema.fields[i];
      const std::string expected = std::string(data::name(field.type));
      const data::Json* member = json.find(field.name);
      if (member == nullptr || member->is_null()) {
        values_[i] = {};
        if (field.nullable) continue;
        fault(bad, field.name + ".null",
              field.name + (member == nullptr ? " is missing, expected " : " is null, expected ") +
                  expected);
        continue;
      }
      auto value = data::from_json(*member, field.type);
      if (value) {
        values_[i] = std::move(*value);
      } else {
        values_[i] = {};
        fault(bad, field.name + ".type", field.name + ": " + value.error().message);
      }
    }
    if (!extraction_.empty()) take_out(bad);
  }

  // A null is left to the source's rules.
  void take_out(BadEventRow& bad) {
    std::vector<std::optional<std::string_view>> texts;
    for (const std::string& holder : extraction_.holders()) {
      const auto place = static_cast<std::size_t>(source_.schema.index_of(holder));
      const auto* text = std::get_if<std::string>(&values_[place]);
      texts.emplace_back();
      if (text != nullptr) texts.back() = *text;
    }
    for (const quality::JsonFault& found : extraction_.fill(texts, values_, parser_))
      fault(bad, found.column + "." + found.rule, found.reason);
  }

  const define::Source& source_;
  EventRows rows_;
  std::vector<data::ColumnBuilder> builders_;
  std::vector<data::Value> values_;
  quality::JsonExtraction extraction_;
  data::JsonParser parser_;
};

void read_lines(std::string_view body, RowReader& reader) {
  while (!body.empty()) {
    const std::string_view line = take_line(body);
    if (line.empty()) continue;
    auto json = reader.parse(line);
    if (json) {
      reader.add(*json, std::string(line));
    } else {
      reader.add_unreadable(line, json.error());
    }
  }
}

}  // namespace

Result<EventRows> read_event_rows(std::string_view body, const define::Source& source) {
  RowReader reader(source);
  if (is_ndjson(body)) {
    read_lines(body, reader);
    return reader.finish();
  }
  COEVAL_ASSIGN(const data::Json json, reader.parse(body));
  if (const data::Json::Array* rows = json.array()) {
    for (const data::Json& row : *rows) reader.add(row, row.dump());
    return reader.finish();
  }
  if (json.object() == nullptr) {
    return fail(Code::bad_json,
                "expected an object or an array of objects, found " + std::string(json.kind()),
                "send one event, an array of events, or one event a line");
  }
  reader.add(json, std::string(trimmed(body)));
  EventRows rows = reader.finish();
  rows.single = true;
  return rows;
}

}  // namespace coeval::serving
