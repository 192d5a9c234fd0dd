#pragma once

#include <memory>

#include "stores/table_files.h"

namespace coeval::stores {

/// CSV and JSONL as tables. Text carries no types and none are guessed: ReadOptions::schema
/// declares the columns, and only declared ones are read. A file is read whole into memory. Rows
/// that do not fit their types are in TableReader::bad_rows(), with line and reason, all of them
/// from open() on. Errors of open besides those of TableFiles: missing_value when no schema was
/// declared; bad_csv.
std::unique_ptr<TableFiles> make_csv_files();
std::unique_ptr<TableFiles> make_jsonl_files();

}  // namespace coeval::stores
