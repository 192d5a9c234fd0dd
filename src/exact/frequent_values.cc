#include "exact/frequent_values.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/check.h"
#include "exact/byte_codec.h"

namespace coeval::exact {

namespace {

// Counters for prefixes of one byte: 256, each its own. For each longer prefix: three rows of
// 1,024.
constexpr std::size_t kFirst = 256;
constexpr std::size_t kRows = 3;
constexpr int kRowBits = 10;
constexpr std::size_t kRowSize = std::size_t{1} << kRowBits;
constexpr std::size_t kPerLength = kRows * kRowSize;

template <class Key>
constexpr std::size_t kBytes = sizeof(typename KeyForm<Key>::Mixed);
template <class Key>
constexpr std::size_t kCounters = kFirst + (kBytes<Key> - 1) * kPerLength;

// The first `length` bytes of a mixed key.
template <class Mixed>
Mixed prefix_of(Mixed mixed, std::size_t length) {
  return mixed >> (8 * (sizeof(Mixed) - length));
}

// Where the prefixes that are one byte longer than `prefix` are counted: row `row`, byte b, at
// [row] ^ b. Two prefixes share a place of a row with probability 1/1,024; if they differ in the
// last byte alone, never.
template <class Key>
std::array<std::size_t, kRows> places(typename KeyForm<Key>::Mixed prefix, std::size_t length) {
  const std::uint64_t hash = KeyForm<Key>::hash_of_mixed(prefix, length << 56);
  const std::size_t at = kFirst + (length - 1) * kPerLength;
  std::array<std::size_t, kRows> found;
  for (std::size_t row = 0; row < kRows; ++row)
    found[row] = at + row * kRowSize + (hash >> (row * 20) & (kRowSize - 1));
  return found;
}

// A prefix of mixed keys, and how many values at most begin with it.
template <class Mixed>
struct Candidate {
  Mixed prefix;
  std::int64_t count;
  friend bool operator<(const Candidate& a, const Candidate& b) {
    return a.count != b.count ? a.count > b.count : a.prefix < b.prefix;
  }
};

// Keeps the first `most` in their order.
template <class Mixed>
void keep_first(std::vector<Candidate<Mixed>>& candidates, std::size_t most) {
  if (candidates.size() <= most) return;
  const auto end = candidates.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(candidates.begin(), end, candidates.end());
  candidates.erase(end, candidates.end());
}

// The first `most` of the candidates one byte longer that have been counted; those given have
// `length` bytes.
template <class Key, class Mixed>
std::vector<Candidate<Mixed>> longer(const std::vector<std::int64_t>& counters,
                                     const std::vector<Candidate<Mixed>>& candidates,
                                     std::size_t length, std::size_t most, std::int64_t least) {
  std::vector<Candidate<Mixed>> next;  // `least`: what a count must be to be among the first
  for (const auto& candidate : candidates) {
    const auto rows = places<Key>(candidate.prefix, length);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      std::int64_t count = candidate.count;
      for (const std::size_t row : rows) count = std::min(count, counters[row ^ byte]);
      if (count >= least) next.push_back({candidate.prefix << 8 | static_cast<Mixed>(byte), count});
    }
    if (next.size() < 4 * most) continue;
    keep_first(next, most);
    least = std::max_element(next.begin(), next.end())->count;  // of the last of them
  }
  keep_first(next, most);
  return next;
}

}  // namespace

template <class Key>
void FrequentValues<Key>::add(Key key, std::int64_t times) {
  count_ += times;
  if (is_approximate()) return add_to_counters(key, times);
  values_.add(key, times);
  if (values_.is_over_cap()) give_up_exactness();
}

template <class Key>
void FrequentValues<Key>::add_to_counters(Key key, std::int64_t times) {
  const auto mixed = KeyForm<Key>::mixed(key);
  counters_[static_cast<std::size_t>(prefix_of(mixed, 1))] += times;
  for (std::size_t length = 1; length < kBytes<Key>; ++length) {
    const auto next = static_cast<std::size_t>(prefix_of(mixed, length + 1) & 255);
    for (const std::size_t row : places<Key>(prefix_of(mixed, length), length))
      counters_[row ^ next] += times;
  }
}

template <class Key>
void FrequentValues<Key>::give_up_exactness() {
  counters_.assign(kCounters<Key>, 0);
  values_.each([&](Key key, std::int64_t count) { add_to_counters(key, count); });
  values_.clear();
}

