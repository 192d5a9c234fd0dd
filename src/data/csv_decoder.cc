#include <algorithm>
#include <charconv>
#include <limits>

#include "data/cell_text.h"
#include "data/csv_marks.h"
#include "data/csv_rows.h"
#include "data/decimal.h"
#include "data/quick_numbers.h"
#include "data/row_sink.h"
#include "data/text_decoder.h"

// Two passes over a chunk that the processor's nearest cache holds: the marks of its structure, 64
// bytes at a time, then from mark to mark, each field into its column. What is not as it is in most
// rows (a fault, a number in an unusual spelling) makes the row go the plain way (csv_rows.h),
// which is where all rules and messages are.

namespace coeval::data {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{32} << 10;

// Types a field at a glance; false leaves its row to CsvRows.
class QuickFields {
 public:
  bool put(TextColumn& column, std::size_t row, std::string_view text, bool quoted);
  /// Puts the fields of a run, without quotes, from `row` on; says how many before the first that
  /// it cannot.
  std::size_t put_run(TextColumn& column, std::size_t row, const FieldRun& run);

 private:
  static bool read_integer(std::string_view text, std::int64_t& value);
  static bool read_real(std::string_view text, double& value);
  bool put_real(TextColumn& column, std::size_t row, std::string_view text);
  bool put_boolean(TextColumn& column, std::size_t row, std::string_view text);
  bool read_time(std::string_view text, std::int64_t& us);
  bool put_time(TextColumn& column, std::size_t row, std::string_view text);
  bool put_date(TextColumn& column, std::size_t row, std::string_view text);

