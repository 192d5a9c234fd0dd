#include "kernel/string_table.h"

#include <charconv>

#include "data/hash.h"

namespace coeval::kernel {

exact::Key128 key_of_text(std::string_view text) {
  const std::string hex = data::sha256_hex(text);
  exact::Key128 key;
  std::from_chars(hex.data(), hex.data() + 16, key.high, 16);
  std::from_chars(hex.data() + 16, hex.data() + 32, key.low, 16);
  return key;
}

exact::Key128 InternedString::key() const {
  if (!key_) key_ = key_of_text(text);
  return *key_;
}

InternedString* StringTable::take(std::string_view text) {
  auto found = strings_.find(text);
  if (found == strings_.end()) {
    auto fresh = std::make_unique<InternedString>();
    fresh->text = text;
    fresh->table = this;
    const std::string_view key = fresh->text;
    text_bytes_ += key.size();
    found = strings_.emplace(key, std::move(fresh)).first;
  }
  ++found->second->uses;
  return found->second.get();
}

}  // namespace coeval::kernel
