#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "data/decimal.h"
#include "data/json.h"
#include "data/json_marks.h"
#include "data/json_row_shape.h"
#include "data/json_strings.h"
#include "data/jsonl_rows.h"
#include "data/quick_numbers.h"
#include "data/row_sink.h"
#include "data/text_decoder.h"
#include "data/utf8.h"

// Lines that are built as one before them are read many at a time, column by column: their marks
// are found 64 bytes at a time (json_marks.h), and say where the values are once all that lies
// between them is compared (json_row_shape.h). Another line is read member by member, its keys
// guessed from the lines before, each value straight into its column. What is not as it is in most
// lines (a fault, a number in an unusual spelling) makes the line go the plain way (jsonl_rows.h),
// which is where all rules and messages are. So the quick way must only never take what the plain
// one refuses, nor make of it another value.

namespace coeval::data {

namespace {

constexpr std::size_t kMostKeys = 4096;
constexpr std::size_t kChunkBytes = std::size_t{32} << 10;
// After so many single lines runs are only sought where more lines are in them.
constexpr std::uint64_t kTrialRows = 1024;
// A nested value lies one level deep already.
constexpr JsonLimits kNestedLimits = {.max_depth = JsonLimits{}.max_depth - 1};

// The keys of the lines so far, in the order in which they follow one another.
class KnownKeys {
 public:
  struct Key {
    std::string name;
    std::string literal;  // "name":
    int column = -1;
    std::uint64_t row = 0;   // that had it last
    std::uint32_t next = 0;  // the key that came behind it
  };

  explicit KnownKeys(const Schema& schema) {
    for (const Field& field : schema.fields) add(field.name, static_cast<int>(keys_.size()));
  }
  // Begins a row.
  void begin() {
    ++row_;
    last_ = kNone;
    guess_ = first_;
  }
  // Whether the text goes on as it did in the row before: then the key, and `at` is behind its
  // colon.
  Key* take_guessed(const char*& at, const char* end) {
    if (guess_ >= keys_.size()) return nullptr;
    Key& key = keys_[guess_];
    const std::size_t size = key.literal.size();
    if (static_cast<std::size_t>(end - at) < size || std::memcmp(at, key.literal.data(), size) != 0)
      return nullptr;
    at += size;
    return &key;
  }
  // Null when there are too many.
  Key* find_or_add(std::string_view name) {
    if (const auto found = places_.find(name); found != places_.end()) return &keys_[found->second];
    return keys_.size() < kMostKeys ? &add(name, -1) : nullptr;
  }
  // False when this row had it before.
  bool mark(Key& key) {
    if (key.row == row_) return false;
    key.row = row_;
    const auto place = static_cast<std::uint32_t>(&key - keys_.data());
    (last_ == kNone ? first_ : keys_[last_].next) = place;
    last_ = place;
    guess_ = key.next;
    return true;
  }
  bool has(std::size_t column) const { return keys_[column].row == row_; }

 private:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  Key& add(std::string_view name, int column) {
    Key key{std::string(name), {}, column, 0, static_cast<std::uint32_t>(keys_.size() + 1)};
    append_json_string(key.literal, name);
    key.literal += ':';
    places_.emplace(key.name, static_cast<std::uint32_t>(keys_.size()));
    keys_.push_back(std::move(key));
    return keys_.back();
  }

  std::vector<Key> keys_;  // those of the columns first
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> places_;
  std::uint64_t row_ = 0;
  std::uint32_t first_ = 0, last_ = kNone, guess_ = 0;
};

// A string value where it lies, or decoded.
struct StringToken {
  std::string_view text;
  bool is_ascii = true;  // and without escapes
};

class JsonlDecoder final : public TextDecoder {
 public:
  JsonlDecoder(Schema schema, TextOptions options)
      : schema_(std::move(schema)),
        options_(std::move(options)),
        rows_(schema_, options_.json_columns),
        sink_(schema_, options_.code_strings),
        keys_(schema_),
        marks_(kChunkBytes + 65) {
    for (const Field& field : schema_.fields)
      holds_text_.push_back(std::ranges::find(options_.json_columns, field.name) !=
                            options_.json_columns.end());
  }