  QuickDates dates_;
};

bool QuickFields::put_real(TextColumn& column, std::size_t row, std::string_view text) {
  NumberParts parts;
  double value = 0;
  const char* const end = text.data() + text.size();
  if (scan_number(text.data(), parts) == end && quick_real(parts, value)) {
    float narrow = 0;
    if (column.type() == Type::float64) {
      column.put_real(row, value);
      return true;
    }
    if (quick_narrow(value, narrow)) {
      column.put_real(row, static_cast<double>(narrow));
      return true;
    }
  }
  std::from_chars_result result;
  if (column.type() == Type::float64) {
    result = std::from_chars(text.data(), end, value);
  } else {
    float narrow = 0;
    result = std::from_chars(text.data(), end, narrow);
    value = static_cast<double>(narrow);
  }
  if (result.ec != std::errc{} || result.ptr != end) return false;
  column.put_real(row, value);
  return true;
}

bool QuickFields::put_boolean(TextColumn& column, std::size_t row, std::string_view text) {
  const bool yes = text == "true" || text == "True" || text == "TRUE";
  if (!yes && text != "false" && text != "False" && text != "FALSE") return false;
  column.put_boolean(row, yes);
  return true;
}

bool QuickFields::read_time(std::string_view text, std::int64_t& us) {
  if (dates_.read_time(text, us)) return true;
  const auto parsed = parse_time(text);
  if (parsed) us = *parsed;
  return parsed.has_value();
}

bool QuickFields::put_time(TextColumn& column, std::size_t row, std::string_view text) {
  std::int64_t us = 0;
  if (!read_time(text, us)) return false;
  column.put_integer(row, us);
  return true;
}

bool QuickFields::put_date(TextColumn& column, std::size_t row, std::string_view text) {
  std::int64_t days = 0;
  if (text.size() != 10 || text[4] != '-' || !dates_.read(text.data(), days)) return false;
  column.put_integer(row, days);
  return true;
}

bool QuickFields::put(TextColumn& column, std::size_t row, std::string_view text, bool quoted) {
  if (text.empty() && !quoted) {
    column.put_null(row);
    return true;
  }
  switch (column.type()) {
    case Type::string:
      return column.put_string(row, text);
    case Type::float32:
    case Type::float64:
      return !text.empty() && put_real(column, row, text);
    case Type::boolean:
      return put_boolean(column, row, text);
    case Type::timestamp:
      return put_time(column, row, text);
    case Type::date:
      return put_date(column, row, text);
    default:
      break;
  }
  std::int64_t value = 0;
  if (is_decimal(column.type())) {
    if (read_decimal(text, column.type(), value) != DecimalFault::none) return false;
  } else {
    NumberParts parts;
    if (text.empty() || scan_number(text.data(), parts) != text.data() + text.size() ||
        !quick_integer(parts, value))
      return false;
    if (column.type() == Type::int32 && value != static_cast<std::int32_t>(value)) return false;
  }
  column.put_integer(row, value);
  return true;
}

bool QuickFields::read_integer(std::string_view text, std::int64_t& value) {
  if (read_short_integer(text, value)) return true;
  NumberParts parts;
  return scan_number(text.data(), parts) == text.data() + text.size() &&
         quick_integer(parts, value);
}

bool QuickFields::read_real(std::string_view text, double& value) {
  if (read_short_real(text, value) || read_long_real(text, value)) return true;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  return result.ec == std::errc{} && result.ptr == end;
}

// What is empty is null; of the rest `read(text, value)` says whether it is a value.
template <class T, class Read>
std::size_t put_values(TextColumn& column, std::size_t row, const FieldRun& run, Read read) {
  return column.put_fixed<T>(row, run, [&read](std::size_t, std::string_view text, T& value) {
    if (text.empty()) return FieldRead::null;
    return read(text, value) ? FieldRead::value : FieldRead::nothing;
  });
}

std::size_t QuickFields::put_run(TextColumn& column, std::size_t row, const FieldRun& run) {
  switch (column.type()) {
    case Type::string:
      return column.put_strings(row, run);
    case Type::int64:
      return put_values<std::int64_t>(column, row, run, read_integer);
    case Type::int32:
      return put_values<std::int32_t>(column, row, run, [](auto text, std::int32_t& value) {
        std::int64_t wide = 0;
        if (!read_integer(text, wide)) return false;
        value = static_cast<std::int32_t>(wide);
        return value == wide;
      });
    case Type::float64:
      return put_values<double>(column, row, run, read_real);
    case Type::timestamp:
      return put_values<std::int64_t>(
          column, row, run, [this](auto text, std::int64_t& us) { return read_time(text, us); });
    default:
      break;
  }
  std::size_t put_rows = 0;
  while (put_rows < run.rows && put(column, row + put_rows, run.at(put_rows), false)) ++put_rows;
  return put_rows;
}

// The quotes of a record that is passed over, byte by byte.
class SkippedRecord {
 public:
  explicit SkippedRecord(char delimiter) : delimiter_(delimiter) {}
  // Says how many bytes were taken; the record is over when they end in its line feed.
  std::size_t pass(std::string_view text, std::uint64_t offset, std::int64_t& line) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      const char c = text[at];
      line += c == '\n' ? 1 : 0;
      if (state_ == State::quoted) {
        if (c == '"') state_ = State::quote;
        continue;
      }
      if (c == '\n') {
        over_ = true;
        return at + 1;
      }
      if (c == '"' && (state_ == State::begin || state_ == State::quote)) {
        if (state_ == State::begin) {
          open_line_ = line;
          open_offset_ = offset + at;
          open_field_ = field_;
        }
        state_ = State::quoted;
        continue;
      }
      if (c == delimiter_) ++field_;
      state_ = c == delimiter_ ? State::begin : State::plain;
    }
    return text.size();
  }
  bool over() const { return over_; }
  bool is_quoted() const { return state_ == State::quoted; }
  std::int64_t open_line() const { return open_line_; }
  std::uint64_t open_offset() const { return open_offset_; }
  std::size_t open_field() const { return open_field_; }

 private:
  // Of the byte that comes: first of a field, in one without quotes, inside quotes, behind a quote.
  enum class State : std::uint8_t { begin, plain, quoted, quote };
  char delimiter_;
  State state_ = State::begin;
  bool over_ = false;
  std::int64_t open_line_ = 0;
  std::uint64_t open_offset_ = 0;
  std::size_t field_ = 0, open_field_ = 0;
};

class CsvDecoder final : public TextDecoder {
 public:
  CsvDecoder(Schema schema, TextOptions options)
      : schema_(std::move(schema)),
        options_(std::move(options)),
        rows_(schema_, options_.delimiter),
        sink_(schema_, options_.code_strings),
        marks_(kChunkBytes + 65) {}

