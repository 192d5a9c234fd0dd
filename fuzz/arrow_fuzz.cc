// Any bytes as an Arrow file or stream: an Error or a table, never a crash. Every value of the
// table is read.
#include <cstdint>

#include "adapters/parquet/arrow_ipc.h"
#include "base/error.h"
#include "data/column.h"
#include "stores/byte_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace coeval;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  stores::ReadOptions options;
  options.batch_rows = 1000;
  auto reader = parquet_adapter::open_arrow(stores::bytes_of_text("t.arrow", text), options);
  if (!reader) return 0;
  for (int batches = 0; batches < 1000; ++batches) {
    const auto batch = (*reader)->next();
    if (!batch || (*reader)->at_end(*batch)) return 0;
    for (const data::Column& column : batch->columns)
      for (std::int64_t row = 0; row < batch->rows; ++row) static_cast<void>(column.value(row));
  }
  return 0;
}
