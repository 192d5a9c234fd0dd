#include "data/csv_rows.h"

#include <algorithm>
#include <array>

#include "data/utf8.h"

namespace coeval::data {

namespace {

std::string at_byte(std::uint64_t offset) { return " (byte " + std::to_string(offset) + ")"; }

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::string excerpt(std::string_view text) {
  return "'" + std::string(utf8_prefix(text, 40)) + (text.size() > 40 ? "...'" : "'");
}

// How often a header would fall apart at another delimiter.
std::string_view likely_delimiter(std::string_view header, char used) {
  constexpr std::array<std::pair<char, std::string_view>, 4> kNames = {
      {{';', "';'"}, {'\t', "a tab"}, {'|', "'|'"}, {',', "','"}}};
  std::string_view best;
  std::ptrdiff_t most = 0;
  for (const auto& [delimiter, name] : kNames) {
    const auto count = std::count(header.begin(), header.end(), delimiter);
    if (delimiter == used || count <= most) continue;
    most = count;
    best = name;
  }
  return best;
}

// The first byte that is not UTF-8.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t size = utf8_sequence(text.substr(at));
    if (size == 0) break;
    at += size;
  }
  return at;
}

std::string not_utf8(std::string_view text, std::uint64_t offset) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const std::size_t at = first_bad_byte(text);
  const auto byte = static_cast<unsigned char>(text[at]);
  std::string fault = "the text is not UTF-8: 0x";
  fault += kDigits[byte >> 4];
  fault += kDigits[byte & 15];
  if (byte >= 0xA0) {  // printed by Latin-1
    fault += ", which in Latin-1 is '";
    fault += static_cast<char>(0xC0 | byte >> 6);
    fault += static_cast<char>(0x80 | (byte & 63));
    fault += '\'';
  }
  return fault + at_byte(offset + at);
}

}  // namespace

std::string_view unquoted(const CsvField& field, std::string& room) {
  if (!field.doubled) return field.text;
  room.clear();
  for (std::size_t i = 0; i < field.text.size(); ++i) {
    room += field.text[i];
    if (field.text[i] == '"') ++i;
  }
  return room;
}

CsvRows::CsvRows(const Schema& schema, char delimiter)
    : schema_(schema),
      delimiter_(delimiter),
      cells_(schema.fields.size()),
      rooms_(schema.fields.size()) {}

std::string CsvRows::field_name(std::size_t field) const {
  return field < header_.size() ? "'" + header_[field] + "'" : "field " + std::to_string(field + 1);
}

std::unexpected<Error> CsvRows::unterminated(std::int64_t line, std::uint64_t offset,
                                             std::size_t field) const {
  return fail(Code::bad_csv,
              "a quoted field is never closed; its quote opens on line " + std::to_string(line) +
                  ", in " + field_name(field) + at_byte(offset),
              "close the quote, or write a quote inside a field twice; the file may be cut short");
}

std::unexpected<Error> CsvRows::no_header() {
  return fail(Code::bad_csv, "the text is empty, not even a header",
              "name the columns in the first line");
}

std::unexpected<Error> CsvRows::no_column(const std::string& column) const {
  const std::string message = "the header has no column '" + column + "'";
  for (const std::string& name : header_)
    if (trimmed(name) == column)
      return fail(Code::bad_csv, message,
                  "it has " + excerpt(name) + ", with spaces around it: take them out");
  const std::string_view name = header_.front();
  if (std::ranges::any_of(header_, [](const std::string& n) { return n.contains('\r'); }))
    return fail(Code::bad_csv, message, "its lines seem to end in CR alone: convert them to LF");
  if (name.contains('\0') || name.starts_with("\xFF\xFE") || name.starts_with("\xFE\xFF"))
    return fail(Code::bad_csv, message, "the text looks like UTF-16: convert it to UTF-8");
  const std::string_view likely = likely_delimiter(name, delimiter_);
  if (header_.size() == 1 && !likely.empty())
    return fail(Code::bad_csv, message,
                "its fields seem to stand between " + std::string(likely) +
                    ": declare it as the source's `delimiter`");
  return fail(Code::bad_csv, message, "name the columns in the first line");
}

Result<std::size_t> CsvRows::place_of(const std::string& column) const {
  const auto at = std::find(header_.begin(), header_.end(), column);
  if (at == header_.end()) return no_column(column);
  const auto again = std::find(at + 1, header_.end(), column);
  if (again != header_.end())
    return fail(Code::bad_csv, "the header names a column twice: '" + column + "'",
                "it is field " + std::to_string(at - header_.begin() + 1) + " and field " +
                    std::to_string(again - header_.begin() + 1));
  return static_cast<std::size_t>(at - header_.begin());
}

