#include "case_file.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/time.h"
#include "data/decimal.h"
#include "data/packed_list.h"

namespace coeval::cases {

namespace {

constexpr std::string_view kDay = "2024-01-01T";

// What the lines that follow belong to.
enum class Section : std::uint8_t { none, definition, events, ask };

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | code >> 6);
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | code >> 12);
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | code >> 18);
    out += static_cast<char>(0x80 | (code >> 12 & 0x3F));
    out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

// Words of a line: separated by blanks, or in quotes with \" \\ \n \t \u{1F600}. # begins a
// comment.
class Words {
 public:
  explicit Words(std::string_view line) : line_(line) {}

  Result<std::vector<Cell>> read() {
    std::vector<Cell> words;
    while (skip_blanks()) {
      if (line_[at_] == '#') break;
      if (line_[at_] == '"') {
        COEVAL_ASSIGN(std::string text, quoted());
        words.push_back({std::move(text), true});
      } else {
        const std::size_t end = std::min(line_.find_first_of(" \t", at_), line_.size());
        words.push_back({std::string(line_.substr(at_, end - at_)), false});
        at_ = end;
      }
    }
    return words;
  }

 private:
  bool skip_blanks() {
    while (at_ < line_.size() && (line_[at_] == ' ' || line_[at_] == '\t')) ++at_;
    return at_ < line_.size();
  }

  Result<std::string> quoted() {
    std::string text;
    for (++at_; at_ < line_.size(); ++at_) {
      const char c = line_[at_];
      if (c == '"') {
        ++at_;
        return text;
      }
      if (c != '\\') {
        text += c;
      } else if (++at_ < line_.size()) {
        COEVAL_TRY(escaped(text));
      }
    }
    return fail(Code::bad_file, "a quoted word does not end");
  }

  Status escaped(std::string& text) {
    switch (line_[at_]) {
      case 'n':
        text += '\n';
        return {};
      case 't':
        text += '\t';
        return {};
      case 'u': {
        unsigned code = 0;
        const char* begin = line_.data() + std::min(at_ + 2, line_.size());
        const auto [end, fault] = std::from_chars(begin, line_.data() + line_.size(), code, 16);
        if (fault != std::errc() || end == line_.data() + line_.size() || *end != '}')
          return fail(Code::bad_file, "a character is written \\u{1F600}");
        append_utf8(text, code);
        at_ = static_cast<std::size_t>(end - line_.data());
        return {};
      }
      default:
        text += line_[at_];
        return {};
    }
  }

  std::string_view line_;
  std::size_t at_ = 0;
};

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

