#include "adapters/parquet/arrow_errors.h"

#include <new>

#include <arrow/status.h>

namespace coeval::parquet_adapter {

namespace {

constexpr const char* kDamaged =
    "the file is cut short, damaged, or not Parquet: fetch or write it again";

Error damaged(const std::string& path, const std::string& why) {
  return fail(Code::bad_file, "cannot read '" + path + "' as Parquet: " + why, kDamaged).error();
}

Error out_of_memory(const std::string& doing, const std::string& path) {
  return fail(Code::io, "out of memory while " + doing + " '" + path + "'",
              "use fewer columns, or smaller batches")
      .error();
}

bool is_out_of_memory(const std::exception& exception) {
  return dynamic_cast<const std::bad_alloc*>(&exception) != nullptr;
}

// Arrow's texts can go on over several lines; ours are one.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

Error read_error(const std::string& path, const arrow::Status& status) {
  if (status.IsOutOfMemory()) return out_of_memory("reading", path);
  return damaged(path, first_line(status.message()));
}

Error read_error(const std::string& path, const std::exception& exception) {
  if (is_out_of_memory(exception)) return out_of_memory("reading", path);
  return damaged(path, first_line(exception.what()));
}

Error write_error(const std::string& path, const std::exception& exception) {
  if (is_out_of_memory(exception)) return out_of_memory("writing", path);
  return fail(Code::io, "cannot write '" + path + "' as Parquet: " + first_line(exception.what()))
      .error();
}

}  // namespace coeval::parquet_adapter
