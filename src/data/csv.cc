#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "data/cell_text.h"
#include "data/csv_records.h"
#include "data/json.h"
#include "data/text_tables.h"
#include "data/utf8.h"

namespace coeval::data {

namespace {

// Column offsets are 32 bits, so that a text of this size always fits.
constexpr std::size_t kLargestText = (1ull << 31) - 1;

constexpr std::size_t kAbsent = SIZE_MAX;

// The field's text with doubled quotes made single; `room` holds it when it differs.
std::string_view unquoted(const CsvField& field, std::string& room) {
  if (!field.doubled) return field.text;
  room.clear();
  for (std::size_t i = 0; i < field.text.size(); ++i) {
    room += field.text[i];
    if (field.text[i] == '"') ++i;
  }
  return room;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const Schema& schema);
  Result<TextTable> read();

 private:
  Status read_header();
  Result<std::size_t> place_of(const std::string& column,
                               const std::vector<std::string>& header) const;
  bool is_blank(const CsvRecord& record) const;
  void read_row(const CsvRecord& record);
  std::string fault_of(const CsvRecord& record);
  std::string read_cell(const CsvRecord& record, std::size_t column);
  std::unexpected<Error> unterminated() const;

  const Schema& schema_;
  CsvScanner scanner_;
  CsvRecord record_;
  std::size_t width_ = 0;            // fields of the header
  std::vector<std::size_t> places_;  // for each column of the schema its field
  std::vector<ColumnBuilder> builders_;
  std::vector<Cell> cells_;         // one row, complete before any of it is appended
  std::vector<std::string> rooms_;  // what cells_ points to when quotes were doubled
  TextTable table_;
};

CsvReader::CsvReader(std::string_view text, const Schema& schema)
    : schema_(schema), scanner_(text), cells_(schema.fields.size()), rooms_(schema.fields.size()) {
  for (const Field& field : schema.fields) builders_.emplace_back(field.type);
}

std::unexpected<Error> CsvReader::unterminated() const {
  return fail(Code::bad_csv,
              "a quoted field is never closed; its quote opens on line " +
                  std::to_string(scanner_.unterminated_line()),
              "close the quote, or write a quote inside a field twice; the file may be cut short");
}

Result<std::size_t> CsvReader::place_of(const std::string& column,
                                        const std::vector<std::string>& header) const {
  const auto at = std::find(header.begin(), header.end(), column);
  if (at == header.end())
    return fail(Code::bad_csv, "the header has no column '" + column + "'",
                "name the columns in the first line");
  if (std::find(at + 1, header.end(), column) != header.end())
    return fail(Code::bad_csv, "the header names a column twice: '" + column + "'");
  return static_cast<std::size_t>(at - header.begin());
}

Status CsvReader::read_header() {
  if (!scanner_.next(record_)) {
    if (scanner_.unterminated_line() != 0) return unterminated();
    return fail(Code::bad_csv, "the text is empty, not even a header",
                "name the columns in the first line");
  }
  if (record_.fault != nullptr)
    return fail(Code::bad_csv, "the header has " + std::string(record_.fault));
  std::vector<std::string> header;
  std::string room;
  for (const CsvField& field : record_.fields) header.emplace_back(unquoted(field, room));
  width_ = header.size();
  for (const Field& field : schema_.fields) {
    // A file of before a nullable column was added: null, as in JSON lines.
    if (field.nullable && std::ranges::count(header, field.name) == 0) {
      places_.push_back(kAbsent);
      continue;
    }
    COEVAL_ASSIGN(const std::size_t place, place_of(field.name, header));
    places_.push_back(place);
  }
  return {};
}

// An empty line is a null in a table of one column, and nothing in a wider one.
bool CsvReader::is_blank(const CsvRecord& record) const { return width_ > 1 && record.raw.empty(); }

std::string CsvReader::read_cell(const CsvRecord& record, std::size_t column) {
  cells_[column] = Cell{};
  if (places_[column] == kAbsent) return {};
  const CsvField& field = record.fields[places_[column]];
  if (field.text.empty() && !field.quoted) return {};
  auto cell = parse_cell(unquoted(field, rooms_[column]), schema_.fields[column].type);
  if (!cell) return schema_.fields[column].name + ": " + cell.error().message;
  cells_[column] = *cell;
  return {};
}

std::string CsvReader::fault_of(const CsvRecord& record) {
  if (record.fault != nullptr) return record.fault;
  if (record.fields.size() != width_)
    return "expected fields: " + std::to_string(width_) + ", found " +
           std::to_string(record.fields.size());
  std::string faults;
  for (std::size_t column = 0; column < cells_.size(); ++column) {
    const std::string fault = read_cell(record, column);
    if (!faults.empty() && !fault.empty()) faults += "; ";
    faults += fault;
  }
  return faults;
}

void CsvReader::read_row(const CsvRecord& record) {
  std::string fault = fault_of(record);
  if (!fault.empty()) {
    table_.bad.push_back({record.line, std::string(record.raw), std::move(fault)});
    return;
  }
  for (std::size_t column = 0; column < cells_.size(); ++column)
    append_cell(builders_[column], cells_[column]);
  table_.lines.push_back(record.line);
}

Result<TextTable> CsvReader::read() {
  COEVAL_TRY(read_header());
  while (scanner_.next(record_))
    if (!is_blank(record_)) read_row(record_);
  if (scanner_.unterminated_line() != 0) return unterminated();
  table_.rows.schema = schema_;
  table_.rows.rows = static_cast<std::int64_t>(table_.lines.size());
  for (ColumnBuilder& builder : builders_) table_.rows.columns.push_back(builder.finish());
  return std::move(table_);
}

void append_csv_text(std::string& out, std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_csv_number(std::string& out, double value, Type type) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  std::array<char, 32> text{};
  char* end = text.data() + text.size();
  end = type == Type::float32 ? std::to_chars(text.data(), end, static_cast<float>(value)).ptr
                              : std::to_chars(text.data(), end, value).ptr;
  out.append(text.data(), end);
}

void append_csv_cell(std::string& out, const Column& column, std::int64_t row) {
  if (column.is_null(row)) return;
  if (column.type() == Type::string) return append_csv_text(out, column.string(row));
  if (is_float(column.type())) return append_csv_number(out, column.real(row), column.type());
  const Json cell = to_json(column.value(row), column.type());
  out += cell.string() != nullptr ? *cell.string() : cell.dump();
}

}  // namespace

Status check_csv_types(const Schema& schema) {
  for (const Field& field : schema.fields)
    if (is_list(field.type))
      return fail(Code::unsupported,
                  "column '" + field.name + "' is " + name(field.type) + ", which CSV cannot hold",
                  "use Parquet or JSON lines");
  return {};
}

Result<TextTable> read_csv(std::string_view text, const Schema& schema) {
  if (text.size() > kLargestText)
    return fail(Code::unsupported,
                "CSV text of 2 GiB or more in one piece, bytes: " + std::to_string(text.size()),
                "cut it into smaller files");
  COEVAL_TRY(check_csv_types(schema));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return CsvReader(text, schema).read();
}

std::string write_csv(const Batch& batch) {
  std::string out;
  for (std::size_t i = 0; i < batch.schema.fields.size(); ++i) {
    if (i > 0) out += ',';
    append_csv_text(out, batch.schema.fields[i].name);
  }
  out += '\n';
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      if (i > 0) out += ',';
      append_csv_cell(out, batch.columns[i], row);
    }
    out += '\n';
  }
  return out;
}

}  // namespace coeval::data