  const Schema& schema() const override { return schema_; }
  Result<bool> begin(std::string_view piece, bool last, std::size_t& taken) override;
  Result<TextRows> decode(std::string_view piece, bool last, std::int64_t rows) override;
  Result<TextRows> skip(std::string_view piece, bool last) override;
  bool skipping() const override { return skipped_.has_value(); }

 private:
  enum class Found : std::uint8_t { row, odd, cut };  // odd: for CsvRows; cut: by the chunk's end
  Result<bool> read_chunk(std::string_view piece, bool last);
  // Reads the rows at at_ that are as most are, field by field; says whether there was any. One
  // that cannot be read so is left at at_.
  bool read_run(std::string_view chunk);
  FieldRun next_run(const char* chunk);
  Found read_row(const char* chunk);
  Found close_quote(const char* chunk, std::size_t& close, bool& doubled);
  bool put(std::size_t field, std::string_view text, bool quoted, bool doubled);
  // Reads the row at at_ the plain way. False when its end is not there.
  Result<bool> read_plainly(std::string_view piece, bool last);

  const Schema schema_;
  const TextOptions options_;
  CsvRows rows_;
  RowSink sink_;
  QuickFields fields_;
  std::vector<std::vector<std::size_t>> columns_of_;  // per field of the header
  std::vector<std::size_t> absent_;                   // columns that the header lacks: null
  std::vector<std::uint32_t> marks_;        // the first stands for the one before the chunk
  std::size_t mark_ = 1, marks_count_ = 1;  // the next of the chunk's marks
  std::size_t chunk_at_ = 0;                // of the chunk, in the piece
  std::size_t at_ = 0;                      // where the next row begins, in the chunk
  std::int64_t lines_in_row_ = 0;           // line feeds inside the row's quotes
  std::size_t row_end_ = 0;                 // in the chunk
  std::int64_t line_ = 1;
  std::uint64_t offset_ = 0;  // of the piece
  std::string room_;
  CsvRecord record_;
  std::optional<SkippedRecord> skipped_;
  std::optional<LongRow> long_row_;
};

Result<bool> CsvDecoder::begin(std::string_view piece, bool last, std::size_t& taken) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  taken = 0;
  if (!last && piece.size() < kMark.size()) return false;
  const std::size_t mark = piece.starts_with(kMark) ? kMark.size() : 0;
  CsvScanner scanner(piece.substr(mark), options_.delimiter);
  const bool found = scanner.next(record_);
  const std::size_t end = mark + scanner.taken();
  if (!last && (!found || end == 0 || piece[end - 1] != '\n')) return false;
  if (!found && scanner.unterminated_line() != 0)
    return rows_.unterminated(scanner.unterminated_line(), mark + scanner.unterminated_at(),
                              scanner.unterminated_field());
  if (!found) return CsvRows::no_header();
  COEVAL_TRY(rows_.read_header(record_, mark));
  columns_of_.resize(rows_.width());
  for (std::size_t column = 0; column < rows_.places().size(); ++column) {
    const std::size_t place = rows_.places()[column];
    (place == CsvRows::kAbsent ? absent_ : columns_of_[place]).push_back(column);
  }
  line_ = scanner.line();
  offset_ = taken = end;
  return true;
}

bool CsvDecoder::put(std::size_t field, std::string_view text, bool quoted, bool doubled) {
  for (const std::size_t column : columns_of_[field]) {
    TextColumn& to = sink_.columns()[column];
    if (doubled) {
      if (to.type() != Type::string) return false;
      text = unquoted({text, quoted, doubled}, room_);
      doubled = false;
    }
    if (!fields_.put(to, sink_.row(), text, quoted)) return false;
  }
  return true;
}

CsvDecoder::Found CsvDecoder::close_quote(const char* chunk, std::size_t& close, bool& doubled) {
  for (;;) {
    if (mark_ == marks_count_) return Found::cut;
    close = marks_[mark_++];
    lines_in_row_ += chunk[close] == '\n' ? 1 : 0;
    if (chunk[close] != '"') continue;
    // What follows a closing quote is a mark too, or the field is odd.
    if (mark_ == marks_count_) return Found::cut;
    if (marks_[mark_] != close + 1 || chunk[close + 1] != '"') break;
    doubled = true;
    ++mark_;
  }
  const std::size_t next = marks_[mark_];
  const bool line_end = chunk[next] == '\n' && next == close + 2 && chunk[close + 1] == '\r';
  return next == close + 1 || line_end ? Found::row : Found::odd;
}

