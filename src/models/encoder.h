#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"
#include "define/project.h"

namespace coeval::models {

/// Turns a model's input columns into the float32 row that the model reads. (semantics: V6)
///
/// Numbers are rounded once to float32; booleans are 0 or 1; timestamps and durations are refused at
/// fit. A string is coded by a dictionary frozen at training: code = place in the sorted dictionary;
/// unseen strings get code dictionary.size(). Null and NaN are "missing": NaN.
class Encoder {
 public:
  struct Column {
    std::string name;
    data::Type type = data::Type::null;
    bool categorical = false;
    std::vector<std::string> dictionary;  ///< sorted, unique; empty for numbers
  };
  /// Freezes dictionaries over `training` (columns as the inputs). Errors: unsupported type.
  static Result<Encoder> fit(std::span<const define::Input> inputs, const data::Batch& training);
  static Result<Encoder> from_json(const data::Json& json);
  data::Json to_json() const;

  std::size_t width() const { return columns_.size(); }
  const std::vector<Column>& columns() const { return columns_; }
  /// Writes rows × width() floats, row-major. `inputs` has the encoder's columns in order; coded
  /// columns are translated once per dictionary. `out` must have that size.
  /// Errors: type_mismatch naming the column.
  Status encode(const data::Batch& inputs, std::span<float> out) const;

 private:
  std::vector<Column> columns_;
};

}  // namespace coeval::models
