#pragma once

#include <memory>
#include <string>

#include "stores/table_files.h"

namespace coeval::parquet_adapter {

/// Arrow's own format behind stores::TableFiles: files (Feather V2 is one) and streams, told apart
/// by their first bytes, both read from their beginning to their end, so that they may be packed by
/// gzip or zstd and come from standard input. Buffers inside may be compressed by LZ4 or zstd.
///
/// Every batch is checked to be what its schema says before it is used. A file or stream must have
/// its end: without the mark for it, it is cut short. Memory: one record batch as it is in the
/// file, at most 4 GiB unpacked; batches handed on are slices of it. Types: as Parquet's. Files
/// are written without compression (arrow_writer.h).
std::unique_ptr<stores::TableFiles> make_arrow_files();

/// stores::TableFiles::open() for bytes.
Result<std::unique_ptr<stores::TableReader>> open_arrow(std::unique_ptr<stores::ByteSource> bytes,
                                                        const stores::ReadOptions& options);

}  // namespace coeval::parquet_adapter

/// As coeval_table_files_v1 (parquet_files.h), for Arrow's own format.
extern "C" __attribute__((visibility("default"))) int coeval_arrow_files_v1(
    coeval::stores::TableFiles** out);
