#include "kernel/text_column.h"

#include <memory>
#include <utility>

namespace coeval::kernel {

void TextColumn::append_null() {
  if (!coded_) return plain_.append_null();
  if (codes_.size() % 8 == 0) validity_.push_back(0);
  codes_.push_back(0);
}

bool TextColumn::append(std::string_view text) {
  if (!coded_ && text.size() > max_bytes_ - bytes_) code_all();
  if (coded_) return append_code(text);
  bytes_ += text.size();
  plain_.append_string(text);
  return true;
}

bool TextColumn::append_code(std::string_view text) {
  auto place = known_.find(std::string(text));
  if (place == known_.end()) {
    if (text.size() > max_bytes_ - bytes_) {
      append_null();
      return false;
    }
    bytes_ += text.size();
    place = known_.emplace(text, static_cast<std::int32_t>(known_.size())).first;
    dictionary_.append_string(text);
  }
  const std::size_t row = codes_.size();
  append_null();
  codes_[row] = place->second;
  validity_[row / 8] = static_cast<std::uint8_t>(validity_[row / 8] | 1u << row % 8);
  return true;
}

// What was appended so far fits, so its distinct texts do.
void TextColumn::code_all() {
  coded_ = true;
  bytes_ = 0;
  const data::Column plain = plain_.finish();
  for (std::int64_t row = 0; row < plain.size(); ++row) {
    if (plain.is_null(row))
      append_null();
    else
      append_code(plain.string(row));
  }
}

data::Column TextColumn::finish() {
  if (!coded_) return plain_.finish();
  if (dictionary_.size() == 0) dictionary_.append_string("");  // a null's code needs an entry too
  return data::Column::coded(std::move(codes_),
                             std::make_shared<const data::Column>(dictionary_.finish()),
                             std::move(validity_));
}

}  // namespace coeval::kernel
