#include <algorithm>

#include "data/json.h"
#include "data/jsonl_rows.h"
#include "data/text_tables.h"

namespace coeval::data {

namespace {

// Column offsets are 32 bits, and no escape makes a string longer than its JSON.
constexpr std::size_t kLargestJsonl = (1ull << 31) - 1;

class JsonlReader {
 public:
  JsonlReader(const Schema& schema, std::span<const std::string> as_text)
      : schema_(schema), rows_(schema, as_text) {
    for (const Field& field : schema.fields) builders_.emplace_back(field.type);
  }
  void read_line(std::string_view line, std::int64_t number, std::uint64_t offset);
  TextTable finish();

 private:
  const Schema& schema_;
  JsonlRows rows_;
  std::vector<ColumnBuilder> builders_;
  TextTable table_;
};

void JsonlReader::read_line(std::string_view line, std::int64_t number, std::uint64_t offset) {
  if (!rows_.read(line, number)) {
    table_.bad.push_back(rows_.bad_row(line, number, offset));
    return;
  }
  for (std::size_t column = 0; column < builders_.size(); ++column)
    builders_[column].append(rows_.values()[column]);
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
  const char* const begin = text.data();
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  JsonlReader reader(schema, as_text);
  for (std::int64_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = JsonlRows::without_line_end(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!JsonlRows::is_blank(line))
      reader.read_line(line, number, static_cast<std::uint64_t>(line.data() - begin));
  }
  return reader.finish();
}

std::string row_json(const Batch& batch, std::int64_t row) {
  Json::Object members;
  members.reserve(batch.columns.size());
  for (std::size_t i = 0; i < batch.columns.size(); ++i) {
    const Field& field = batch.schema.fields[i];
    members.emplace_back(field.name, to_json(batch.columns[i].value(row), field.type));
  }
  return Json(std::move(members)).dump_bytes();
}

std::string write_jsonl(const Batch& batch) {
  std::string out;
  for (std::int64_t row = 0; row < batch.rows; ++row) {
    out += row_json(batch, row);
    out += '\n';
  }
  return out;
}

}  // namespace coeval::data