class Reader {
 public:
  Reader(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  Result<std::vector<Case>> read() {
    while (!text_.empty()) {
      const std::size_t end = text_.find('\n');
      const std::string_view line = trimmed(text_.substr(0, end));
      text_ = end == std::string_view::npos ? "" : text_.substr(end + 1);
      ++line_;
      if (line.empty() || line[0] == '#') continue;
      if (const Status good = take(line); !good)
        return fail(Code::bad_file,
                    path_ + ":" + std::to_string(line_) + ": " + good.error().message,
                    "tests/cases/README.md tells the format");
    }
    return std::move(cases_);
  }

 private:
  Case& current() { return cases_.back(); }

  Status take(std::string_view line) {
    if (line.starts_with("== ")) {
      Case& fresh = cases_.emplace_back();
      fresh.file = path_;
      fresh.line = line_;
      fresh.title = trimmed(line.substr(3));
      section_ = Section::none;
      return {};
    }
    if (cases_.empty()) return fail(Code::bad_file, "a case begins with `== title`");
    if (line[0] == '[') section_ = Section::definition;
    // A line of TOML has a second word =, and may begin with any name.
    const std::size_t space = line.find_first_of(" \t");
    const std::string_view rest =
        space == std::string_view::npos ? "" : trimmed(line.substr(space));
    if (line[0] != '[' && !rest.starts_with('=')) {
      const std::string_view word = line.substr(0, space);
      if (word == "events" || word == "ask" || word == "refused" || word == "dropped")
        return begin(line);
    }
    return add(line);
  }

  Status begin(std::string_view line) {
    COEVAL_ASSIGN(const std::vector<Cell> words, Words(line).read());
    const std::string& first = words[0].text;
    headed_ = false;
    if (first == "events") {
      section_ = Section::events;
      current().events.push_back({words.size() > 1 ? words[1].text : "events", {}, {}});
    } else if (first == "ask") {
      section_ = Section::ask;
      if (current().ask.line != 0) return fail(Code::bad_file, "a case asks once");
      current().ask.line = line_;
    } else if (first == "refused") {
      section_ = Section::none;
      if (words.size() < 2)
        return fail(Code::bad_file, "write: refused C0105 \"part of its text\"");
      Refusal refusal{line_, words[1].text, {}};
      for (std::size_t i = 2; i < words.size(); ++i) refusal.parts.push_back(words[i].text);
      current().refusals.push_back(std::move(refusal));
    } else {
      section_ = Section::none;
      if (words.size() != 3) return fail(Code::bad_file, "write: dropped VIEW COUNT");
      current().dropped.push_back({line_, words[1].text, std::atoll(words[2].text.c_str())});
    }
    return {};
  }

  Status add(std::string_view line) {
    if (section_ == Section::definition) {
      current().definition.emplace_back(line);
      return {};
    }
    if (section_ == Section::none) return fail(Code::bad_file, "this line belongs to nothing");
    COEVAL_ASSIGN(std::vector<Cell> words, Words(line).read());
    const bool events = section_ == Section::events;
    if (!headed_) {
      headed_ = true;
      return events ? head_events(words) : head_ask(words);
    }
    Row row{line_, std::move(words)};
    if (!events) std::erase_if(row.cells, [](const Cell& c) { return !c.quoted && c.text == "|"; });
    const std::size_t wanted = events
                                   ? current().events.back().columns.size()
                                   : current().ask.columns.size() + current().ask.features.size();
    if (row.cells.size() != wanted)
      return fail(Code::bad_file, std::to_string(row.cells.size()) + " cells under " +
                                      std::to_string(wanted) + " headings");
    (events ? current().events.back().rows : current().ask.rows).push_back(std::move(row));
    return {};
  }

  Status head_events(const std::vector<Cell>& words) {
    EventTable& table = current().events.back();
    for (const Cell& word : words) {
      COEVAL_ASSIGN(Heading heading, heading_of(word.text));
      table.columns.push_back(std::move(heading));
    }
    if (table.columns[0].name != "ts") return fail(Code::bad_file, "the first column is ts");
    return {};
  }

  Status head_ask(const std::vector<Cell>& words) {
    AskTable& ask = current().ask;
    bool features = false;
    for (const Cell& word : words) {
      if (word.text == "|") {
        features = true;
      } else if (features) {
        ask.features.push_back(word.text);
      } else {
        COEVAL_ASSIGN(Heading heading, heading_of(word.text));
        ask.columns.push_back(std::move(heading));
      }
    }
    if (ask.columns.empty() || ask.columns[0].name != "at" || ask.features.empty())
      return fail(Code::bad_file, "questions are headed: at KEYS | FEATURES");
    return {};
  }

  // A question's column without a type has that of the events' column of its name.
  Result<Heading> heading_of(std::string_view word) {
    Heading heading;
    if (word.ends_with('!')) {
      heading.nullable = false;
      word.remove_suffix(1);
    }
    const std::size_t colon = word.find(':');
    heading.name = word.substr(0, colon);
    if (heading.name == "ts" || heading.name == "known" || heading.name == "at") {
      heading.type = data::Type::timestamp;
      heading.nullable = false;
    } else if (colon != std::string_view::npos) {
      COEVAL_ASSIGN(heading.type, data::parse_type(word.substr(colon + 1)));
    } else if (section_ == Section::ask) {
      for (const EventTable& table : current().events)
        for (const Heading& column : table.columns)
          if (column.name == heading.name) heading.type = column.type;
    }
    return heading;
  }

  const std::string& path_;
  std::string_view text_;
  int line_ = 0;
  std::vector<Case> cases_;
  Section section_ = Section::none;
  bool headed_ = false;
};

Result<double> read_real(const std::string& text, bool narrow) {
  if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (text == "inf") return std::numeric_limits<double>::infinity();
  if (text == "-inf") return -std::numeric_limits<double>::infinity();
  if (const std::size_t slash = text.find('/'); slash != std::string::npos) {
    COEVAL_ASSIGN(const double p, read_real(text.substr(0, slash), narrow));
    COEVAL_ASSIGN(const double q, read_real(text.substr(slash + 1), narrow));
    if (narrow) return static_cast<double>(static_cast<float>(p) / static_cast<float>(q));
    return p / q;
  }
  char* end = nullptr;
  const double value = narrow ? static_cast<double>(std::strtof(text.c_str(), &end))
                              : std::strtod(text.c_str(), &end);
  const bool digits =
      !text.empty() && (std::isdigit(text.back()) != 0 || text.find('x') < 3 || text.back() == '.');
  if (!digits || *end != '\0') return fail(Code::type_mismatch, "no number: " + text);
  return value;
}

// [1,2.5,nan] in one word.
Result<data::Value> read_list(std::string_view text, data::Type type) {
  if (!text.starts_with('[') || !text.ends_with(']'))
    return fail(Code::type_mismatch, "no list: " + std::string(text));
  text = text.substr(1, text.size() - 2);
  std::string bytes;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    COEVAL_ASSIGN(const data::Value element,
                  read_value({std::string(part), false}, data::element_of(type)));
    data::append_element(bytes, data::element_of(type), element);
  }
  return data::Value{std::move(bytes)};
}

}  // namespace