template <class Key>
void FrequentValues<Key>::merge(const FrequentValues& other) {
  COEVAL_CHECK(values_.cap() == other.values_.cap());
  if (&other == this) return merge(FrequentValues(other));
  if (other.is_approximate() && !is_approximate()) give_up_exactness();
  const std::int64_t count = count_ + other.count_;
  other.values_.each([&](Key key, std::int64_t times) { add(key, times); });
  for (std::size_t i = 0; i < other.counters_.size(); ++i) counters_[i] += other.counters_[i];
  count_ = count;
}

template <class Key>
void FrequentValues<Key>::clear() {
  values_.clear();
  counters_.clear();
  count_ = 0;
}

// Byte by byte: of all prefixes of one length that may be frequent, those one byte longer.
template <class Key>
std::vector<ValueCount<Key>> FrequentValues<Key>::find_frequent(std::size_t candidates) const {
  using Mixed = typename KeyForm<Key>::Mixed;
  // Less than that may be the sum of values that share counters, of a key that nobody has.
  const std::int64_t least = count_ / kLeastShare + 1;
  std::vector<Candidate<Mixed>> found;
  for (std::size_t byte = 0; byte < kFirst; ++byte)
    if (counters_[byte] >= least) found.push_back({static_cast<Mixed>(byte), counters_[byte]});
  keep_first(found, candidates);
  for (std::size_t length = 1; length < kBytes<Key>; ++length) {
    found = longer<Key>(counters_, found, length, candidates, least);
  }
  std::vector<Entry> entries;
  for (const auto& candidate : found)
    entries.push_back({KeyForm<Key>::unmixed(candidate.prefix), candidate.count});
  return entries;
}

template <class Key>
std::vector<ValueCount<Key>> FrequentValues<Key>::top_k(std::size_t k, const Order& before) const {
  COEVAL_CHECK(k <= kMostListed);
  auto entries = is_approximate() ? find_frequent(32 + 2 * k) : values_.entries();
  const std::size_t size = std::min(k, entries.size());
  std::partial_sort(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(size),
                    entries.end(), [&](const Entry& a, const Entry& b) {
                      return a.count != b.count ? a.count > b.count : before(a.value, b.value);
                    });
  entries.resize(size);
  return entries;
}

template <class Key>
std::optional<ValueCount<Key>> FrequentValues<Key>::mode(const Order& before) const {
  const auto first = top_k(1, before);
  if (first.empty()) return std::nullopt;
  return first.front();
}

// u8 whether approximate; then the values with their counts, or all counters.
template <class Key>
void FrequentValues<Key>::append_bytes(std::string& out) const {
  out.push_back(is_approximate() ? 1 : 0);
  if (!is_approximate()) return values_.append_bytes(out);
  for (const std::int64_t count : counters_) append_count(out, count);
}

template <class Key>
bool FrequentValues<Key>::read_bytes(std::string_view& bytes) {
  FrequentValues read(values_.cap());
  std::string_view rest = bytes;
  std::uint8_t approximate = 0;
  if (!read_u8(rest, approximate) || approximate > 1) return false;
  const auto total = [&](Key, std::int64_t count) {
    return !__builtin_add_overflow(read.count_, count, &read.count_);
  };
  if (approximate == 0) {
    if (!read.values_.read_bytes(rest, total)) return false;
  } else {
    read.counters_.assign(kCounters<Key>, 0);
    for (std::int64_t& count : read.counters_)
      if (!read_count(rest, count)) return false;
    // Each value is counted once in the first counters and once in each row.
    for (std::size_t i = 0; i < kFirst; ++i)
      if (!total(Key{}, read.counters_[i])) return false;
    for (std::size_t at = kFirst; at < kCounters<Key>; at += kRowSize) {
      std::int64_t sum = 0;
      for (std::size_t i = at; i < at + kRowSize; ++i)
        if (__builtin_add_overflow(sum, read.counters_[i], &sum)) return false;
      if (sum != read.count_) return false;
    }
    if (std::cmp_less_equal(read.count_, values_.cap())) return false;
  }
  if (read.count_ > kMostValues) return false;
  *this = std::move(read);
  bytes = rest;
  return true;
}

template class FrequentValues<std::int64_t>;
template class FrequentValues<Key128>;

}  // namespace coeval::exact
