#include "quality/last_values.h"

#include <utility>

namespace coeval::quality {

bool LastValues::follow(data::Hash128 key, std::int64_t value, bool strictly, bool stays) {
  auto last = young_.find(key);
  if (last == young_.end()) {
    if (const auto old = old_.find(key); old != old_.end()) {
      last = young_.emplace(key, old->second).first;
      old_.erase(old);
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