Result<std::vector<Case>> read_cases(const std::string& path, std::string_view text) {
  return Reader(path, text).read();
}

Result<data::Value> read_value(const Cell& cell, data::Type type) {
  using data::Type;
  if (!cell.quoted && cell.text == "null") return data::Value{};
  if (type == Type::string) return data::Value{cell.text};
  if (data::is_list(type)) return read_list(cell.text, type);
  if (cell.quoted) return fail(Code::type_mismatch, "text where there is none: " + cell.text);
  switch (type) {
    case Type::boolean:
      if (cell.text != "true" && cell.text != "false")
        return fail(Code::type_mismatch, "neither true nor false: " + cell.text);
      return data::Value{cell.text == "true"};
    case Type::float32:
    case Type::float64: {
      COEVAL_ASSIGN(const double value, read_real(cell.text, type == Type::float32));
      return data::Value{value};
    }
    case Type::timestamp: {
      const bool dated = cell.text.find('-') != std::string::npos;
      COEVAL_ASSIGN(const std::int64_t us,
                    parse_time(dated ? cell.text : std::string(kDay) + cell.text));
      return data::Value{us};
    }
    case Type::date: {
      COEVAL_ASSIGN(const std::int64_t us, parse_time(cell.text));
      return data::Value{us / kDayUs};
    }
    default: {
      std::int64_t value = 0;
      if (data::is_decimal(type)) {
        if (data::read_decimal(cell.text, type, value) != data::DecimalFault::none)
          return fail(Code::type_mismatch,
                      "no " + std::string(data::name(type)) + ": " + cell.text);
        return data::Value{value};
      }
      const char* end = cell.text.data() + cell.text.size();
      const auto [stop, fault] = std::from_chars(cell.text.data(), end, value);
      if (fault != std::errc() || stop != end)
        return fail(Code::type_mismatch, "no integer: " + cell.text);
      return data::Value{value};
    }
  }
}

std::string show_value(const data::Value& value, data::Type type) {
  if (const auto* text = std::get_if<std::string>(&value)) return '"' + *text + '"';
  const auto* real = std::get_if<double>(&value);
  if (real == nullptr || !std::isfinite(*real)) return data::to_text(value, type);
  char bits[64];
  std::snprintf(bits, sizeof bits, "%.17g (%a)", *real, *real);
  return bits;
}

}  // namespace coeval::cases
