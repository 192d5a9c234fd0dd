#include "adapters/parquet/arrow_writer.h"

#include <stdexcept>
#include <utility>

#include <arrow/array.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "adapters/parquet/arrow_errors.h"
#include "adapters/parquet/arrow_export.h"
#include "adapters/parquet/pending_sink.h"

namespace coeval::parquet_adapter {

namespace {

// Arrow's writer hands on the buffers of a batch as they are, and the sink would keep them after
// the batch is gone: here they are copied.
class CopyingStream final : public arrow::io::OutputStream {
 public:
  explicit CopyingStream(std::shared_ptr<PendingSink> sink) : sink_(std::move(sink)) {}
  arrow::Status Write(const void* bytes, std::int64_t size) override {
    return sink_->Write(bytes, size);
  }
  arrow::Status Write(const std::shared_ptr<arrow::Buffer>& buffer) override {
    return sink_->Write(buffer->data(), buffer->size());
  }
  arrow::Result<std::int64_t> Tell() const override { return sink_->Tell(); }
  bool closed() const override { return sink_->closed(); }
  arrow::Status Close() override { return sink_->Close(); }

 private:
  std::shared_ptr<PendingSink> sink_;
};

class ArrowWriter final : public stores::TableWriter {
 public:
  ArrowWriter(std::string path, data::Schema schema, std::shared_ptr<PendingSink> sink,
              std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : path_(std::move(path)),
        schema_(std::move(schema)),
        sink_(std::move(sink)),
        writer_(std::move(writer)) {}

  Status write(const data::Batch& batch) override {
    data::Batch plain{schema_, batch.columns, batch.rows};
    for (std::size_t i = 0; i < schema_.fields.size(); ++i) {
      const auto& field = schema_.fields[i];
      if (batch.columns.size() != schema_.fields.size() || batch.columns[i].type() != field.type)
        return fail(Code::type_mismatch,
                    "a batch for '" + path_ + "' has other columns than the file");
      if (!field.nullable && batch.columns[i].has_nulls())
        return fail(Code::missing_value, "column '" + field.name + "' of '" + path_ +
                                             "' holds nulls, but is not nullable");
      if (batch.columns[i].is_coded()) plain.columns[i] = decoded(batch.columns[i]);
    }
    return step([&] { return writer_->WriteRecordBatch(*to_arrow(plain)); });
  }

  Status close() override {
    COEVAL_TRY(step([&] { return writer_->Close(); }));
    COEVAL_TRY(step([&] { return sink_->Close(); }));
    failed_ = true;  // closed: nothing more can be written
    return sink_->publish();
  }

 private:
  static data::Column decoded(const data::Column& coded) {
    data::ColumnBuilder builder(coded.type());
    builder.reserve(coded.size());
    for (std::int64_t row = 0; row < coded.size(); ++row) {
      if (coded.is_null(row))
        builder.append_null();
      else
        builder.append_string(coded.string(row));
    }
    return builder.finish();
  }

  // After a failure the file is only good for being thrown away.
  template <class Body>
  Status step(Body&& body) {
    if (failed_)
      return fail(Code::io, "'" + path_ + "' was closed, or an earlier write to it failed");
    Status done = guarded(path_, write_error, [&]() -> Status {
      const arrow::Status status = body();
      if (status.ok()) return {};
      return std::unexpected(write_error(path_, std::runtime_error(status.message())));
    });
    failed_ = !done.has_value();
    if (failed_)
      if (const auto why = sink_->error()) return std::unexpected(*why);
    return done;
  }

  std::string path_;
  data::Schema schema_;
  std::shared_ptr<PendingSink> sink_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  bool failed_ = false;
};

}  // namespace

Result<std::unique_ptr<stores::TableWriter>> create_arrow_writer(const std::string& path,
                                                                 const data::Schema& schema) {
  return guarded(path, write_error, [&]() -> Result<std::unique_ptr<stores::TableWriter>> {
    COEVAL_ASSIGN(const auto arrow_schema, to_arrow(schema));
    COEVAL_ASSIGN(auto pending, stores::PendingFile::create(path, stores::disk_files()));
    auto sink = std::make_shared<PendingSink>(std::move(pending));
    auto writer = arrow::ipc::MakeFileWriter(std::make_shared<CopyingStream>(sink), arrow_schema);
    if (!writer.ok())
      return std::unexpected(write_error(path, std::runtime_error(writer.status().message())));
    return std::make_unique<ArrowWriter>(path, schema, std::move(sink), *std::move(writer));
  });
}

}  // namespace coeval::parquet_adapter