  const Schema& schema() const override { return schema_; }
  Result<bool> begin(std::string_view piece, bool last, std::size_t& taken) override;
  Result<TextRows> decode(std::string_view piece, bool last, std::int64_t rows) override;
  Result<TextRows> skip(std::string_view piece, bool last) override;
  bool skipping() const override { return long_row_.has_value(); }

 private:
  // Each reads what is at at_ and moves behind it; false leaves the line to JsonlRows.
  bool read_members();
  bool read_key(KnownKeys::Key*& key);
  bool read_value(int of_column);
  bool read_text(StringToken& token);
  bool read_number(std::size_t column);
  bool read_time(std::size_t column);
  bool read_date(std::size_t column);
  bool read_container(std::size_t column);
  bool read_decimal_text(std::size_t column, std::string_view text);
  bool pass_value();
  bool pass_container(std::string_view& text);
  bool pass_number();
  bool word(std::string_view expected);
  bool fill_absent();

  // Reads the lines at at_ that have the shape of one before them; says whether there was any.
  bool read_run();
  std::size_t put_run(const JsonRowShape::Value& value, const FieldRun& run);
  // A value of a run, read as that of a single line.
  FieldRead read_single(const JsonRowShape::Value& value, std::size_t row, std::string_view text);
  template <class T, class Read>
  std::size_t put_values(const JsonRowShape::Value& value, const FieldRun& run, Read read);
  void find_marks();
  void learn_shape();

  bool put_real(std::size_t column, double value);
  bool put_whole(std::size_t column, std::int64_t value);
  void pass_blanks() {
    while (*at_ == ' ' || *at_ == '\t') ++at_;
  }
  bool take(char c) {
    if (*at_ != c) return false;
    ++at_;
    return true;
  }
  TextColumn& column_at(std::size_t column) { return sink_.columns()[column]; }

  // Whether the line was read at a glance, or is blank; at_ is then behind it.
  bool read_quickly(bool last);
  // False when its end is not there.
  bool read_plainly(bool last);

