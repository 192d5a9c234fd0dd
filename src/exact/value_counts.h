#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exact/byte_codec.h"
#include "exact/key_hash.h"

namespace coeval::exact {

/// How many distinct values distinct, quantile, mode and top_k hold exactly per key and window,
/// unless a definition says otherwise. (semantics: A4)
inline constexpr std::size_t kDefaultCap = 1024;

template <class Key>
struct ValueCount {
  Key value{};
  std::int64_t count = 0;
  friend bool operator==(const ValueCount&, const ValueCount&) = default;
};

/// Distinct values with their numbers: a hash table with open addressing that knows when it holds
/// more of them than its cap. A function of the multiset but for the order of `each`.
///
/// Complexity: add is O(1) for keys that were not chosen to collide, O(size) for those that were;
/// at most 2·size + 16 places.
template <class Key>
class ValueCounts {
 public:
  using Entry = ValueCount<Key>;

  explicit ValueCounts(std::size_t cap) : cap_(cap) {}
  std::size_t cap() const { return cap_; }
  std::size_t size() const { return size_; }
  bool is_over_cap() const { return size_ > cap_; }
  std::size_t state_bytes() const { return places_.size() * sizeof(Entry); }

  /// Counts a value `times` > 0 more.
  void add(Key value, std::int64_t times) { find_or_place(value).count += times; }
  /// Holds a value with a count of 1, however often it is added.
  void add_once(Key value) { find_or_place(value).count = 1; }

  /// Empties the table; its memory is kept, but places that were hardly used are not all visited
  /// again.
  void clear() {
    if (places_.size() > 64 && 8 * size_ < places_.size()) places_.resize(64);
    std::fill(places_.begin(), places_.end(), Entry{});
    size_ = 0;
  }
  template <class Visit>
  void each(Visit visit) const {
    for (const Entry& place : places_)
      if (place.count != 0) visit(place.value, place.count);
  }
  /// In no particular order.
  std::vector<Entry> entries() const {
    std::vector<Entry> all;
    all.reserve(size_);
    each([&](Key value, std::int64_t count) { all.push_back({value, count}); });
    return all;
  }

  /// Canonical bytes: how many, then each value, ascending, with its count.
  void append_bytes(std::string& out) const {
    auto all = entries();
    std::sort(all.begin(), all.end(),
              [](const Entry& a, const Entry& b) { return a.value < b.value; });
    append_count(out, static_cast<std::int64_t>(all.size()));
    for (const Entry& entry : all) {
      KeyForm<Key>::append(out, entry.value);
      append_count(out, entry.count);
    }
  }
  /// Takes them off the front. False when append_bytes does not write such bytes, or the cap is
  /// exceeded, or `accept` refuses a value.
  template <class Accept>
  bool read_bytes(std::string_view& bytes, Accept accept) {
    ValueCounts read(cap_);
    std::string_view rest = bytes;
    std::int64_t size = 0;
    if (!read_count(rest, size) || static_cast<std::uint64_t>(size) > cap_) return false;
    Key before{};
    for (std::int64_t i = 0; i < size; ++i) {
      Entry entry;
      if (!KeyForm<Key>::read(rest, entry.value) || !read_count(rest, entry.count)) return false;
      if (entry.count == 0 || (i > 0 && !(before < entry.value))) return false;
      if (!accept(entry.value, entry.count)) return false;
      read.add(entry.value, entry.count);
      before = entry.value;
    }
    *this = std::move(read);
    bytes = rest;
    return true;
  }

 private:
  Entry& find_or_place(Key value) {
    if (2 * size_ >= places_.size()) grow();
    Entry& place = place_of(value);
    if (place.count == 0) {
      place.value = value;
      ++size_;
    }
    return place;
  }
  // The place where the value is, or the empty one where it belongs; there is one, as half of them
  // are empty.
  Entry& place_of(Key value) {
    std::size_t at = KeyForm<Key>::hash(value) & (places_.size() - 1);
    while (places_[at].count != 0 && places_[at].value != value)
      at = (at + 1) & (places_.size() - 1);
    return places_[at];
  }
  void grow() {
    const std::vector<Entry> before = std::move(places_);
    places_.assign(before.empty() ? 16 : 2 * before.size(), Entry{});
    for (const Entry& entry : before)
      if (entry.count != 0) place_of(entry.value) = entry;
  }

  std::size_t cap_;
  std::size_t size_ = 0;
  std::vector<Entry> places_;  // a power of two; empty where count is 0
};

}  // namespace coeval::exact
