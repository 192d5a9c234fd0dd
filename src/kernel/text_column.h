#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/column.h"

namespace coeval::kernel {

/// A column of texts, or of packed lists, being filled that never holds more than so many bytes of
/// text: once it would, it becomes a coded one, in which each distinct text lies once.
class TextColumn {
 public:
  explicit TextColumn(std::size_t max_bytes, data::Type type = data::Type::string)
      : max_bytes_(max_bytes), plain_(type), dictionary_(type) {}

  void append_null();
  /// False, and a null is appended, where there is no room for the text.
  bool append(std::string_view text);
  data::Column finish();

 private:
  bool append_code(std::string_view text);
  void code_all();

  const std::size_t max_bytes_;
  std::size_t bytes_ = 0;  // of all texts; once coded, of the distinct ones
  data::ColumnBuilder plain_;
  bool coded_ = false;
  data::ColumnBuilder dictionary_;
  std::unordered_map<std::string, std::int32_t> known_;
  std::vector<std::int32_t> codes_;
  std::vector<std::uint8_t> validity_;
};

}  // namespace coeval::kernel
