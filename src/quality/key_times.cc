#include "quality/key_times.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "base/check.h"
#include "quality/key_hash.h"

namespace coeval::quality {

struct KeyTimes::Table {
  std::size_t max_keys;
  std::unordered_map<data::Hash128, std::int64_t, KeyHash> first_us = {};
};

KeyTimes::KeyTimes(std::size_t max_keys) : table_(new Table{max_keys}) {}
KeyTimes::~KeyTimes() = default;

Status KeyTimes::add(const data::Column& values, std::span<const std::int64_t> known_us) {
  COEVAL_CHECK(values.size() == static_cast<std::int64_t>(known_us.size()));
  std::string key;
  for (std::size_t i = 0; i < known_us.size(); ++i) {
    key.clear();
    if (!append_key(key, values, static_cast<std::int64_t>(i))) continue;
    const data::Hash128 hash = data::xxh3_128(key);
    const auto at = table_->first_us.find(hash);
    if (at != table_->first_us.end()) {
      at->second = std::min(at->second, known_us[i]);
    } else if (table_->first_us.size() == table_->max_keys) {
      return fail(
          Code::unsupported,
          "a check refers to more than " + std::to_string(table_->max_keys) + " distinct values",
          "let it refer to a column of fewer");
    } else {
      table_->first_us.emplace(hash, known_us[i]);
    }
  }
  return {};
}

void KeyTimes::answer(const data::Column& values, std::span<const std::int64_t> before,
                      std::span<std::uint8_t> known) const {
  std::string key;
  for (std::size_t i = 0; i < known.size(); ++i) {
    key.clear();
    known[i] = 0;
    if (!append_key(key, values, static_cast<std::int64_t>(i))) continue;
    const auto at = table_->first_us.find(data::xxh3_128(key));
    known[i] = at != table_->first_us.end() && at->second < before[i] ? 1 : 0;
  }
}

std::size_t KeyTimes::size() const { return table_->first_us.size(); }

}  // namespace coeval::quality
