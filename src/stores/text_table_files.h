#pragma once

#include <memory>

#include "stores/table_files.h"

namespace coeval::stores {

/// CSV and JSONL as tables. Text carries no types and none are guessed: ReadOptions::schema
/// declares the columns, and only declared ones are read. Files may be packed by gzip or zstd; "-"
/// is standard input. A file is read piece by piece: at most ReadOptions::window_bytes, or one
/// record of max_record_bytes, is held beside the batch. Rows that do not fit their types are in
/// TableReader::bad_rows(), with line, byte and reason, beside the batch of the rows around them.
/// Errors of open besides those of TableFiles: missing_value when no schema was declared; bad_csv.
std::unique_ptr<TableFiles> make_csv_files();
std::unique_ptr<TableFiles> make_jsonl_files();

}  // namespace coeval::stores
