#include "stores/text_table_files.h"

#include <utility>

#include "data/text_decoder.h"
#include "stores/pending_file.h"
#include "stores/text_reader.h"

namespace coeval::stores {

namespace {

/// What tells one text format from another.
struct TextFormat {
  Result<std::unique_ptr<data::TextDecoder>> (*decoder)(data::Schema schema,
                                                        data::TextOptions options);
  std::string (*write)(const data::Batch& batch);
  bool has_header;
};
Result<std::unique_ptr<data::TextDecoder>> jsonl_decoder(data::Schema schema,
                                                         data::TextOptions options) {
  return data::make_jsonl_decoder(std::move(schema), std::move(options));
}
constexpr TextFormat kCsv = {data::make_csv_decoder, data::write_csv, true};
constexpr TextFormat kJsonl = {jsonl_decoder, data::write_jsonl, false};

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
    COEVAL_ASSIGN(data::Schema schema, chosen_schema(path, options));
    COEVAL_ASSIGN(auto decoder, format_.decoder(std::move(schema),
                                                {options.delimiter, options.json_columns,
                                                 options.code_strings, options.max_record_bytes}));
    COEVAL_ASSIGN(auto bytes, options.open_bytes ? options.open_bytes(path) : open_bytes(path));
    return read_text(std::move(bytes), std::move(decoder), options);
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
