#include "adapters/parquet/arrow_ipc.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "adapters/parquet/arrow_errors.h"
#include "adapters/parquet/arrow_import.h"
#include "adapters/parquet/arrow_writer.h"
#include "adapters/parquet/chosen_fields.h"
#include "adapters/parquet/memory_pool.h"

namespace coeval::parquet_adapter {

namespace {

// Text as bytes: whether it is UTF-8 is a rule of each row, not of the file.
std::shared_ptr<arrow::ArrayData> as_bytes(const arrow::ArrayData& data) {
  auto bytes = data.Copy();
  if (data.type->id() == arrow::Type::STRING) bytes->type = arrow::binary();
  if (data.type->id() == arrow::Type::LARGE_STRING) bytes->type = arrow::large_binary();
  if (data.type->id() == arrow::Type::DICTIONARY) {
    const auto& type = static_cast<const arrow::DictionaryType&>(*data.type);
    bytes->dictionary = as_bytes(*data.dictionary);
    bytes->type = arrow::dictionary(type.index_type(), bytes->dictionary->type, type.ordered());
  }
  return bytes;
}

// Lengths, offsets and codes of every column, as nothing behind it looks at them again.
arrow::Status validate(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(batch.Validate());
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Status valid = arrow::MakeArray(as_bytes(*batch.column_data(i)))->ValidateFull();
    if (!valid.ok()) return valid.WithMessage("In column ", i, ": ", valid.message());
  }
  return arrow::Status::OK();
}

constexpr std::string_view kFileMagic = "ARROW1";  // at both ends; at the first padded to 8 bytes
constexpr std::size_t kFileStart = 8;
constexpr std::string_view kOldFeather = "FEA1";
constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;
constexpr std::size_t kReadAtOnce = std::size_t{16} << 20;

Error damaged(const std::string& path, const std::string& why) {
  return fail(Code::bad_file, "cannot read '" + path + "' as Arrow: " + why,
              "the file is cut short, damaged, or not Arrow: fetch or write it again")
      .error();
}

Error arrow_error(const std::string& path, const arrow::Status& status) {
  if (status.IsOutOfMemory())
    return fail(Code::io, "out of memory while reading '" + path + "'",
                "write it in smaller record batches")
        .error();
  const std::string& text = status.message();
  if (status.IsNotImplemented())
    return fail(Code::unsupported, "cannot read '" + path + "': " + text.substr(0, text.find('\n')),
                "write it with LZ4, zstd or no compression, and with common types")
        .error();
  return damaged(path, text.substr(0, text.find('\n')));
}

Error thrown_error(const std::string& path, const std::exception& exception) {
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr)
    return arrow_error(path, arrow::Status::OutOfMemory(""));
  return damaged(path, exception.what());
}

// Our bytes as Arrow asks for them. What it asks for is what the file claims: memory is taken only
// as bytes arrive.
class SourceStream final : public arrow::io::InputStream {
 public:
  explicit SourceStream(std::unique_ptr<stores::ByteSource> bytes) : bytes_(std::move(bytes)) {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }

  arrow::Result<std::int64_t> Read(std::int64_t size, void* out) override {
    auto* to = static_cast<char*>(out);
    std::int64_t done = 0;
    while (done < size) {
      auto got = bytes_->read(std::span(to + done, static_cast<std::size_t>(size - done)));
      if (!got) {
        error_ = std::move(got).error();
        return arrow::Status::IOError("the bytes cannot be read");
      }
      hit_end_ = *got == 0;
      if (hit_end_) break;
      done += static_cast<std::int64_t>(*got);
    }
    remember(std::string_view(to, static_cast<std::size_t>(done)));
    position_ += done;
    return done;
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(0, memory_pool()));
    std::int64_t done = 0;
    while (done < size) {
      // Doubling, so that what was copied stays in proportion.
      const std::int64_t step = std::min<std::int64_t>(
          size - done, std::max<std::int64_t>(static_cast<std::int64_t>(kReadAtOnce), done));
      ARROW_RETURN_NOT_OK(buffer->Resize(done + step, false));
      ARROW_ASSIGN_OR_RAISE(const std::int64_t got, Read(step, buffer->mutable_data() + done));
      done += got;
      if (got < step) break;
    }
    ARROW_RETURN_NOT_OK(buffer->Resize(done, false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  /// What the source said when it failed.
  std::optional<Error>& error() { return error_; }
  const stores::ByteSource& bytes() const { return *bytes_; }
  /// Whether more bytes were asked for than there are.
  bool hit_end() const { return hit_end_; }
  /// The last bytes that were read, at most as many as the magic has.
  const std::string& last() const { return last_; }

 private:
  void remember(std::string_view text) {
    last_.append(text.substr(text.size() - std::min(text.size(), kFileMagic.size())));
    if (last_.size() > kFileMagic.size()) last_.erase(0, last_.size() - kFileMagic.size());
  }

  std::unique_ptr<stores::ByteSource> bytes_;
  std::int64_t position_ = 0;
  bool closed_ = false, hit_end_ = false;
  std::optional<Error> error_;
  std::string last_;
};

// The bytes that were looked at, and what follows them.
class Replayed final : public stores::ByteSource {
 public:
  Replayed(std::string first, std::unique_ptr<stores::ByteSource> rest)
      : first_(std::move(first)), rest_(std::move(rest)) {}
  Result<std::size_t> read(std::span<char> into) override {
    if (at_ == first_.size()) return rest_->read(into);
    const std::size_t count = std::min(into.size(), first_.size() - at_);
    std::memcpy(into.data(), first_.data() + at_, count);
    at_ += count;
    return count;
  }
  const std::string& name() const override { return rest_->name(); }
  std::uint64_t bytes_read() const override { return rest_->bytes_read(); }
  std::uint64_t bytes_total() const override { return rest_->bytes_total(); }

 private:
  std::string first_;
  std::unique_ptr<stores::ByteSource> rest_;
  std::size_t at_ = 0;
};

class ArrowReader final : public stores::TableReader {
 public:
  ArrowReader(std::shared_ptr<SourceStream> stream, bool is_file, std::int64_t batch_rows)
      : stream_(std::move(stream)),
        path_(stream_->bytes().name()),
        is_file_(is_file),
        batch_rows_(std::max<std::int64_t>(batch_rows, 1)),
        pool_(limited_pool(kMostBytes)) {}

  Status open(const std::vector<std::string>& columns) {
    return guarded(path_, thrown_error, [&] { return open_batches(columns); });
  }
  /// In place of open().
  Result<std::vector<std::string>> names() {
    return guarded(path_, thrown_error, [&]() -> Result<std::vector<std::string>> {
      COEVAL_TRY(open_stream());
      std::vector<std::string> names;
      for (const auto& field : batches_->schema()->fields()) names.push_back(field->name());
      return names;
    });
  }

  const data::Schema& schema() const override { return schema_; }
  std::int64_t rows() const override { return -1; }
  std::uint64_t bytes_read() const override { return stream_->bytes().bytes_read(); }
  std::uint64_t bytes_total() const override { return stream_->bytes().bytes_total(); }

  Result<data::Batch> next() override {
    return guarded(path_, thrown_error, [&] { return next_batch(); });
  }

 private:
  std::unexpected<Error> failed(const arrow::Status& status) {
    if (stream_->error()) return std::unexpected(*std::exchange(stream_->error(), std::nullopt));
    return std::unexpected(arrow_error(path_, status));
  }

  Status open_stream() {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.memory_pool = pool_.get();
    options.use_threads = false;
    options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
    auto opened = arrow::ipc::RecordBatchStreamReader::Open(stream_, options);
    if (!opened.ok()) return failed(opened.status());
    batches_ = *opened;
    return {};
  }

  Status open_batches(const std::vector<std::string>& columns) {
    COEVAL_TRY(open_stream());
    const arrow::Schema& schema = *batches_->schema();
    COEVAL_ASSIGN(fields_, chosen_fields(path_, schema, columns));
    for (const int index : fields_) COEVAL_TRY(add_column(*schema.field(index)));
    return {};
  }

  Status add_column(const arrow::Field& field) {
    auto type = type_of(field.name(), *field.type());
    const bool coded = field.type()->id() == arrow::Type::DICTIONARY;
    if (type && coded && *type != data::Type::string)
      type = fail(Code::unsupported,
                  "column '" + field.name() + "' has the type " + field.type()->ToString() +
                      ", which is not read yet",
                  "write the column without a dictionary");
    if (!type) return std::unexpected(std::move(type).error().within("reading '" + path_ + "'"));
    schema_.fields.push_back({field.name(), *type, field.nullable()});
    importers_.emplace_back(field.name(), *type);
    return {};
  }

  Result<data::Batch> next_batch() {
    while (batch_ == nullptr || done_ == batch_->num_rows()) {
      done_ = 0;
      const arrow::Status read = batches_->ReadNext(&batch_);
      if (!read.ok()) return failed(read);
      if (batch_ == nullptr) return at_end();
      ++batch_number_;
      if (const arrow::Status valid = validate(*batch_); !valid.ok())
        return std::unexpected(damaged(
            path_, "record batch " + std::to_string(batch_number_) + ": " + valid.message()));
    }
    const std::int64_t count = std::min(batch_rows_, batch_->num_rows() - done_);
    data::Batch out{schema_, {}, count};
    for (std::size_t i = 0; i < importers_.size(); ++i) {
      auto column = importers_[i].import(batch_->column(fields_[i])->Slice(done_, count));
      if (!column)
        return std::unexpected(std::move(column).error().within("reading '" + path_ + "'"));
      out.columns.push_back(std::move(*column));
    }
    done_ += count;
    return out;
  }

  // Arrow takes the end of the bytes for the end of the batches. But there is a mark for it, behind
  // which it does not ask for more.
  Result<data::Batch> at_end() {
    if (!ended_) COEVAL_TRY(check_end());
    ended_ = true;
    data::Batch none{schema_, {}, 0};
    for (const auto& importer : importers_)
      none.columns.push_back(data::ColumnBuilder(importer.type()).finish());
    return none;
  }

  Status check_end() {
    if (stream_->hit_end())
      return std::unexpected(
          damaged(path_, "it has no end; batches read: " + std::to_string(batch_number_)));
    std::vector<char> rest(std::size_t{1} << 16);
    std::int64_t behind = 0;
    for (;;) {
      const auto got = stream_->Read(static_cast<std::int64_t>(rest.size()), rest.data());
      if (!got.ok()) return failed(got.status());
      if (*got == 0) break;
      behind += *got;
    }
    if (is_file_ ? !stream_->last().ends_with(kFileMagic) : behind > 0)
      return std::unexpected(damaged(
          path_, is_file_ ? "its footer is not there" : "bytes follow the end of the stream"));
    return {};
  }

  std::shared_ptr<SourceStream> stream_;
  std::string path_;
  bool is_file_;
  std::int64_t batch_rows_;
  std::shared_ptr<arrow::MemoryPool> pool_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  data::Schema schema_;
  std::vector<int> fields_;
  std::vector<ColumnImporter> importers_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::int64_t done_ = 0, batch_number_ = 0;
  bool ended_ = false;
};

// Not open yet.
Result<std::unique_ptr<ArrowReader>> reader_of(std::unique_ptr<stores::ByteSource> bytes,
                                               const stores::ReadOptions& options) {
  std::string first(kFileStart, '\0');
  std::size_t size = 0;
  while (size < first.size()) {
    COEVAL_ASSIGN(const std::size_t got, bytes->read(std::span(first).subspan(size)));
    if (got == 0) break;
    size += got;
  }
  first.resize(size);
  if (first.starts_with(kOldFeather))
    return fail(Code::unsupported,
                "'" + bytes->name() + "' is Feather V1, which Arrow has given up",
                "write it as Feather V2 or Parquet");
  const bool is_file = first.size() == kFileStart && first.starts_with(kFileMagic);
  if (is_file) first.clear();
  auto stream = std::make_shared<SourceStream>(
      std::make_unique<Replayed>(std::move(first), std::move(bytes)));
  return std::make_unique<ArrowReader>(std::move(stream), is_file, options.batch_rows);
}

class ArrowFiles final : public stores::TableFiles {
 public:
  Result<std::unique_ptr<stores::TableReader>> open(const std::string& path,
                                                    const stores::ReadOptions& options) override {
    COEVAL_ASSIGN(auto bytes,
                  options.open_bytes ? options.open_bytes(path) : stores::open_bytes(path));
    return open_arrow(std::move(bytes), options);
  }
  Result<std::vector<std::string>> column_names(const std::string& path) override {
    COEVAL_ASSIGN(auto bytes, stores::open_bytes(path));
    COEVAL_ASSIGN(const auto reader, reader_of(std::move(bytes), {}));
    return reader->names();
  }
  Result<std::unique_ptr<stores::TableWriter>> create(const std::string& path,
                                                      const data::Schema& schema,
                                                      const stores::WriteOptions&) override {
    return create_arrow_writer(path, schema);
  }
};

}  // namespace

Result<std::unique_ptr<stores::TableReader>> open_arrow(std::unique_ptr<stores::ByteSource> bytes,
                                                        const stores::ReadOptions& options) {
  COEVAL_ASSIGN(auto reader, reader_of(std::move(bytes), options));
  COEVAL_TRY(reader->open(options.columns));
  return reader;
}

std::unique_ptr<stores::TableFiles> make_arrow_files() { return std::make_unique<ArrowFiles>(); }

}  // namespace coeval::parquet_adapter

int coeval_arrow_files_v1(coeval::stores::TableFiles** out) {
  try {
    *out = coeval::parquet_adapter::make_arrow_files().release();
    return 0;
  } catch (const std::exception&) {
    return 1;
  }
}
