#include "quality/proposal.h"

#include <algorithm>
#include <set>

#include "data/json.h"
#include "define/lexer.h"

namespace coeval::quality {

namespace {

using data::Type;

constexpr std::size_t kCommentAt = 56;     // where evidence begins on its line, if there is room
constexpr std::int64_t kMostAllowed = 12;  // values of an enum that is proposed
constexpr std::int64_t kRowsForEnum = 1000;
constexpr std::size_t kKeysShown = 5;
constexpr std::size_t kLongestName = 50;  // of a source, with room for what tells two apart

bool is_moment(Type type) { return type == Type::timestamp || type == Type::date; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_bare_key(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return is_word(c) || c == '-'; });
}

// Whether a definition can name the column at all.
bool is_column_name(const std::string& name) {
  return !name.empty() && name.size() <= 256 && std::ranges::none_of(name, [](char c) {
    return c == '.' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
}

std::string quoted(const std::string& text) {
  std::string out;
  data::append_json_string(out, text);  // TOML reads JSON's escapes
  return out;
}

std::string key_text(const std::string& name) { return is_bare_key(name) ? name : quoted(name); }

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

std::string line(const std::string& statement, const std::string& comment) {
  return padded(statement, kCommentAt) + "  # " + comment + "\n";
}

std::string share(std::int64_t part, std::int64_t whole) {
  const std::int64_t per_mille = part * 1000 / std::max<std::int64_t>(whole, 1);
  return std::to_string(per_mille / 10) + "." + std::to_string(per_mille % 10) + " %";
}

std::string value_text(const data::Value& value, Type type) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  return integer != nullptr && data::is_integer(type) ? with_separators(*integer)
                                                      : data::to_text(value, type);
}

bool is_unique(const ObservedColumn& column) {
  return column.rows > 1 && column.nulls == 0 && column.distinct_is_exact &&
         column.distinct == column.rows;
}

// What sketches count is up to some per cent off, which is not enough to tell ids from others.
bool may_be_unique(const ObservedColumn& column) {
  return !column.distinct_is_exact && column.nulls == 0 && column.distinct > column.rows / 100 * 95;
}

bool may_be_id(const ObservedColumn& column) {
  return (data::is_integer(column.type) || column.type == Type::string) &&
         (is_unique(column) || may_be_unique(column));
}

bool may_be_key(const ObservedColumn& column) {
  return (column.type == Type::string || data::is_integer(column.type)) && !column.holds_json &&
         !may_be_id(column) && column.distinct >= 2 && column.distinct <= column.rows / 5;
}

bool has_enum(const ObservedColumn& column) {
  return column.type == Type::string && column.rows >= kRowsForEnum && column.distinct >= 1 &&
         column.distinct <= kMostAllowed && column.distinct_is_exact &&
         static_cast<std::int64_t>(column.top.size()) == column.distinct;
}

bool is_never_negative(const ObservedColumn& column) {
  if (!column.least || !data::is_number(column.type)) return false;
  const auto* integer = std::get_if<std::int64_t>(&*column.least);
  const auto* real = std::get_if<double>(&*column.least);
  return (integer != nullptr && *integer >= 0) || (real != nullptr && *real >= 0);
}

std::string enum_text(const ObservedColumn& column) {
  std::set<std::string> texts;
  for (const auto& [text, count] : column.top) texts.insert(text);
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + quoted(text);
  return "enum = [" + out + "]";
}

std::string declaration(const ObservedColumn& column, bool is_time) {
  std::string out = "{ type = \"" + data::name(column.type) + "\"";
  if (column.nulls > 0 && !is_time) out += ", nullable = true";
  if (is_never_negative(column)) out += ", min = 0";
  if (has_enum(column) && !column.personal) out += ", " + enum_text(column);
  if (column.personal) out += ", pii = true";
  return out + " }";
}

std::string list_evidence(const ObservedColumn& column) {
  const std::int64_t values = column.rows - column.nulls;
  std::string out = "lists in " + with_separators(values) + " rows";
  if (column.shortest < 0) return out;
  out += " of " + with_separators(column.shortest);
  if (column.longest > column.shortest) out += " to " + with_separators(column.longest);
  return out + (column.longest == 1 ? " number" : " numbers");
}

std::string evidence(const ObservedColumn& column) {
  const std::int64_t values = column.rows - column.nulls;
  if (data::is_list(column.type)) return list_evidence(column);
  if (values == 0) return "only nulls: the type is a guess";
  std::string out;
  // A definition is kept with the code: what people own does not go into it.
  if (column.least && column.most && !column.personal)
    out = "seen " + value_text(*column.least, column.type) + ".." +
          value_text(*column.most, column.type) + " in " + with_separators(values) + " rows";
  else
    out = (column.distinct_is_exact ? "" : "about ") + with_separators(column.distinct) +
          (column.distinct == 1 ? " value in " : " values in ") + with_separators(values) + " rows";
  if (column.nulls > 0) out += ", " + share(column.nulls, column.rows) + " null";
  if (!column.epoch_unit.empty())
    out += "; looks like " + column.epoch_unit +
           " since the epoch: a timestamp has RFC 3339 text or microseconds";
  if (column.holds_json) out += "; holds JSON: see `json` in docs/language.md";
  if (column.personal)
    out += "; " + std::to_string(column.personal->alike) + " of " +
           std::to_string(column.personal->looked) + " looked at are like " +
           std::string(name(column.personal->kind));
  return out;
}

std::string unreadable_lines(const ObservedFile& file) {
  if (file.unreadable == 0) return {};
  return "# " + with_separators(file.unreadable) + (file.unreadable == 1 ? " row" : " rows") +
         " could not be read with the types below, and went to no evidence; the first: " +
         file.first_unreadable + "\n";
}

// The event time: a timestamp that is never null, those named so before others, else the first.
const ObservedColumn* find_time(const ObservedFile& file) {
  constexpr std::string_view kNames[] = {"event_time", "timestamp", "ts", "time",
                                         "datetime",   "date",      "at"};
  const auto usable = [](const ObservedColumn& column) {
    return column.type == Type::timestamp && column.nulls == 0 && is_column_name(column.name);
  };
  for (const std::string_view wanted : kNames)
    for (const ObservedColumn& column : file.columns)
      if (usable(column) && column.name == wanted) return &column;
  const auto first = std::ranges::find_if(file.columns, usable);
  return first == file.columns.end() ? nullptr : &*first;
}

std::string time_lines(const ObservedFile& file, const ObservedColumn* time) {
  if (time == nullptr)
    return "# time = \"…\"   # no column is a timestamp without nulls: name the one that says when "
           "it happened,\n"
           "               # with type = \"timestamp\" below\n";
  std::size_t moments = 0;
  for (const ObservedColumn& column : file.columns) moments += is_moment(column.type) ? 1 : 0;
  const std::string why =
      moments == 1 ? "the only one there is" : "the likeliest of " + std::to_string(moments);
  return line("time  = " + quoted(time->name), why + ": when it happened");
}

std::string known_lines(const ObservedFile& file, const ObservedColumn* time) {
  const std::string at = time == nullptr ? "ts" : time->name;
  std::string out =
      "# When could a program of yours have read a row, all of it? No file can tell. An honest "
      "answer "
      "keeps the\n# future out of every feature. Take one of these lines and make it true:\n"
      "# known = " +
      quoted(at + " + 1h") + "\n# known = \"event time\"\n";
  for (const ObservedColumn& column : file.columns)
    if (&column != time && column.type == Type::timestamp && column.nulls == 0 &&
        is_column_name(column.name))
      out += "# known = " + quoted(column.name) + "\n";
  return out;
}

std::string id_lines(const ObservedFile& file, const ObservedColumn* time) {
  for (const ObservedColumn& column : file.columns) {
    if (&column == time || !may_be_id(column) || !is_column_name(column.name)) continue;
    const bool sure = is_unique(column);
    return line((sure ? "id    = " : "# id    = ") + quoted(column.name),
                sure ? "each of its values is there once: a second one is a duplicate"
                     : "nearly as many values as rows");
  }
  return {};
}

std::string columns_lines(const ObservedFile& file, const ObservedColumn* time) {
  std::size_t width = 0;
  for (const ObservedColumn& column : file.columns)
    width = std::max(width, std::min<std::size_t>(24, key_text(column.name).size()));
  std::string out;
  for (const ObservedColumn& column : file.columns) {
    const std::string statement =
        padded(key_text(column.name), width) + " = " + declaration(column, &column == time);
    const bool lacks_length = data::is_list(column.type) && data::list_length(column.type) == 0;
    if (is_column_name(column.name) && !lacks_length)
      out += line(statement, evidence(column));
    else if (is_column_name(column.name))
      out += line("# " + statement, evidence(column) + ", so list<float32>(n) cannot hold them");
    else
      out += line("# " + statement, "a column's name may have no dot or control character");
  }
  return out;
}

std::string keys_lines(const ObservedFile& file, const std::string& source) {
  std::vector<const ObservedColumn*> keys;
  for (const ObservedColumn& column : file.columns)
    if (may_be_key(column) && is_column_name(column.name)) keys.push_back(&column);
  if (keys.empty()) return {};
  std::string out = "# Keys that views may count by:";
  for (std::size_t i = 0; i < std::min(kKeysShown, keys.size()); ++i)
    out += (i == 0 ? " " : ", ") + keys[i]->name + " (" +
           (keys[i]->distinct_is_exact ? "" : "about ") + with_separators(keys[i]->distinct) +
           " values)";
  const std::string& first = keys.front()->name;
  return out + ". For example:\n# [view.by_" + source + "]\n# from    = " + quoted(source) +
         "\n# by      = [" + quoted(first) +
         "]\n# windows = [\"1h\", \"1d\", \"7d\"]\n# events  = \"count()\"\n";
}

std::string delimiter_line(const ObservedFile& file) {
  if (file.delimiter == ',') return {};
  const std::string text = file.delimiter == '\t' ? "\\t" : std::string(1, file.delimiter);
  return "delimiter = \"" + text + "\"\n";
}

std::string source_text(const ObservedFile& file, const std::string& source) {
  const ObservedColumn* time = find_time(file);
  return "\n[source." + source + "]\n" +
         line("path  = " + quoted(file.path), with_separators(file.rows) + " rows") +
         delimiter_line(file) + unreadable_lines(file) + time_lines(file, time) +
         known_lines(file, time) + id_lines(file, time) + "\n[source." + source + ".columns]\n" +
         columns_lines(file, time) + "\n" + keys_lines(file, source);
}

}  // namespace

std::string with_separators(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t begin = digits.front() == '-' ? 1 : 0;
  for (std::size_t at = digits.size(); at > begin + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string source_name_of(const std::string& path) {
  std::string stem = path.substr(path.rfind('/') + 1);  // npos + 1 = 0
  stem = stem.substr(0, stem.find('.'));
  for (char& c : stem)
    if (!is_word(c)) c = '_';
  stem.resize(std::min(stem.size(), kLongestName));
  return define::is_plain_name(stem) ? stem : "source_" + stem;
}

std::string propose_definition(const std::string& project_name,
                               const std::vector<ObservedFile>& files) {
  std::string out =
      "# Proposed by `coeval init --from` from what is in the files. Read it and correct it; "
      "`coeval check` says what\n# is missing, docs/language.md tells all of "
      "it.\n\n[project]\nname "
      "= " +
      quoted(project_name) + "\n";
  std::set<std::string> taken;
  for (const ObservedFile& file : files) {
    const std::string name = source_name_of(file.path);
    std::string source = name;
    for (int next = 2; !taken.insert(source).second; ++next)
      source = name + "_" + std::to_string(next);
    out += source_text(file, source);
  }
  return out;
}

}  // namespace coeval::quality
