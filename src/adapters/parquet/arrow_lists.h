#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/error.h"
#include "data/column.h"

namespace coeval::parquet_adapter {

/// Whether Arrow's type is a list, large list or fixed-size list of float or double: all are read
/// as lists of float32, a double being rounded once.
bool is_list_of_floats(const arrow::DataType& type);

/// The lists, as long as the file has them; a null element becomes data::kNullElement, so that its
/// row can be set aside. Errors: unsupported above 2 GiB of elements.
Result<data::Column> import_lists(const arrow::Array& array);

/// A list type whose elements are never null.
std::shared_ptr<arrow::DataType> list_type(std::shared_ptr<arrow::DataType> element);

/// A copy of the lists as Arrow's, given what makes an array of a column of elements. The array of
/// elements may not outlive it.
std::shared_ptr<arrow::Array> export_lists(
    const data::Column& lists, std::shared_ptr<arrow::Buffer> validity,
    std::shared_ptr<arrow::Array> (*export_elements)(const data::Column&));

/// What Parquet writes besides the elements, one level a list without elements and one each
/// element. `most` is the definition level of an element.
struct ListLevels {
  std::vector<std::int16_t> definition, repetition;
};
ListLevels list_levels(const arrow::ListArray& lists, std::int16_t most);

}  // namespace coeval::parquet_adapter
