#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "data/hash.h"
#include "quality/key_hash.h"

namespace coeval::quality {

/// The last value of each key of rules of `increasing`, which a caller carries from batch to
/// batch of a source. Memory is bounded: of each rule the keys seen last are kept, at least
/// `max_keys` of them and less than twice as many; a key that was forgotten starts anew.
/// Threading: one at a time.
class LastValues {
 public:
  static constexpr std::size_t kMaxKeys = std::size_t{1} << 21;
  explicit LastValues(std::size_t max_keys = kMaxKeys) : max_keys_(max_keys) {}
  /// What goes on from others without changing them: for rows that may yet be refused. They outlive
  /// it.
  static LastValues over(const LastValues& others) {
    LastValues values(others.max_keys_);
    values.others_ = &others;
    return values;
  }

  /// Whether the value may follow the last one of `key`, the hash of a rule and a row's key: it is
  /// above it or, unless `strictly`, equal.
  bool may_follow(data::Hash128 key, std::int64_t value, bool strictly);
  /// The value of a row that stays, whether it may or not, is what the next one follows.
  void set(data::Hash128 key, std::int64_t value);

  std::size_t size() const { return young_.size() + old_.size(); }
  /// Times that keys were forgotten: above 0, a row may have passed that follows none.
  std::int64_t forgotten_count() const { return forgotten_; }

 private:
  using Values = std::unordered_map<data::Hash128, std::int64_t, KeyHash>;
  const std::int64_t* find(data::Hash128 key) const;
  void age();
  // A key moves to the young when it is seen. Once these are `max_keys`, they become the old, and
  // the old ones that were not seen since are dropped.
  Values young_, old_;
  const LastValues* others_ = nullptr;
  std::size_t max_keys_;
  std::int64_t forgotten_ = 0;
};

}  // namespace coeval::quality
