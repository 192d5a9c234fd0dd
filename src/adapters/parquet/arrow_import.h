#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <arrow/type_fwd.h>

#include "base/error.h"
#include "data/column.h"

namespace coeval::parquet_adapter {

/// Our type for one of Arrow's; a dictionary has the type of its values, a decimal of more than 18
/// digits is the string of its digits. Errors: unsupported,
/// naming the column and its type.
Result<data::Type> type_of(const std::string& column, const arrow::DataType& type);

/// Gives the dictionaries of successive chunks one numbering: codes of an earlier batch stay valid,
/// and the dictionary is the same object as long as no new string appears.
class GrowingDictionary {
 public:
  /// The codes of `chunk` as a column. Shares its buffers when its codes already are the right
  /// ones.
  Result<data::Column> import(const std::shared_ptr<arrow::DictionaryArray>& chunk);

 private:
  // Beyond this, one numbering stops paying for the map that it takes.
  static constexpr std::int64_t kMaxEntries = 65'536;
  static constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

  bool is_translated(const arrow::DictionaryArray& chunk) const;
  Status translate(const arrow::DictionaryArray& chunk);
  bool too_large(const arrow::Array& dictionary) const;
  void number(const arrow::Array& dictionary);
  std::int32_t code_of(std::string_view text);
  void publish();
  data::Column recoded(const arrow::DictionaryArray& chunk) const;

  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> codes_;
  std::vector<std::int32_t> offsets_ = {0};
  std::string bytes_;
  std::shared_ptr<const data::Column> merged_;    // of the strings numbered so far
  std::shared_ptr<arrow::ArrayData> translated_;  // the chunk's dictionary that translation_ is for
  std::vector<std::int32_t> translation_;         // its code → ours; empty when they are equal
  bool gave_up_ = false;
};

/// Turns the chunks of one column into ours, in the file's order.
class ColumnImporter {
 public:
  ColumnImporter(std::string name, data::Type type) : name_(std::move(name)), type_(type) {}
  const std::string& name() const { return name_; }
  data::Type type() const { return type_; }
  /// Errors: bad_file, out_of_range for a timestamp that µs cannot hold.
  Result<data::Column> import(const std::shared_ptr<arrow::Array>& chunk);

 private:
  std::string name_;
  data::Type type_;
  GrowingDictionary dictionary_;
};

}  // namespace coeval::parquet_adapter
