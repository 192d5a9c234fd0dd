#pragma once

#include <cstdint>

// The two structs of the Arrow C data interface, as the Arrow specification gives them. Their names
// and the guard macro are fixed by that specification, so that any library that knows them can
// exchange arrays with ours.
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif

#include "data/column.h"

namespace coeval::data {

/// Exports a batch as a struct array. The consumer releases both. Columns are shared, not copied,
/// but for lists.
void export_batch(const Batch& batch, ArrowSchema* schema, ArrowArray* array);
/// Imports a struct array and takes ownership of both (released when the last column goes). Accepts
/// formats b i l f g u U(≤ 2 GiB) tsu* tdD and int32-coded dictionaries of u; offsets other than 0
/// are copied. Errors: unsupported names the column and its format.
Result<Batch> import_batch(ArrowSchema* schema, ArrowArray* array);

}  // namespace coeval::data
