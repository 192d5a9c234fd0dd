#include <array>
#include <charconv>
#include <cmath>

#include "data/csv_records.h"
#include "data/csv_rows.h"
#include "data/json.h"
#include "data/text_tables.h"

namespace coeval::data {

namespace {

// Column offsets are 32 bits, so that a text of this size always fits.
constexpr std::size_t kLargestText = (1ull << 31) - 1;

class CsvReader {
 public:
  CsvReader(std::string_view text, const Schema& schema, char delimiter)
      : schema_(schema), text_(text), rows_(schema, delimiter), scanner_(body(text), delimiter) {
    for (const Field& field : schema.fields) builders_.emplace_back(field.type);
  }
  Result<TextTable> read();

 private:
  static std::string_view body(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    return text;
  }
  // Of what the scanner reads, in the text.
  std::uint64_t offset_of(const char* at) const {
    return static_cast<std::uint64_t>(at - text_.data());
  }
  std::unexpected<Error> unterminated() const {
    return rows_.unterminated(scanner_.unterminated_line(),
                              offset_of(body(text_).data() + scanner_.unterminated_at()),
                              scanner_.unterminated_field());
  }
  Status read_header();
  void read_row();

  const Schema& schema_;
  std::string_view text_;
  CsvRows rows_;
  CsvScanner scanner_;
  CsvRecord record_;
  std::vector<ColumnBuilder> builders_;
  TextTable table_;
};

Status CsvReader::read_header() {
  if (scanner_.next(record_)) return rows_.read_header(record_, offset_of(record_.raw.data()));
  if (scanner_.unterminated_line() != 0) return unterminated();
  return CsvRows::no_header();
}

void CsvReader::read_row() {
  const std::uint64_t offset = offset_of(record_.raw.data());
  if (!rows_.read(record_, offset)) {
    table_.bad.push_back(rows_.bad_row(record_, record_.line, offset));
    return;
  }
  for (std::size_t column = 0; column < builders_.size(); ++column)
    append_cell(builders_[column], rows_.cells()[column]);
  table_.lines.push_back(record_.line);
}

Result<TextTable> CsvReader::read() {
  COEVAL_TRY(read_header());
  while (scanner_.next(record_))
    if (!rows_.is_blank(record_)) read_row();
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

Status check_csv_delimiter(char delimiter) {
  if (std::string_view(",;\t|").contains(delimiter)) return {};
  return fail(Code::unsupported, "a delimiter of CSV that is none of , ; | and the tab",
              "write the fields between one of these");
}

Result<TextTable> read_csv(std::string_view text, const Schema& schema, char delimiter) {
  if (text.size() > kLargestText)
    return fail(Code::unsupported,
                "CSV text of 2 GiB or more in one piece, bytes: " + std::to_string(text.size()),
                "cut it into smaller files");
  COEVAL_TRY(check_csv_types(schema));
  COEVAL_TRY(check_csv_delimiter(delimiter));
  return CsvReader(text, schema, delimiter).read();
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