CsvDecoder::Found CsvDecoder::read_row(const char* chunk) {
  std::size_t begin = at_, field = 0;
  const std::size_t width = rows_.width();
  lines_in_row_ = 0;
  for (;; ++field) {
    if (mark_ == marks_count_) return Found::cut;
    if (field == width) return Found::odd;
    std::size_t end = marks_[mark_++];
    std::string_view text;
    bool quoted = false, doubled = false;
    if (chunk[end] == '"') {
      if (end != begin) return Found::odd;
      std::size_t close = 0;
      if (const Found found = close_quote(chunk, close, doubled); found != Found::row) return found;
      text = std::string_view(chunk + begin + 1, close - begin - 1);
      end = marks_[mark_++];
      quoted = true;
    } else {
      std::size_t text_end = end;
      if (chunk[end] == '\n' && end > begin && chunk[end - 1] == '\r') --text_end;
      text = std::string_view(chunk + begin, text_end - begin);
      // An empty line in a wide table is no row; the plain way passes over it.
      if (chunk[end] == '\n' && field == 0 && width > 1) return Found::odd;
    }
    if (!put(field, text, quoted, doubled)) return Found::odd;
    if (chunk[end] == '\n') {
      row_end_ = end;
      return field + 1 == width ? Found::row : Found::odd;
    }
    begin = end + 1;
  }
}

// Rows from at_ on, each on a line, with a field to a column of the file, and without quotes.
FieldRun CsvDecoder::next_run(const char* chunk) {
  const std::size_t width = rows_.width();
  const std::size_t most = std::min(sink_.rows_left(), (marks_count_ - mark_) / width);
  const std::uint32_t* mark = marks_.data() + mark_;
  marks_[mark_ - 1] = static_cast<std::uint32_t>(at_) - 1;
  FieldRun run{chunk, mark - 1, width, 0, 1, 0, true};
  for (std::size_t begin = at_; run.rows < most; ++run.rows, mark += width) {
    unsigned others = 0;
    for (std::size_t field = 0; field + 1 < width; ++field)
      others |= static_cast<unsigned char>(chunk[mark[field]] ^ options_.delimiter);
    const std::size_t end = mark[width - 1];
    if (others != 0 || chunk[end] != '\n' || end - begin > options_.max_row_bytes) break;
    const std::uint32_t carriage = end > begin && chunk[end - 1] == '\r' ? 1 : 0;
    if (run.rows == 0) run.tail = carriage;
    if (carriage != run.tail) break;
    begin = end + 1;
  }
  return run;
}

bool CsvDecoder::read_run(std::string_view chunk) {
  FieldRun run = next_run(chunk.data());
  if (run.rows == 0) return false;
  const std::uint32_t tail = run.tail;
  const std::uint32_t* const line_feeds = run.marks + run.stride;
  sink_.make_room_for(run.rows);
  for (std::size_t field = 0; field < run.stride; ++field, ++run.marks) {
    run.tail = field + 1 == run.stride ? tail : 0;
    for (const std::size_t column : columns_of_[field])
      run.rows = fields_.put_run(sink_.columns()[column], sink_.row(), run);
  }
  for (const std::size_t column : absent_)
    for (std::size_t row = 0; row < run.rows; ++row)
      sink_.columns()[column].put_null(sink_.row() + row);
  sink_.keep_lines(line_, chunk_at_ + at_, chunk_at_, line_feeds, run.stride, run.rows, tail);
  line_ += static_cast<std::int64_t>(run.rows);
  mark_ += run.rows * run.stride;
  if (run.rows > 0) at_ = line_feeds[(run.rows - 1) * run.stride] + 1;
  return true;
}

