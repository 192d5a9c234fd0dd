#include "cli/generated_output.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "cli/out_file.h"
#include "stores/files.h"
#include "stores/pending_file.h"

namespace coeval::cli {

namespace {

class Nowhere final : public stores::TableWriter {
 public:
  Status write(const data::Batch&) override { return {}; }
  Status close() override { return {}; }
};

// The text of a batch begins with a header in CSV: only the first keeps it.
class StandardOutput final : public stores::TableWriter {
 public:
  StandardOutput(bool is_csv, const data::Schema& schema) : is_csv_(is_csv) {
    if (!is_csv) return;
    data::Batch empty{schema, {}, 0};
    for (const auto& field : schema.fields)
      empty.columns.push_back(data::ColumnBuilder(field.type).finish());
    header_ = data::write_csv(empty);
  }

  Status write(const data::Batch& batch) override {
    const std::string text = is_csv_ ? data::write_csv(batch) : data::write_jsonl(batch);
    COEVAL_TRY(begin());
    return put(std::string_view(text).substr(header_.size()));
  }
  Status close() override {
    COEVAL_TRY(begin());
    if (std::fflush(stdout) != 0) return failed();
    return {};
  }

 private:
  Status begin() {
    if (has_begun_) return {};
    has_begun_ = true;
    return put(header_);
  }
  static Status put(std::string_view text) {
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return failed();
    return {};
  }
  static std::unexpected<Error> failed() {
    return std::unexpected(stores::error_from_errno(errno, "write to", "standard output"));
  }

  bool is_csv_, has_begun_ = false;
  std::string header_;
};

}  // namespace

Result<std::unique_ptr<stores::TableWriter>> open_generated(Context& context,
                                                            const std::string& out,
                                                            const data::Schema& schema) {
  if (out == kNowhere) return std::make_unique<Nowhere>();
  if (out == kStandardOutput)
    return std::make_unique<StandardOutput>(context.in.format != "jsonl", schema);
  if (!context.in.format.empty())
    return fail(Code::usage, "--format is of standard output; a file's ending says its own",
                "leave --format out, or write --out -");
  std::error_code none;
  const bool is_folder = std::filesystem::is_directory(out, none);
  const std::string ending = std::filesystem::path(out).extension().string();
  if (!is_folder && ending != ".parquet" && ending != ".csv" && ending != ".jsonl" &&
      ending != ".ndjson")
    return fail(Code::unsupported, "no writer for files that end in '" + ending + "': " + out,
                "the endings are .parquet, .csv and .jsonl");
  COEVAL_TRY(check_out(context.formats, out));
  stores::remove_leftovers(out);
  COEVAL_ASSIGN(stores::TableFiles* const files, context.formats(out));
  return files->create(out, schema, {0, context.threads()});
}

}  // namespace coeval::cli