// A file of before a nullable column was added has null there, as JSON lines have. But a header
// that names none of the columns, or this one with spaces around it, is of something else.
bool CsvRows::may_be_absent(const Field& field) const {
  const auto is_named = [&](const Field& other) {
    return std::ranges::find(header_, other.name) != header_.end();
  };
  return field.nullable && !is_named(field) && std::ranges::any_of(schema_.fields, is_named) &&
         std::ranges::none_of(header_, [&](const std::string& name) {
           return trimmed(name) == field.name || name.contains('\r');
         });
}

Status CsvRows::read_header(const CsvRecord& record, std::uint64_t offset) {
  if (record.fault != nullptr)
    return fail(Code::bad_csv, "the header has " + std::string(record.fault) + ", in " +
                                   field_name(record.fault_field) +
                                   at_byte(offset + record.fault_at));
  std::string room;
  for (const CsvField& field : record.fields) header_.emplace_back(unquoted(field, room));
  for (const Field& field : schema_.fields) {
    if (may_be_absent(field)) {
      places_.push_back(kAbsent);
      continue;
    }
    COEVAL_ASSIGN(const std::size_t place, place_of(field.name));
    places_.push_back(place);
  }
  return {};
}

std::string CsvRows::wrong_width(const CsvRecord& record, std::uint64_t offset) const {
  const std::size_t found = record.fields.size();
  std::string fault =
      "expected fields: " + std::to_string(width()) + ", found " + std::to_string(found);
  if (found < width()) return fault + "; none for " + field_name(found) + at_byte(offset);
  const CsvField& first = record.fields[width()];
  const auto at = static_cast<std::uint64_t>(first.text.data() - record.raw.data());
  return fault + "; the first without a name is " + excerpt(first.text) + at_byte(offset + at);
}

void CsvRows::read_cell(const CsvRecord& record, std::uint64_t offset, std::size_t column) {
  cells_[column] = Cell{};
  if (places_[column] == kAbsent) return;
  const CsvField& field = record.fields[places_[column]];
  if (field.text.empty() && !field.quoted) return;
  const std::string_view text = unquoted(field, rooms_[column]);
  auto cell = parse_cell(text, schema_.fields[column].type);
  const std::size_t nul = field.text.find('\0');
  if (cell && nul == std::string_view::npos) {
    cells_[column] = *cell;
    return;
  }
  const std::uint64_t at =
      offset + static_cast<std::uint64_t>(field.text.data() - record.raw.data());
  std::string reason = schema_.fields[column].name + ": ";
  if (nul != std::string_view::npos)
    reason += "holds a byte 0" + at_byte(at + nul);
  else if (schema_.fields[column].type == Type::string)
    reason += not_utf8(field.text, at);
  else
    reason += cell.error().message + at_byte(at);
  bad_cells_.push_back({static_cast<int>(column), false, text, std::move(reason)});
}

// In a field that no column reads: no text has such a byte, so the file is damaged there.
void CsvRows::find_byte_0(const CsvRecord& record, std::uint64_t offset) {
  const std::size_t nul = record.raw.find('\0');
  if (nul == std::string_view::npos) return;
  const char* const at = record.raw.data() + nul;
  const auto behind = std::ranges::find_if(
      record.fields, [&](const CsvField& field) { return field.text.data() > at; });
  const auto field = static_cast<std::size_t>(behind - record.fields.begin());
  fault_ = "a byte 0, in " + field_name(field == 0 ? 0 : field - 1) + at_byte(offset + nul);
}

bool CsvRows::read(const CsvRecord& record, std::uint64_t offset) {
  fault_.clear();
  bad_cells_.clear();
  if (record.fault != nullptr)
    fault_ = std::string(record.fault) + ", in " + field_name(record.fault_field) +
             at_byte(offset + record.fault_at);
  else if (record.fields.size() != width())
    fault_ = wrong_width(record, offset);
  if (!fault_.empty()) return false;
  for (std::size_t column = 0; column < cells_.size(); ++column) read_cell(record, offset, column);
  if (bad_cells_.empty()) find_byte_0(record, offset);
  return bad_cells_.empty() && fault_.empty();
}

BadTextRow CsvRows::bad_row(const CsvRecord& record, std::int64_t line, std::uint64_t offset) {
  BadTextRow bad{line, std::string(record.raw), std::move(fault_), offset};
  if (bad_cells_.empty()) return bad;
  bad.reason = reasons_of(bad_cells_);
  bad.cells = std::move(bad_cells_);
  for (const Cell& cell : cells_) bad.values.push_back(to_value(cell));
  return bad;
}

}  // namespace coeval::data
