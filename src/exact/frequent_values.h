#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exact/value_counts.h"

namespace coeval::exact {

/// The most frequent values, for mode and top_k: exact up to a cap of distinct values, above it
/// from count-min counters over the leading bytes of the mixed keys, one set of counters for each
/// number of bytes, by which frequent keys are found again byte by byte. (semantics: A1 A4 A5 A7)
///
/// Above the cap, of n values in all: a count told is never too small; for any one value it is too
/// large by more than e·n with probability below (1 / 1,024e)^3, that is by 1 % of n once in a
/// thousand. So a value that is more frequent than the k-th by a few hundredths of n is in its
/// place. What makes up n/128 or less is not told, since the counters cannot tell it from keys that
/// nobody has: there may be fewer than k values, or none. State, answer and bytes depend on the
/// multiset alone: counters are sums, hashes are fixed, ties have an order.
///
/// Key: std::int64_t (in the order of its numbers) or Key128 (the hash of a string; the caller
/// gives the order of what they stand for).
template <class Key>
class FrequentValues {
 public:
  using Entry = ValueCount<Key>;
  /// Whether the value of the first key comes before that of the second; a strict total order.
  using Order = std::function<bool(const Key&, const Key&)>;

  explicit FrequentValues(std::size_t cap = kDefaultCap) : values_(cap) {}
  void add(Key key, std::int64_t times = 1);
  /// Both of one cap.
  void merge(const FrequentValues& other);
  /// Empties it; memory is kept for the next use.
  void clear();

  std::int64_t count() const { return count_; }
  bool is_approximate() const { return !counters_.empty(); }
  /// Above the cap only values that make up more than this part of all are told.
  static constexpr std::int64_t kLeastShare = 128;
  /// Up to k values by count descending, then in the order of the values; k ≤ kMostListed.
  std::vector<Entry> top_k(std::size_t k, const Order& before = std::less<Key>()) const;
  /// The most frequent value, the first in order of those; null when there is none to tell.
  std::optional<Entry> mode(const Order& before = std::less<Key>()) const;
  static constexpr std::size_t kMostListed = 1024;

  /// How much memory it takes.
  std::size_t state_bytes() const { return values_.state_bytes() + 8 * counters_.size(); }
  /// Canonical bytes; read_bytes takes them off the front.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  void add_to_counters(Key key, std::int64_t times);
  void give_up_exactness();
  std::vector<Entry> find_frequent(std::size_t candidates) const;

  ValueCounts<Key> values_;             // empty above the cap
  std::vector<std::int64_t> counters_;  // empty up to the cap
  std::int64_t count_ = 0;
};

extern template class FrequentValues<std::int64_t>;
extern template class FrequentValues<Key128>;

}  // namespace coeval::exact