  const Schema schema_;
  const TextOptions options_;
  JsonlRows rows_;
  JsonParser parser_;
  RowSink sink_;
  KnownKeys keys_;
  QuickDates dates_;
  std::vector<bool> holds_text_;               // by column: an object or array is taken as its text
  std::size_t found_ = 0;                      // columns that the row has
  std::size_t row_ = 0;                        // that is read, of the batch
  std::vector<JsonRowShape::Member> members_;  // of the row
  JsonRowShape shape_;
  std::vector<std::size_t> absent_;         // columns that lines of this shape lack
  std::vector<std::uint32_t> marks_;        // of the chunk; the first stands for the one before it
  std::size_t mark_ = 1, marks_count_ = 1;  // the next
  const char *chunk_ = nullptr, *chunk_end_ = nullptr;
  std::uint64_t rows_in_runs_ = 0, single_rows_ = 0;
  std::string room_;
  const char *begin_ = nullptr, *at_ = nullptr, *end_ = nullptr;  // of the piece
  std::int64_t line_ = 1;
  std::uint64_t offset_ = 0;  // of the piece
  std::optional<LongRow> long_row_;
};

bool JsonlDecoder::word(std::string_view expected) {
  if (static_cast<std::size_t>(end_ - at_) < expected.size() ||
      std::string_view(at_, expected.size()) != expected)
    return false;
  at_ += expected.size();
  return true;
}

// Behind the opening quote.
bool JsonlDecoder::read_text(StringToken& token) {
  const char* const close = plain_end(at_, end_);
  if (*close == '"' && close < end_) {
    token = {std::string_view(at_, static_cast<std::size_t>(close - at_)), true};
    at_ = close + 1;
    return true;
  }
  const char* const end = decode_json_string(at_, end_, room_);
  if (end == nullptr || !is_utf8(room_)) return false;
  token = {room_, false};
  at_ = end + 1;
  return true;
}

bool JsonlDecoder::read_key(KnownKeys::Key*& key) {
  key = keys_.take_guessed(at_, end_);
  if (key == nullptr) {
    StringToken name;
    if (!take('"') || !read_text(name)) return false;
    pass_blanks();
    if (!take(':')) return false;
    key = keys_.find_or_add(name.text);
  }
  pass_blanks();
  return key != nullptr && keys_.mark(*key);
}

bool JsonlDecoder::put_real(std::size_t column, double value) {
  TextColumn& to = column_at(column);
  if (to.type() == Type::float32 && !std::isfinite(static_cast<float>(value))) return false;
  to.put_real(row_, value);
  return true;
}

bool JsonlDecoder::put_whole(std::size_t column, std::int64_t value) {
  TextColumn& to = column_at(column);
  if (is_float(to.type())) return put_real(column, static_cast<double>(value));
  if (width(to.type()) == 4 && value != static_cast<std::int32_t>(value)) return false;
  to.put_integer(row_, value);
  return true;
}

bool JsonlDecoder::read_number(std::size_t column) {
  const Type type = schema_.fields[column].type;
  NumberParts parts;
  const char* const end = scan_number(at_, parts);
  if (end == nullptr || end > end_ || parts.leading_zero) return false;
  const std::string_view token(at_, static_cast<std::size_t>(end - at_));
  at_ = end;
  std::int64_t whole = 0;
  double real = 0;
  if (is_decimal(type)) return parts.count <= 18 && read_decimal_text(column, token);
  if (parts.whole) return quick_integer(parts, whole) && put_whole(column, whole);
  if (!quick_real(parts, real)) {
    const auto result = std::from_chars(token.data(), end, real);
    if (result.ec != std::errc{} || result.ptr != end) return false;
  }
  if (is_float(type)) return put_real(column, real);
  // 3.0 is the integer 3, but no moment and no day.
  if (!is_integer(type) || std::trunc(real) != real || std::fabs(real) > 9007199254740992.0)
    return false;
  return put_whole(column, static_cast<std::int64_t>(real));
}

bool JsonlDecoder::read_decimal_text(std::size_t column, std::string_view text) {
  std::int64_t scaled = 0;
  // What no float can hold is a fault of the line, so that exponents are looked at plainly.
  if (text.find_first_of("eE") != std::string_view::npos || text.size() > 40) return false;
  if (read_decimal(text, schema_.fields[column].type, scaled) != DecimalFault::none) return false;
  column_at(column).put_integer(row_, scaled);
  return true;
}

bool JsonlDecoder::read_time(std::size_t column) {
  StringToken token;
  std::int64_t us = 0;
  if (!read_text(token)) return false;
  if (!dates_.read_time(token.text, us)) {
    if (token.text.find('-', 1) == std::string_view::npos) return false;
    const auto parsed = parse_time(token.text);
    if (!parsed) return false;
    us = *parsed;
  }
  column_at(column).put_integer(row_, us);
  return true;
}

bool JsonlDecoder::read_date(std::size_t column) {
  StringToken token;
  std::int64_t days = 0;
  if (!read_text(token) || token.text.size() != 10 || token.text.find('-', 1) != 4) return false;
  if (!dates_.read(token.text.data(), days)) return false;
  column_at(column).put_integer(row_, days);
  return true;
}

// An object or array whole, by its brackets; whether it is valid the parser says.
bool JsonlDecoder::pass_container(std::string_view& text) {
  const char* const begin = at_;
  int depth = 0;
  do {
    if (at_ >= end_ || *at_ == '\n') return false;
    const char c = *at_++;
    if (c == '"') {
      while (at_ < end_ && *at_ != '"' && *at_ != '\n') at_ += *at_ == '\\' ? 2 : 1;
      if (at_ >= end_ || *at_ != '"') return false;
      ++at_;
    }
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
  } while (depth > 0);
  text = std::string_view(begin, static_cast<std::size_t>(at_ - begin));
  return true;
}

bool JsonlDecoder::read_container(std::size_t column) {
  const Type type = schema_.fields[column].type;
  std::string_view text;
  if (holds_text_[column] ? type != Type::string : !is_list(type)) return false;
  if (!pass_container(text)) return false;
  const auto json = parser_.parse(text, kNestedLimits, 1, rows_.texts());
  if (!json) return false;
  if (holds_text_[column]) return column_at(column).put_string(row_, text);
  const auto value = from_json(*json, type);
  if (!value) return false;
  column_at(column).put(row_, *value);
  return true;
}

bool JsonlDecoder::pass_number() {
  NumberParts parts;
  const char* const end = scan_number(at_, parts);
  if (end == nullptr || end > end_ || parts.leading_zero) return false;
  // Whole numbers must fit 64 bits, others a double.
  if (parts.whole ? parts.count > 18 : parts.count + std::abs(parts.exponent) > 300) return false;
  at_ = end;
  return true;
}

bool JsonlDecoder::pass_value() {
  StringToken token;
  std::string_view text;
  switch (*at_) {
    case '"':
      ++at_;
      return read_text(token);
    case '{':
    case '[':
      return pass_container(text) &&
             parser_.parse(text, kNestedLimits, 1, rows_.texts()).has_value();
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      return pass_number();
  }
}

bool JsonlDecoder::read_value(int of_column) {
  if (of_column < 0) return pass_value();
  const auto column = static_cast<std::size_t>(of_column);
  const Type type = schema_.fields[column].type;
  ++found_;
  StringToken token;
  switch (*at_) {
    case '"':
      ++at_;
      if (type == Type::timestamp) return read_time(column);
      if (type == Type::date) return read_date(column);
      if (!read_text(token)) return false;
      if (type == Type::string) return column_at(column).put_string(row_, token.text);
      return is_decimal(type) && read_decimal_text(column, token.text);
    case 'n':
      if (!word("null")) return false;
      column_at(column).put_null(row_);
      return true;
    case 't':
    case 'f':
      if (type != Type::boolean) return false;
      column_at(column).put_boolean(row_, *at_ == 't');
      return word(*at_ == 't' ? "true" : "false");
    case '{':
    case '[':
      return read_container(column);
    default:
      if (has_bytes(type) || type == Type::boolean) return false;
      return read_number(column);
  }
}

bool JsonlDecoder::fill_absent() {
  if (found_ == schema_.fields.size()) return true;
  for (std::size_t column = 0; column < schema_.fields.size(); ++column) {
    if (keys_.has(column)) continue;
    if (!schema_.fields[column].nullable) return false;
    column_at(column).put_null(row_);
  }
  return true;
}

bool JsonlDecoder::read_members() {
  keys_.begin();
  found_ = 0;
  row_ = sink_.row();
  pass_blanks();
  if (take('}')) return fill_absent();
  for (;;) {
    KnownKeys::Key* key = nullptr;
    if (!read_key(key)) return false;
    const bool quoted = *at_ == '"';
    members_.push_back(
        {key->column, quoted, static_cast<std::uint32_t>(at_ - begin_) + (quoted ? 1 : 0)});
    if (!read_value(key->column)) return false;
    pass_blanks();
    if (take('}')) return fill_absent();
    if (!take(',')) return false;
    pass_blanks();
  }
}

bool JsonlDecoder::read_quickly(bool last) {
  const char* const begin = at_;
  members_.clear();
  pass_blanks();
  const bool blank = *at_ == '\n' || (*at_ == '\r' && at_[1] == '\n');
  if (!blank) {
    if (!take('{') || !read_members()) return false;
    while (*at_ == ' ' || *at_ == '\t' || *at_ == '\r') ++at_;
  } else if (*at_ == '\r') {
    ++at_;
  }
  // Only now is it certain that nothing behind the piece was believed.
  const bool at_end = at_ == end_ && last;
  if (at_ > end_ || (!at_end && (at_ == end_ || *at_ != '\n'))) return false;
  if (static_cast<std::size_t>(at_ - begin) > options_.max_row_bytes) return false;
  if (!blank) {
    const bool carriage = at_[-1] == '\r';
    sink_.keep(line_, static_cast<std::size_t>(begin - begin_),
               static_cast<std::size_t>(at_ - begin_) - (carriage ? 1 : 0));
  }
  if (!at_end) ++at_;
  ++line_;
  return true;
}

bool JsonlDecoder::read_plainly(bool last) {
  const std::string_view rest(at_, static_cast<std::size_t>(end_ - at_));
  const std::size_t line_feed = rest.find('\n');
  if (line_feed == std::string_view::npos && !last) return false;
  const std::size_t size = std::min(line_feed, rest.size());
  const std::string_view line = JsonlRows::without_line_end(rest.substr(0, size));
  const auto begin = static_cast<std::size_t>(at_ - begin_);
  if (line.size() > options_.max_row_bytes) {
    LongRow long_row(line, line_, offset_ + begin);
    long_row.pass(line);
    sink_.add_bad(long_row.end(options_.max_row_bytes));
  } else if (!JsonlRows::is_blank(line)) {
    if (rows_.read(line, line_)) {
      row_ = sink_.row();
      for (std::size_t column = 0; column < schema_.fields.size(); ++column)
        column_at(column).put(row_, rows_.values()[column]);
      sink_.keep(line_, begin, begin + line.size());
    } else {
      sink_.add_bad(rows_.bad_row(line, line_, offset_ + begin));
    }
  }
  at_ += std::min(size + 1, rest.size());
  ++line_;
  return true;
}

void JsonlDecoder::find_marks() {
  static const JsonMarks& finder = quickest_json_marks();
  chunk_ = at_;
  chunk_end_ = at_ + std::min(static_cast<std::size_t>(end_ - at_), kChunkBytes);
  mark_ = marks_count_ = 1;
  if (single_rows_ > kTrialRows && single_rows_ > rows_in_runs_) return;
  const std::string_view chunk(chunk_, static_cast<std::size_t>(chunk_end_ - chunk_));
  marks_count_ = 1 + finder.find(chunk, marks_.data() + 1);
}

// Of the line that was read last, and ends before at_.
void JsonlDecoder::learn_shape() {
  ++single_rows_;
  if (marks_count_ == 1 || at_ > chunk_end_ || members_.empty()) return;
  const auto base = static_cast<std::uint32_t>(chunk_ - begin_);
  for (JsonRowShape::Member& member : members_) member.begin -= base;
  shape_.learn(chunk_, marks_.data() + mark_ - 1, marks_count_ - mark_, members_);
  absent_.clear();
  for (std::size_t column = 0; column < schema_.fields.size(); ++column)
    if (!keys_.has(column)) absent_.push_back(column);
}

bool JsonlDecoder::read_run() {
  // The marks of what was read otherwise are passed.
  const auto at = static_cast<std::uint32_t>(at_ - chunk_);
  while (mark_ < marks_count_ && marks_[mark_] < at) ++mark_;
  if (!shape_.is_known()) return false;
  marks_[mark_ - 1] = at - 1;
  const std::uint32_t* const marks = marks_.data() + mark_ - 1;
  FieldRun run{chunk_, marks, shape_.marks(), 0, 0, 0, false};
  const std::size_t most = std::min(sink_.rows_left(), (marks_count_ - mark_) / run.stride);
  while (run.rows < most && shape_.fits(chunk_, marks + run.rows * run.stride) &&
         marks[(run.rows + 1) * run.stride] - marks[run.rows * run.stride] - 1 <=
             options_.max_row_bytes)
    ++run.rows;
  if (run.rows == 0) return false;
  sink_.make_room_for(run.rows);
  for (const JsonRowShape::Value& value : shape_.values()) {
    run.marks = marks + value.mark;
    run.lead = value.lead;
    run.rows = put_run(value, run);
  }
  for (const std::size_t column : absent_)
    for (std::size_t row = 0; row < run.rows; ++row) column_at(column).put_null(sink_.row() + row);
  const auto chunk_at = static_cast<std::size_t>(chunk_ - begin_);
  const std::uint32_t* const line_feeds = marks + run.stride;
  sink_.keep_lines(line_, chunk_at + at, chunk_at, line_feeds, run.stride, run.rows,
                   shape_.has_carriage() ? 1 : 0);
  line_ += static_cast<std::int64_t>(run.rows);
  mark_ += run.rows * run.stride;
  rows_in_runs_ += run.rows;
  if (run.rows > 0) at_ = chunk_ + line_feeds[(run.rows - 1) * run.stride] + 1;
  return run.rows > 0;
}

FieldRead JsonlDecoder::read_single(const JsonRowShape::Value& value, std::size_t row,
                                    std::string_view text) {
  const std::size_t quote = value.quoted ? 1 : 0;
  row_ = sink_.row() + row;
  at_ = text.data() - quote;
  return read_value(value.column) && at_ == text.data() + text.size() + quote ? FieldRead::put
                                                                              : FieldRead::nothing;
}

// By `read(text, value)`, which says whether it could tell the value at a glance.
template <class T, class Read>
std::size_t JsonlDecoder::put_values(const JsonRowShape::Value& value, const FieldRun& run,
                                     Read read) {
  TextColumn& column = column_at(static_cast<std::size_t>(value.column));
  return column.put_fixed<T>(sink_.row(), run, [&](std::size_t row, std::string_view text, T& to) {
    if (!text.empty() && read(text, to)) return FieldRead::value;
    return text == "null" && !value.quoted ? FieldRead::null : read_single(value, row, text);
  });
}

// Of numbers those with zeros before them are none, and one that is -0 is 0 unless it has a point.
std::size_t JsonlDecoder::put_run(const JsonRowShape::Value& value, const FieldRun& run) {
  const char* const line = at_;
  const auto has_zero = [](std::string_view text) {
    return text.size() > 1 && (text.front() == '0' || (text.front() == '-' && text[1] == '0'));
  };
  const Type type =
      value.column < 0 ? Type::null : schema_.fields[static_cast<std::size_t>(value.column)].type;
  std::size_t rows = 0;
  if (value.quoted && type == Type::string) {
    rows = column_at(static_cast<std::size_t>(value.column)).put_strings(sink_.row(), run);
  } else if (value.quoted && type == Type::timestamp) {
    rows = put_values<std::int64_t>(
        value, run, [this](auto text, std::int64_t& us) { return dates_.read_time(text, us); });
  } else if (!value.quoted && type == Type::int64) {
    rows = put_values<std::int64_t>(value, run, [&](auto text, std::int64_t& number) {
      return !has_zero(text) && read_short_integer(text, number);
    });
  } else if (!value.quoted && type == Type::int32) {
    rows = put_values<std::int32_t>(value, run, [&](auto text, std::int32_t& number) {
      std::int64_t wide = 0;
      if (has_zero(text) || !read_short_integer(text, wide)) return false;
      number = static_cast<std::int32_t>(wide);
      return number == wide;
    });
  } else if (!value.quoted && type == Type::float64) {
    rows = put_values<double>(value, run, [&](auto text, double& number) {
      return (!has_zero(text) || text[text.front() == '-' ? 2 : 1] == '.') &&
             (read_short_real(text, number) || read_long_real(text, number));
    });
  } else {
    while (rows < run.rows && read_single(value, rows, run.at(rows)) == FieldRead::put) ++rows;
  }
  at_ = line;
  return rows;
}

Result<bool> JsonlDecoder::begin(std::string_view piece, bool last, std::size_t& taken) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  taken = 0;
  if (!last && piece.size() < kMark.size()) return false;
  if (piece.starts_with(kMark)) offset_ = taken = kMark.size();
  return true;
}

Result<TextRows> JsonlDecoder::decode(std::string_view piece, bool last, std::int64_t rows) {
  sink_.begin(std::max<std::int64_t>(rows, 1));
  begin_ = at_ = piece.data();
  chunk_end_ = begin_;
  end_ = begin_ + piece.size();
  while (!sink_.is_full() && at_ < end_) {
    if (at_ >= chunk_end_) find_marks();
    if (read_run()) continue;
    const char* const line = at_;
    if (read_quickly(last)) {
      learn_shape();
      continue;
    }
    at_ = line;
    if (!read_plainly(last)) break;
  }
  const auto taken = static_cast<std::size_t>(at_ - begin_);
  offset_ += taken;
  return sink_.finish(taken);
}

Result<TextRows> JsonlDecoder::skip(std::string_view piece, bool last) {
  if (!long_row_) long_row_.emplace(piece, line_, offset_);
  const std::size_t line_feed = piece.find('\n');
  const std::size_t taken = line_feed == std::string_view::npos ? piece.size() : line_feed + 1;
  long_row_->pass(piece.substr(0, taken));
  offset_ += taken;
  sink_.begin(1);
  if (line_feed == std::string_view::npos && !last) return sink_.finish(taken);
  sink_.add_bad(long_row_->end(options_.max_row_bytes));
  long_row_.reset();
  ++line_;
  return sink_.finish(taken);
}

}  // namespace

std::unique_ptr<TextDecoder> make_jsonl_decoder(Schema schema, TextOptions options) {
  return std::make_unique<JsonlDecoder>(std::move(schema), std::move(options));
}

}  // namespace coeval::data
