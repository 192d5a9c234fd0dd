#include "adapters/parquet/encoding.h"

#include <parquet/properties.h>

#include "adapters/parquet/memory_pool.h"

namespace coeval::parquet_adapter {

namespace {

// 32,768 doubles a row group. Window features either have fewer distinct values, or so many that
// hashing them all is time lost; a quarter of Arrow's default finds out in a quarter of the time.
constexpr std::int64_t kDictionaryBytes = 256 * 1024;

}  // namespace

std::shared_ptr<parquet::WriterProperties> writer_properties(int level) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(memory_pool())
      ->created_by("coeval")
      ->version(parquet::ParquetVersion::PARQUET_2_6);
  builder.enable_dictionary()->dictionary_pagesize_limit(kDictionaryBytes);
  if (level == 0)
    builder.compression(parquet::Compression::SNAPPY);
  else
    builder.compression(parquet::Compression::ZSTD)->compression_level(level);
  // Without checksums most flipped bits go unnoticed.
  builder.enable_page_checksum()->enable_write_page_index();
  return builder.build();
}

}  // namespace coeval::parquet_adapter