// Reads rows up to the chunk's end. False where nothing more can be read of the piece.
Result<bool> CsvDecoder::read_chunk(std::string_view piece, bool last) {
  static const CsvMarks& finder = quickest_csv_marks();
  const std::string_view chunk = piece.substr(chunk_at_, kChunkBytes);
  const bool at_end = chunk_at_ + chunk.size() == piece.size();
  marks_count_ = 1 + finder.find(chunk, options_.delimiter, marks_.data() + 1);
  mark_ = 1;
  at_ = 0;
  const bool has_nul = chunk.contains('\0');  // no text has: the plain reader says where
  while (!sink_.is_full() && at_ < chunk.size()) {
    if (!has_nul && read_run(chunk) && (sink_.is_full() || at_ == chunk.size())) break;
    const std::size_t first_mark = mark_;
    const Found found = has_nul ? Found::odd : read_row(chunk.data());
    if (found == Found::row && row_end_ - at_ <= options_.max_row_bytes) {
      for (const std::size_t column : absent_) sink_.columns()[column].put_null(sink_.row());
      const bool carriage = row_end_ > at_ && chunk[row_end_ - 1] == '\r';
      sink_.keep(line_, chunk_at_ + at_, chunk_at_ + row_end_ - (carriage ? 1 : 0));
      line_ += lines_in_row_ + 1;
      at_ = row_end_ + 1;
      continue;
    }
    // A row that the chunk cuts begins the next one, unless it began this one already.
    if (found == Found::cut && at_ > 0 && !at_end) break;
    COEVAL_ASSIGN(const bool read, read_plainly(piece, last));
    if (!read) return false;
    mark_ = first_mark;
    while (mark_ < marks_count_ && marks_[mark_] < at_) ++mark_;
  }
  return true;
}

Result<bool> CsvDecoder::read_plainly(std::string_view piece, bool last) {
  const std::size_t begin = chunk_at_ + at_;
  const std::string_view rest = piece.substr(begin);
  CsvScanner scanner(rest, options_.delimiter, line_);
  const bool found = scanner.next(record_);
  const std::size_t taken = scanner.taken();
  if (!last && (!found || taken == 0 || rest[taken - 1] != '\n')) return false;
  const std::uint64_t offset = offset_ + begin;
  if (!found) {
    if (!sink_.is_empty()) return false;  // the rows before it first, then the error
    return rows_.unterminated(scanner.unterminated_line(), offset + scanner.unterminated_at(),
                              scanner.unterminated_field());
  }
  if (record_.raw.size() > options_.max_row_bytes) {
    LongRow long_row(record_.raw, line_, offset);
    long_row.pass(record_.raw);
    sink_.add_bad(long_row.end(options_.max_row_bytes));
  } else if (!rows_.is_blank(record_)) {
    if (rows_.read(record_, offset)) {
      for (std::size_t column = 0; column < schema_.fields.size(); ++column)
        sink_.columns()[column].put(sink_.row(), rows_.cells()[column]);
      sink_.keep(line_, begin, begin + record_.raw.size());
    } else {
      sink_.add_bad(rows_.bad_row(record_, line_, offset));
    }
  }
  line_ = scanner.line();
  at_ += taken;
  return true;
}

Result<TextRows> CsvDecoder::decode(std::string_view piece, bool last, std::int64_t rows) {
  sink_.begin(std::max<std::int64_t>(rows, 1));
  chunk_at_ = 0;
  bool more = true;
  while (more && !sink_.is_full() && chunk_at_ < piece.size()) {
    COEVAL_ASSIGN(more, read_chunk(piece, last));
    chunk_at_ += at_;
  }
  offset_ += chunk_at_;
  return sink_.finish(chunk_at_);
}

Result<TextRows> CsvDecoder::skip(std::string_view piece, bool last) {
  if (!skipped_) {
    skipped_.emplace(options_.delimiter);
    long_row_.emplace(piece, line_, offset_);
  }
  const std::size_t taken = skipped_->pass(piece, offset_, line_);
  long_row_->pass(piece.substr(0, taken));
  offset_ += taken;
  sink_.begin(1);
  if (!skipped_->over() && !last) return sink_.finish(taken);
  if (!skipped_->over() && skipped_->is_quoted())
    return rows_.unterminated(skipped_->open_line(), skipped_->open_offset(),
                              skipped_->open_field());
  sink_.add_bad(long_row_->end(options_.max_row_bytes));
  skipped_.reset();
  return sink_.finish(taken);
}

}  // namespace

Result<std::unique_ptr<TextDecoder>> make_csv_decoder(Schema schema, TextOptions options) {
  COEVAL_TRY(check_csv_types(schema));
  COEVAL_TRY(check_csv_delimiter(options.delimiter));
  return std::make_unique<CsvDecoder>(std::move(schema), std::move(options));
}

}  // namespace coeval::data
