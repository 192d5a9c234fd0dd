#include "adapters/parquet/encoding.h"

#include <string>
#include <vector>

#include <arrow/type.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "adapters/parquet/memory_pool.h"

namespace coeval::parquet_adapter {

namespace {

// 8,192 doubles a row group, whose hash table stays in the second-level cache. Window features
// either have fewer distinct values, or so many that hashing them all is time lost.
constexpr std::int64_t kDictionaryBytes = 64 * 1024;

bool is_integer(const arrow::DataType& type) {
  return type.id() == arrow::Type::INT64 || type.id() == arrow::Type::INT32;
}

}  // namespace

std::shared_ptr<parquet::WriterProperties> writer_properties(int level,
                                                             const arrow::Schema& schema) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(memory_pool())
      ->created_by("coeval")
      ->version(parquet::ParquetVersion::PARQUET_2_6);
  builder.enable_dictionary()->dictionary_pagesize_limit(kDictionaryBytes);
  for (const auto& field : schema.fields()) {
    if (!is_integer(*field->type())) continue;
    const auto path =
        std::make_shared<parquet::schema::ColumnPath>(std::vector<std::string>{field->name()});
    builder.disable_dictionary(path)->encoding(path, parquet::Encoding::DELTA_BINARY_PACKED);
  }
  if (level == 0)
    builder.compression(parquet::Compression::SNAPPY);
  else
    builder.compression(parquet::Compression::ZSTD)->compression_level(level);
  // Without checksums most flipped bits go unnoticed.
  builder.enable_page_checksum()->enable_write_page_index();
  return builder.build();
}

}  // namespace coeval::parquet_adapter
