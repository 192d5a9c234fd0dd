// Any bytes as a Parquet file: an Error or a table, never a crash. Every value of the table is
// read.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "adapters/parquet/parquet_files.h"

namespace {

// A file that exists in memory only, by a path that open() understands.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* bytes, std::size_t size) : fd_(::memfd_create("fuzz", 0)) {
    for (std::size_t done = 0; done < size;) {
      const auto written = ::write(fd_, bytes + done, size - done);
      if (written <= 0) break;
      done += static_cast<std::size_t>(written);
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void read_all(const std::string& path, bool code_strings) {
  const auto files = coeval::parquet_adapter::make_parquet_files(coeval::stores::disk_files());
  coeval::stores::ReadOptions options;
  options.code_strings = code_strings;
  options.threads = 1;
  auto reader = files->open(path, options);
  while (reader) {
    const auto batch = (*reader)->next();
    if (!batch || batch->rows == 0) return;
    for (const auto& column : batch->columns)
      for (std::int64_t row = 0; row < batch->rows; ++row) static_cast<void>(column.value(row));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const MemoryFile file(bytes, size);
  read_all(file.path(), true);
  read_all(file.path(), false);
  return 0;
}
