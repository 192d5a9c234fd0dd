#include "stores/text_table_files.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "stores/files.h"
#include "stores/pending_file.h"

namespace coeval::stores {

namespace {

/// What tells one text format from another.
struct TextFormat {
  Result<data::TextTable> (*read)(std::string_view text, const data::Schema& schema,
                                  std::span<const std::string> json_columns);
  std::string (*write)(const data::Batch& batch);
  bool has_header;
};
Result<data::TextTable> read_csv(std::string_view text, const data::Schema& schema,
                                 std::span<const std::string>) {
  return data::read_csv(text, schema);
}
constexpr TextFormat kCsv = {read_csv, data::write_csv, true};
constexpr TextFormat kJsonl = {data::read_jsonl, data::write_jsonl, false};

data::Batch empty_batch(const data::Schema& schema) {
  data::Batch batch{schema, {}, 0};
  for (const auto& field : schema.fields)
    batch.columns.push_back(data::ColumnBuilder(field.type).finish());
  return batch;
}

// The declared columns that were asked for, in the order asked.
Result<data::Schema> chosen_schema(const std::string& path, const ReadOptions& options) {
  if (!options.schema)
    return fail(Code::missing_value, "'" + path + "' is text, which carries no types",
                "declare its columns: [source.NAME.columns]");
  if (options.columns.empty()) return *options.schema;
  data::Schema chosen;
  for (const auto& column : options.columns) {
    const int index = options.schema->index_of(column);
    if (index < 0)
      return fail(Code::unknown_key, "no column '" + column + "' is declared for '" + path + "'",
                  "declare it, or correct the name");
    chosen.fields.push_back(options.schema->fields[static_cast<std::size_t>(index)]);
  }
  return chosen;
}

class TextReader final : public TableReader {
 public:
  TextReader(data::TextTable table, std::int64_t batch_rows)
      : table_(std::move(table)), batch_rows_(std::max<std::int64_t>(batch_rows, 1)) {}

  const data::Schema& schema() const override { return table_.rows.schema; }
  std::int64_t rows() const override { return table_.rows.rows; }
  std::span<const data::BadTextRow> bad_rows() const override { return table_.bad; }
  std::span<const std::int64_t> lines() const override { return table_.lines; }

  Result<data::Batch> next() override {
    const std::int64_t count = std::min(batch_rows_, rows() - given_);
    const bool whole = given_ == 0 && count == rows();
    std::vector<std::int64_t> wanted(static_cast<std::size_t>(count));
    std::iota(wanted.begin(), wanted.end(), given_);
    given_ += count;
    return whole ? table_.rows : data::take(table_.rows, wanted);
  }

 private:
  data::TextTable table_;
  std::int64_t batch_rows_;
  std::int64_t given_ = 0;
};

class TextWriter final : public TableWriter {
 public:
  TextWriter(const TextFormat& format, data::Schema schema, PendingFile file)
      : format_(format), schema_(std::move(schema)), file_(std::move(file)) {}

  Status begin() {
    if (!format_.has_header) return {};
    const std::string header = format_.write(empty_batch(schema_));
    header_bytes_ = header.size();
    return file_.write(header);
  }

  Status write(const data::Batch& batch) override {
    if (batch.schema != schema_)
      return fail(Code::type_mismatch, "a batch of another schema than the file was begun with",
                  "write every batch with the columns given to create()");
    const std::string text = format_.write(batch);
    return file_.write(std::string_view(text).substr(header_bytes_));
  }

  Status close() override { return file_.publish(); }

 private:
  const TextFormat& format_;
  data::Schema schema_;
  PendingFile file_;
  std::size_t header_bytes_ = 0;  // every text of a batch begins with the header: skip it
};

class TextFiles final : public TableFiles {
 public:
  explicit TextFiles(const TextFormat& format) : format_(format) {}

  Result<std::unique_ptr<TableReader>> open(const std::string& path,
                                            const ReadOptions& options) override {
    COEVAL_ASSIGN(const data::Schema schema, chosen_schema(path, options));
    COEVAL_ASSIGN(const std::string text, read_file(path));
    auto table = format_.read(text, schema, options.json_columns);
    if (!table)
      return std::unexpected(std::move(table).error().within("while reading '" + path + "'"));
    return std::make_unique<TextReader>(std::move(*table), options.batch_rows);
  }

  Result<std::unique_ptr<TableWriter>> create(const std::string& path, const data::Schema& schema,
                                              const WriteOptions&) override {
    if (format_.has_header) COEVAL_TRY(data::check_csv_types(schema));  // CSV
    COEVAL_ASSIGN(auto file, PendingFile::create(path, disk_files()));
    auto writer = std::make_unique<TextWriter>(format_, schema, std::move(file));
    COEVAL_TRY(writer->begin());
    return writer;
  }

 private:
  const TextFormat& format_;
};

}  // namespace

std::unique_ptr<TableFiles> make_csv_files() { return std::make_unique<TextFiles>(kCsv); }
std::unique_ptr<TableFiles> make_jsonl_files() { return std::make_unique<TextFiles>(kJsonl); }

}  // namespace coeval::stores
