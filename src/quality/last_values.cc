#include "quality/last_values.h"

#include <utility>

namespace coeval::quality {

const std::int64_t* LastValues::find(data::Hash128 key) const {
  if (const auto young = young_.find(key); young != young_.end()) return &young->second;
  if (const auto old = old_.find(key); old != old_.end()) return &old->second;
  return others_ == nullptr ? nullptr : others_->find(key);
}

bool LastValues::follow(data::Hash128 key, std::int64_t value, bool strictly, bool stays) {
  auto last = young_.find(key);
  if (last == young_.end()) {
    if (const std::int64_t* known = find(key)) {
      last = young_.emplace(key, *known).first;
      old_.erase(key);
    }
  }
  if (last == young_.end()) {
    if (stays) young_.emplace(key, value);
  } else {
    if (strictly ? value <= last->second : value < last->second) return false;
    if (stays) last->second = value;
  }
  if (young_.size() >= max_keys_) {
    if (!old_.empty()) ++forgotten_;
    old_ = std::exchange(young_, {});
  }
  return true;
}

}  // namespace coeval::quality
