#include "serving/event_rows.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "data/plain_json_row.h"
#include "data/utf8.h"
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

/// The text of the JSON value that `rest` begins with, as far as its marks tell: whoever parses it
/// finds out whether it is one. Moves `rest` behind it.
std::string_view take_value(std::string_view& rest) {
  const std::string_view from = rest;
  std::size_t at = 0, depth = 0;
  bool in_text = false;
  for (; at < rest.size(); ++at) {
    const char c = rest[at];
    if (in_text) {
      if (c == '\\') ++at;
      if (c == '"') in_text = false;
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) break;
      if (--depth == 0) {
        ++at;
        break;
      }
    } else if (depth == 0 && (c == ',' || kBlank.find(c) != std::string_view::npos)) {
      break;
    }
  }
  rest.remove_prefix(std::min(at, rest.size()));
  return from.substr(0, from.size() - rest.size());
}

class RowReader {
 public:
  RowReader(const define::Source& source, std::string_view body)
      : source_(source),
        extraction_(source),
        plain_(source.schema),
        may_be_plain_(extraction_.empty() && data::is_utf8(body)) {
    rows_.typed.schema = source.schema;
    for (const data::Field& field : source.schema.fields) builders_.emplace_back(field.type);
    values_.resize(builders_.size());
  }

  /// Takes a row that is plain, of `size` bytes if given, off the front of `rest`. False when it is
  /// not.
  bool add_plain(std::string_view& rest, std::optional<std::size_t> size = {}) {
    const std::string_view from = rest;
    if (!may_be_plain_ || !plain_.read(rest)) return false;
    if (size && from.size() - rest.size() != *size) return false;
    plain_.append_to(builders_);
    add_typed(rows_.rows++, from.substr(0, from.size() - rest.size()));
    return true;
  }

  /// `depth`: of arrays around it.
  Result<data::Json> parse(std::string_view text, int depth = 0) {
    data::JsonLimits limits;
    limits.max_depth -= depth;
    return parser_.parse(text, limits, 1, extraction_.texts());
  }

  void add(const data::Json& json, std::string_view raw) {
    const std::int64_t place = rows_.rows++;
    if (json.object() == nullptr) {
      rows_.bad.push_back({place,
                           std::string(raw),
                           {"row.type"},
                           "expected an object, found " + std::string(json.kind())});
      return;
    }
    read_members(json);
    for (std::size_t i = 0; i < builders_.size(); ++i) builders_[i].append(values_[i]);
    add_typed(place, raw);
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
  void add_typed(std::int64_t place, std::string_view raw) {
    rows_.places.push_back(place);
    rows_.raw.push_back(raw);
  }

  void read_members(const data::Json& json) {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      if (extraction_.holder_at(i) >= 0) continue;
      const data::Field& field = source_.schema.fields[i];
      const data::Json* member = json.find(field.name);
      values_[i] = {};
      if (member == nullptr && !field.nullable) {
        fault(i, ".null", " is missing, expected " + std::string(data::name(field.type)));
        extraction_.add_taken_out_of(field.name, row(), rows_.unreadable);
      }
      if (member == nullptr || member->is_null()) continue;  // the rules judge nulls
      auto value = data::from_json(*member, field.type);
      if (!value) {
        fault(i, ".type", ": " + value.error().message);
        if (member->array() == nullptr && member->object() == nullptr)
          rows_.unreadable.back().observed = *member;
        extraction_.add_taken_out_of(field.name, row(), rows_.unreadable);
        continue;
      }
      values_[i] = std::move(*value);
    }
    if (!extraction_.empty()) take_out();
  }

  void fault(std::size_t column, std::string_view rule, const std::string& reason) {
    const std::string& name = source_.schema.fields[column].name;
    rows_.unreadable.push_back(
        {row(), static_cast<int>(column), name + std::string(rule), name + reason});
  }
  /// The row that is being read, among the typed ones.
  std::int64_t row() const { return std::ssize(rows_.places); }

  // A null is left to the source's rules.
  void take_out() {
    std::vector<std::optional<std::string_view>> texts;
    for (const std::string& holder : extraction_.holders()) {
      const auto place = static_cast<std::size_t>(source_.schema.index_of(holder));
      const auto* text = std::get_if<std::string>(&values_[place]);
      texts.emplace_back();
      if (text != nullptr) texts.back() = *text;
    }
    for (const quality::JsonFault& found : extraction_.fill(texts, values_, parser_))
      extraction_.add_unreadable(found, row(), rows_.unreadable);
  }

  const define::Source& source_;
  EventRows rows_;
  std::vector<data::ColumnBuilder> builders_;
  std::vector<data::Value> values_;
  quality::JsonExtraction extraction_;
  data::JsonParser parser_;
  data::PlainJsonRow plain_;
  bool may_be_plain_;
};

void read_lines(std::string_view body, RowReader& reader) {
  while (!body.empty()) {
    const std::string_view line = take_line(body);
    if (line.empty()) continue;
    std::string_view rest = line;
    if (reader.add_plain(rest, line.size())) continue;
    auto json = reader.parse(line);
    if (json) {
      reader.add(*json, line);
    } else {
      reader.add_unreadable(line, json.error());
    }
  }
}

/// Reads the rows of an array one by one. False when the body is not JSON: whoever parses all of it
/// finds where.
bool read_array(std::string_view rest, RowReader& reader) {
  rest = trimmed(rest.substr(1));
  if (rest == "]") return true;
  for (;;) {
    if (!reader.add_plain(rest)) {
      const std::string_view text = take_value(rest);
      const auto json = reader.parse(text, 1);
      // What is in braces has an end, so that the rows behind it can be told.
      const bool is_closed = text.starts_with('{') && text.ends_with('}');
      if (!json && !is_closed) return false;
      if (json)
        reader.add(*json, text);
      else
        reader.add_unreadable(text, json.error());
    }
    rest = trimmed(rest);
    if (rest == "]") return true;
    if (!rest.starts_with(',')) return false;
    rest = trimmed(rest.substr(1));
  }
}

}  // namespace

Result<EventRows> read_event_rows(std::string_view body, const define::Source& source, bool lines) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (body.starts_with(kByteOrderMark)) body.remove_prefix(kByteOrderMark.size());
  RowReader reader(source, body);
  if (lines || is_ndjson(body)) {
    read_lines(body, reader);
    return reader.finish();
  }
  const std::string_view text = trimmed(body);
  std::string_view rest = text;
  if (text.starts_with('[') && read_array(text, reader)) return reader.finish();
  if (text.starts_with('{') && reader.add_plain(rest, text.size())) {
    EventRows rows = reader.finish();
    rows.single = true;
    return rows;
  }
  const auto json = reader.parse(body);
  // What is JSON, with a number that nothing here can hold, is a bad row as it is among others.
  const bool is_row = text.starts_with('{') && text.ends_with('}');
  if (!json && !(is_row && json.error().code == Code::out_of_range))
    return std::unexpected(json.error());
  if (!json) {
    reader.add_unreadable(text, json.error());
  } else if (json->object() == nullptr) {
    return fail(Code::bad_json,
                "expected an object or an array of objects, found " + std::string(json->kind()),
                "send one event, an array of events, or one event a line");
  } else {
    reader.add(*json, text);
  }
  EventRows rows = reader.finish();
  rows.single = true;
  return rows;
}

}  // namespace coeval::serving
