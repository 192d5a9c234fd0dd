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

/// The parts of a tally, wherever they lie: as many as its layout says.
struct TallyParts {
  std::int64_t* linear;
  exact::Int128* wide;
  exact::ExactSum* reals;
  Extremes* extremes;
  PowerSum* powers;
};
void clear(const RecordLayout& layout, TallyParts tally);
void add(const RecordLayout& layout, TallyParts tally, const std::byte* record);
/// The same for extremes alone.
void add_extremes(const RecordLayout& layout, Extremes* extremes, const std::byte* record);
/// Adds the events of another tally of the layout.
void merge(const RecordLayout& layout, TallyParts into, TallyParts later);
void merge_extremes(const RecordLayout& layout, Extremes* into, const Extremes* later);

/// Everything that the aggregates of a view need to know of a set of events: the plain form of what
/// cursors keep as running sums. Used for tiles, for events folded into "all", and for the events
/// of windows.
///
/// Of two events of equal event time the one of the earlier position must be added first.
struct Tally {
  explicit Tally(const RecordLayout& layout);
  void clear(const RecordLayout& layout) { kernel::clear(layout, parts()); }
  void add(const RecordLayout& layout, const std::byte* record) {
    kernel::add(layout, parts(), record);
  }
  void merge(const RecordLayout& layout, Tally& later) {
    kernel::merge(layout, parts(), later.parts());
  }
  TallyParts parts() {
    return {linear.data(), wide.data(), reals.data(), extremes.data(), powers.data()};
  }

  /// Canonical bytes and back; read says whether the bytes were well formed.
  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

  std::vector<std::int64_t> linear;  ///< counters of bits, then narrow sums
  std::vector<exact::Int128> wide;
  std::vector<exact::ExactSum> reals;
  std::vector<Extremes> extremes;  ///< of layout.ordered
  std::vector<PowerSum> powers;    ///< of layout.powers
};

/// Some tallies of one layout, one behind the other.
class TallyTable {
 public:
  TallyTable(const RecordLayout& layout, std::size_t count);
  TallyParts at(std::size_t i) {
    return {linear_.data() + i * linear_each_, wide_.data() + i * wide_each_,
            reals_.data() + i * reals_each_, extremes_.data() + i * extremes_each_,
            powers_.data() + i * powers_each_};
  }

 private:
  std::size_t linear_each_, wide_each_, reals_each_, extremes_each_, powers_each_;
  std::vector<std::int64_t> linear_;
  std::vector<exact::Int128> wide_;
  std::vector<exact::ExactSum> reals_;
  std::vector<Extremes> extremes_;
  std::vector<PowerSum> powers_;
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
