#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "data/row_codec.h"
#include "exact/exact_sum.h"
#include "exact/integer_sum.h"
#include "kernel/power_sum.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

/// Smallest and largest value by order_key, and the values of the oldest and newest event by (event
/// time, position). (semantics: T5)
struct Extremes {
  bool any = false;
  std::int64_t least = INT64_MAX, greatest = INT64_MIN;
  std::int64_t first_time = 0, last_time = 0;
  std::uint64_t first = 0, last = 0;
  friend bool operator==(const Extremes&, const Extremes&) = default;
};

/// Everything that the aggregates of a view need to know of a set of events: the plain form of what
/// cursors keep as running sums. Used for chunks, for events folded into "all", and for questions
/// about the past.
///
/// Of two events of equal event time the one of the earlier position must be added first.
struct Tally {
  explicit Tally(const RecordLayout& layout);
  void clear(const RecordLayout& layout);
  void add(const RecordLayout& layout, const std::byte* record);
  void merge(const Tally& other);

  /// Canonical bytes and back; read says whether the bytes were well formed.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

  std::vector<std::int64_t> linear;  ///< counters of bits, then narrow sums
  std::vector<exact::Int128> wide;
  std::vector<exact::ExactSum> reals;
  std::vector<Extremes> extremes;  ///< of layout.ordered
  std::vector<PowerSum> powers;    ///< of layout.powers
};

/// Adds (sign 1) or takes away (−1) the bits and narrow values of one record.
inline void count_record(const RecordLayout& layout, std::int64_t* linear, const std::byte* record,
                         std::int64_t sign) {
  const std::size_t bits = layout.bit_count;
  const std::size_t in_first_word = bits < 32 ? bits : 32;
  const auto flags = load<std::uint32_t>(record + kFlagsAt);
  for (std::size_t i = 0; i < in_first_word; ++i)
    linear[i] += sign * static_cast<std::int64_t>(flags >> i & 1);
  for (std::size_t i = 32; i < bits; ++i)
    linear[i] += sign * (bit_of(record, static_cast<int>(i)) ? 1 : 0);
  const std::byte* narrow = record + layout.narrow_at;
  for (std::size_t i = 0; i < layout.narrow_count; ++i)
    linear[bits + i] += sign * load<std::int32_t>(narrow + 4 * i);
}

/// Puts a value into extremes.
void include(Extremes& extremes, const RecordLayout& layout, const Measure& measure,
             const std::byte* record);
void merge(Extremes& into, const Extremes& later);
/// The value whose order_key is given, as 64 bits.
std::uint64_t bits_of_key(std::int64_t key, Storage storage);

}  // namespace coeval::kernel
