#include <algorithm>

#include "data/json.h"
#include "data/text_tables.h"

namespace coeval::data {

namespace {

// Column offsets are 32 bits, and no escape makes a string longer than its JSON.
constexpr std::size_t kLargestJsonl = (1ull << 31) - 1;

class JsonlReader {
 public:
  JsonlReader(const Schema& schema, std::span<const std::string> as_text);
  void read_line(std::string_view line, std::int64_t number);
  TextTable finish();

 private:
  std::string fault_of(std::string_view line, std::int64_t number);
  std::string read_member(const Json& row, std::size_t column);

  const Schema& schema_;
  JsonParser parser_;
  std::vector<ColumnBuilder> builders_;
  std::vector<Value> values_;  // one row, complete before any of it is appended
  TextTable table_;
  JsonTexts texts_;
};

JsonlReader::JsonlReader(const Schema& schema, std::span<const std::string> as_text)
    : schema_(schema), values_(schema.fields.size()) {
  texts_.as_text = as_text;
  for (const Field& field : schema.fields) {
    builders_.emplace_back(field.type);
    texts_.numbers = texts_.numbers || is_decimal(field.type);
  }
}

// A null is left to the quality rules of the source; an absent member says that the writer's idea
// of the row is another one.
std::string JsonlReader::read_member(const Json& row, std::size_t column) {
  const Field& field = schema_.fields[column];
  const Json* member = row.find(field.name);
  values_[column] = Value{};
  if (member == nullptr) return field.nullable ? "" : field.name + ": missing";
  auto value = from_json(*member, field.type);
  if (!value) return field.name + ": " + value.error().message;
  values_[column] = std::move(*value);
  return {};
}

std::string JsonlReader::fault_of(std::string_view line, std::int64_t number) {
  const auto row = parser_.parse(line, {}, number, texts_);
  if (!row) return row.error().message;
  if (row->object() == nullptr) return "expected an object, found " + std::string(row->kind());
  std::string faults;
  for (std::size_t column = 0; column < values_.size(); ++column) {
    const std::string fault = read_member(*row, column);
    if (!faults.empty() && !fault.empty()) faults += "; ";
    faults += fault;
  }
  return faults;
}

void JsonlReader::read_line(std::string_view line, std::int64_t number) {
  std::string fault = fault_of(line, number);
  if (!fault.empty()) {
    table_.bad.push_back({number, std::string(line), std::move(fault)});
    return;
  }
  for (std::size_t column = 0; column < values_.size(); ++column)
    builders_[column].append(values_[column]);
  table_.lines.push_back(number);
}

TextTable JsonlReader::finish() {
  table_.rows.schema = schema_;
  table_.rows.rows = static_cast<std::int64_t>(table_.lines.size());
  for (ColumnBuilder& builder : builders_) table_.rows.columns.push_back(builder.finish());
  return std::move(table_);
}

}  // namespace

Result<TextTable> read_jsonl(std::string_view text, const Schema& schema,
                             std::span<const std::string> as_text) {
  if (text.size() > kLargestJsonl)
    return fail(Code::unsupported,
                "JSON lines of 2 GiB or more in one piece, bytes: " + std::to_string(text.size()),
                "cut it into smaller files");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  JsonlReader reader(schema, as_text);
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) reader.read_line(line, number);
  }
  return reader.finish();
}

std::string write_jsonl(const Batch& batch) {
  std::string out;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    Json::Object members;
    members.reserve(batch.columns.size());
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
      const Field& field = batch.schema.fields[i];
      members.emplace_back(field.name, to_json(batch.columns[i].value(row), field.type));
    }
    out += Json(std::move(members)).dump();
    out += '\n';
  }
  return out;
}

}  // namespace coeval::data
