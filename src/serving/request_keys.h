#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "base/ids.h"
#include "base/time.h"
#include "data/hash.h"
#include "stores/event_log.h"

namespace coeval::serving {

/// The requests with an Idempotency-Key that the log holds, so that one that comes again is told
/// from a new one. Their answers stay in the log.
///
/// A key is known for 24 hours of the log's known time, and as long as it is among the last
/// kMost, which take some 130 bytes each; then it is forgotten, and may be used again.
/// Threading: one thread at a time.
class RequestKeys {
 public:
  static constexpr std::int64_t kKeptUs = kDayUs;
  static constexpr std::size_t kMost = 1'000'000;

  explicit RequestKeys(std::size_t most = kMost) : most_(most) {}

  struct Known {
    data::Hash128 body;
    Position position;  ///< of the request's record
    std::int64_t known_us = 0;
  };
  /// What is known of a key at a moment, or nothing.
  std::optional<Known> find(data::Hash128 key, std::int64_t now_us) const;
  void add(data::Hash128 key, const Known& known);
  /// The same from a log that is opened: LogOptions::visit_request.
  void add(const stores::Record& record);

  /// Of a source and a key. Keys of different sources are different keys.
  static data::Hash128 key_hash(std::string_view source, std::string_view key);
  /// Of a body and the moment of arrival that its sender named.
  static data::Hash128 body_hash(std::string_view body, std::optional<std::int64_t> now_us);

  std::size_t size() const { return known_.size(); }

 private:
  struct HashOf {
    std::size_t operator()(const data::Hash128& hash) const {
      return static_cast<std::size_t>(hash.low);
    }
  };
  void forget(std::int64_t now_us);

  std::size_t most_;
  std::unordered_map<data::Hash128, Known, HashOf> known_;
  struct Added {
    data::Hash128 key;
    Position position;
  };
  std::deque<Added> order_;  // oldest first
};

}  // namespace coeval::serving
