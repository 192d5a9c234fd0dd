#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exact/value_counts.h"

namespace coeval::exact {

/// The number of distinct values: exact up to a cap, above it estimated by HyperLogLog of 2^14
/// registers of one byte (standard error 0.81 %). (semantics: A1 A4 A5)
///
/// State, answer and bytes depend on the set of values alone, never on order or merges: registers
/// are maxima of a fixed hash (key_hash.h), and the estimator reads only them.
/// Key: std::int64_t (a value's 64 bits) or Key128 (a string's hash).
/// Source: the estimator is "improved raw estimator" of O. Ertl, arXiv:1702.01284.
template <class Key>
class DistinctCount {
 public:
  explicit DistinctCount(std::size_t cap = kDefaultCap) : values_(cap) {}
  void add(Key key);
  /// The same of many, quicker.
  void add_all(std::span<const Key> keys);
  /// Both of one cap.
  void merge(const DistinctCount& other);
  /// Empties it; memory is kept for the next use.
  void clear();

  bool is_approximate() const { return !registers_.empty(); }
  std::int64_t count() const;

  /// How much memory it takes.
  std::size_t state_bytes() const { return values_.state_bytes() + registers_.size(); }
  /// Canonical bytes; read_bytes takes them off the front.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  void add_to_registers(Key key);
  void raise(std::span<const std::uint64_t> places);
  void give_up_exactness();

  ValueCounts<Key> values_;              // empty above the cap
  std::vector<std::uint8_t> registers_;  // empty up to the cap
};

extern template class DistinctCount<std::int64_t>;
extern template class DistinctCount<Key128>;

}  // namespace coeval::exact
