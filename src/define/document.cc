#include "define/document.h"

#include <toml++/toml.h>
#include <algorithm>
#include <utility>
#include <vector>

#include "base/time.h"
#include "define/nesting.h"

namespace coeval::define {

namespace {

using Kind = TomlValue::Kind;

// The file's lines, to find out whether a string stands in it without escapes.
class Lines {
 public:
  explicit Lines(const std::string& text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') starts_.push_back(i + 1);
  }

  // The bytes from a place on; columns count code points.
  std::string_view from(const SourcePosition& place) const {
    if (place.line < 1 || static_cast<std::size_t>(place.line) > starts_.size()) return {};
    if (place.line != last_.line || place.column < last_.column)
      last_ = {place.line, 1, starts_[static_cast<std::size_t>(place.line) - 1]};
    auto& [line, column, offset] = last_;
    for (; column < place.column && offset < text_.size(); ++column) {
      ++offset;
      while (offset < text_.size() && (static_cast<unsigned char>(text_[offset]) & 0xC0U) == 0x80U)
        ++offset;
    }
    return std::string_view(text_).substr(std::min(offset, text_.size()));
  }

 private:
  // Values come in the order of the file, so a long line is walked once.
  struct Place {
    int line = 0, column = 1;
    std::size_t offset = 0;
  };
  const std::string& text_;
  std::vector<std::size_t> starts_;
  mutable Place last_;
};

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// Where the string's first character stands, if the file spells it without escapes.
std::optional<SourcePosition> unescaped_position(const Lines& lines, const SourcePosition& quote,
                                                 std::string_view value) {
  std::string_view rest = lines.from(quote);
  SourcePosition first = quote;
  const bool multi_line = take_prefix(rest, "\"\"\"") || take_prefix(rest, "'''");
  if (!multi_line && !take_prefix(rest, "\"") && !take_prefix(rest, "'")) return std::nullopt;
  first.column += multi_line ? 3 : 1;
  if (multi_line && (take_prefix(rest, "\r\n") || take_prefix(rest, "\n"))) {
    ++first.line;
    first.column = 1;
  }
  if (!take_prefix(rest, value) || rest.empty()) return std::nullopt;
  return rest.front() == '"' || rest.front() == '\'' ? std::optional(first) : std::nullopt;
}

class Converter {
 public:
  Converter(const std::string& text, const std::string& file, Diagnostics& errors)
      : lines_(text), file_(file), errors_(errors) {}

  TomlValue convert(const toml::node& node) {
    TomlValue out;
    out.position = position(node.source());
    node.visit([&](const auto& value) { fill(out, value); });
    return out;
  }

 private:
  SourcePosition position(const toml::source_region& region) const {
    SourcePosition place{file_, static_cast<int>(region.begin.line),
                         static_cast<int>(region.begin.column), 1};
    if (region.end.line == region.begin.line && region.end.column > region.begin.column)
      place.length = static_cast<int>(region.end.column - region.begin.column);
    return place;
  }

  void fill(TomlValue& out, const toml::table& table) {
    out.kind = Kind::table;
    // In the order of the file, which is not the table's.
    std::vector<std::pair<const toml::key*, const toml::node*>> entries;
    for (const auto& [key, node] : table) entries.emplace_back(&key, &node);
    std::ranges::sort(entries, {}, [](const auto& entry) {
      const toml::source_position& begin = entry.second->source().begin;
      return std::pair(begin.line, begin.column);
    });
    for (const auto& [key, node] : entries)
      out.entries.push_back({std::string(key->str()), position(key->source()), convert(*node)});
    std::sort(out.entries.begin(), out.entries.end(),
              [](const TomlEntry& a, const TomlEntry& b) { return a.key < b.key; });
  }
  void fill(TomlValue& out, const toml::array& array) {
    out.kind = Kind::array;
    for (const auto& node : array) out.items.push_back(convert(node));
  }
  void fill(TomlValue& out, const toml::value<std::string>& value) {
    out.kind = Kind::string;
    out.text = value.get();
    out.text_position = unescaped_position(lines_, out.position, out.text);
  }
  void fill(TomlValue& out, const toml::value<std::int64_t>& value) {
    out.kind = Kind::integer;
    out.integer = value.get();
  }
  void fill(TomlValue& out, const toml::value<double>& value) {
    out.kind = Kind::real;
    out.real = value.get();
  }
  void fill(TomlValue& out, const toml::value<bool>& value) {
    out.kind = Kind::boolean;
    out.boolean = value.get();
  }
  void fill(TomlValue& out, const toml::value<toml::date>& value) {
    out.kind = Kind::moment;
    out.whole_day = true;
    out.integer = day_us(value.get());
  }
  void fill(TomlValue& out, const toml::value<toml::date_time>& value) {
    const toml::date_time& moment = value.get();
    if (moment.time.nanosecond % 1000 != 0)
      errors_.report(Code::bad_toml_value, out.position, "a time finer than a microsecond",
                     "write at most six digits after the second");
    out.kind = Kind::moment;
    out.integer = day_us(moment.date) + moment.time.hour * kHourUs +
                  moment.time.minute * kMinuteUs + moment.time.second * kSecondUs +
                  moment.time.nanosecond / 1000;
    if (moment.offset) out.integer -= moment.offset->minutes * kMinuteUs;
  }
  void fill(TomlValue& out, const toml::value<toml::time>&) {
    out.kind = Kind::other;
    out.text = "a time of day";
  }

  static std::int64_t day_us(const toml::date& date) {
    return civil_to_us(date.year, date.month, date.day);
  }

  Lines lines_;
  const std::string& file_;
  Diagnostics& errors_;
};

SourcePosition error_position(const toml::parse_error& error, const std::string& file) {
  return {file, static_cast<int>(error.source().begin.line),
          static_cast<int>(error.source().begin.column), 1};
}

}  // namespace

const TomlEntry* TomlValue::find(std::string_view key) const {
  const auto place = std::lower_bound(
      entries.begin(), entries.end(), key,
      [](const TomlEntry& entry, std::string_view wanted) { return entry.key < wanted; });
  return place != entries.end() && place->key == key ? &*place : nullptr;
}

std::string_view describe(Kind kind) {
  switch (kind) {
    case Kind::string:
      return "a string";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a number";
    case Kind::boolean:
      return "true or false";
    case Kind::moment:
      return "a date or time";
    case Kind::array:
      return "an array";
    case Kind::table:
      return "a table";
    case Kind::other:
      break;
  }
  return "a time of day";
}

std::optional<TomlValue> parse_document(const std::string& text, const std::string& file,
                                        Diagnostics& errors) {
  if (text.size() > kMaxDefinitionBytes) {
    errors.report(Code::too_deep, {file, 1, 1, 1},
                  "the definition is larger than 4 MB: " + std::to_string(text.size()) + " bytes",
                  "a definition holds rules, not data; name data files by path");
    return std::nullopt;
  }
  if (const auto line = line_of_deep_key(text)) {
    errors.report(Code::too_deep, {file, *line, 1, 1}, "a dotted key has too many parts",
                  "a definition needs at most four");
    return std::nullopt;
  }
  try {
    const toml::table table = toml::parse(text, file);
    return Converter(text, file, errors).convert(table);
  } catch (const toml::parse_error& error) {
    errors.report(Code::syntax, error_position(error, file),
                  "not valid TOML: " + std::string(error.description()),
                  "text values need quotes, and every key stands once");
    return std::nullopt;
  }
}

}  // namespace coeval::define
