#include "quality/last_values.h"

#include <utility>

namespace coeval::quality {

const std::int64_t* LastValues::find(data::Hash128 key) const {
  if (const auto young = young_.find(key); young != young_.end()) return &young->second;
  if (const auto old = old_.find(key); old != old_.end()) return &old->second;
  return others_ == nullptr ? nullptr : others_->find(key);
}

bool LastValues::may_follow(data::Hash128 key, std::int64_t value, bool strictly) {
  const std::int64_t* const known = find(key);
  if (known == nullptr) return true;
  const std::int64_t last = *known;
  if (young_.emplace(key, last).second) old_.erase(key);
  age();
  return strictly ? value > last : value >= last;
}

void LastValues::set(data::Hash128 key, std::int64_t value) {
  old_.erase(key);
  young_.insert_or_assign(key, value);
  age();
}

void LastValues::age() {
  if (young_.size() < max_keys_) return;
  if (!old_.empty()) ++forgotten_;
  old_ = std::exchange(young_, {});
}

}  // namespace coeval::quality
