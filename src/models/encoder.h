#pragma once

#include <cstdint>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "data/json.h"

namespace coeval::models {

/// Turns a model's input columns into the float32 row that the model reads. (semantics: V6)
///
/// Numbers are rounded once to float32; booleans are 0 or 1; timestamps, dates and durations are
/// refused at fit. A string is coded by a dictionary frozen at training: code = place in the sorted
/// dictionary; unseen strings get code dictionary.size(). Null and NaN are "missing": NaN.
/// Threading: const, safe from any thread.
class Encoder {
 public:
  struct Column {
    std::string name;
    data::Type type = data::Type::null;
    bool categorical = false;
    std::vector<std::string> dictionary;  ///< sorted by bytes, unique; empty for numbers

    /// The code of a string as the model reads it.
    float code(std::string_view word) const;
    friend bool operator==(const Column&, const Column&) = default;
  };

  /// Freezes dictionaries over `training`, whose columns are the inputs, in order. `inputs` have a
  /// name and a type (define::Input, data::Field). Errors: unsupported type; type_mismatch.
  template <std::ranges::input_range Inputs>
  static Result<Encoder> fit(const Inputs& inputs, const data::Batch& training) {
    data::Schema schema;
    for (const auto& input : inputs) schema.fields.push_back({input.name, input.type, true});
    return fit(schema, training);
  }
  static Result<Encoder> fit(const data::Schema& inputs, const data::Batch& training);
  /// Errors: bad_json naming the member.
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
