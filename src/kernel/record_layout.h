#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"

namespace coeval::kernel {

/// Where the value of an aggregate's argument lies in an event record.
enum class Storage : std::uint8_t {
  none,    ///< count(): no value
  bit,     ///< a boolean: one bit
  narrow,  ///< 32-bit integers
  wide,    ///< 64-bit integers
  real,    ///< float64
  string,  ///< 64 bits that stand for a string or a packed list: a row of its column in a block,
           ///< its address in state
};

/// The argument of an aggregate as stored: whether an event takes part (its `where` is true and its
/// argument is not null), and the value, 0 when it takes no part. Equal arguments share their
/// place.
struct Measure {
  int part_bit = 0;
  Storage storage = Storage::none;
  int slot = 0;  ///< a bit's number, or an index among the slots of the storage
  friend bool operator==(const Measure&, const Measure&) = default;
};

/// How one aggregate is answered from its measure.
struct AggregatePlan {
  define::Aggregation kind = define::Aggregation::count;
  Measure measure;
  Measure divisor;          ///< of ratio
  int ordered = -1;         ///< min, max, first, last, since: index into RecordLayout::ordered
  int linear = -1;          ///< sums of bits and narrow values: index of their running sum
  int divisor_linear = -1;  ///< the same of the divisor
  int power = -1;           ///< var, std, slope: index into RecordLayout::powers
  int collection = -1;      ///< what a walk over the events gives: index into collections
  double p = 0;             ///< of quantile
  std::size_t k = 0;        ///< of top_k
  int scale = 0, divisor_scale = 0;  ///< of decimals, which are summed times 10^scale
  data::Type result = data::Type::null;
};

/// Exact moments of a measure, for variance, or against event time for slope.
struct PowerPlan {
  Measure measure;
  bool against_time = false;
  friend bool operator==(const PowerPlan&, const PowerPlan&) = default;
};

/// What is gathered by looking at a window's events one by one.
struct CollectionPlan {
  enum class Gather : std::uint8_t { distinct, quantile, mode, newest, string_extremes, decayed };
  Gather gather = Gather::distinct;
  Measure measure;
  int counted_bit = 0;   ///< newest: the events that count, whether their value is null or not
  std::size_t keep = 0;  ///< newest: how many
  std::int64_t half_life_us = 0;  ///< decayed
  bool weighs = false;            ///< decayed: whether some aggregate is a mean
  /// Whether they gather the same, but for weights.
  friend bool operator==(const CollectionPlan& a, const CollectionPlan& b) {
    return a.gather == b.gather && a.measure == b.measure && a.counted_bit == b.counted_bit &&
           a.keep == b.keep && a.half_life_us == b.half_life_us;
  }
};

/// Byte layout of one event of a view: event time, known time, 32-bit words of bits, narrow, wide,
/// real and string slots. Everything an aggregate reads of an event is in its record, so that state
/// needs no table of its own and a block of events is prepared once.
///
/// Events that can be taken back end in their name, 128 bits, and their place among the view's
/// events, which settles ties. (semantics: T7)
///
/// Bit 0 is set in every record. Sums are kept for every narrow slot, for the leading summed_wide
/// wide and summed_real real slots, and a counter for every bit.
struct RecordLayout {
  /// A bit: `where` is true, `argument` is not null, and, if `truth`, true.
  struct Bit {
    define::ExprPtr where, argument;
    bool truth = false;
  };
  /// A value slot: the argument where part_bit is set, else 0.
  struct Slot {
    define::ExprPtr argument;
    int part_bit = 0;
  };

  std::vector<Bit> bits;
  std::vector<Slot> narrow, wide, real, strings;
  std::size_t summed_wide = 0, summed_real = 0;
  std::vector<AggregatePlan> aggregates;
  std::vector<Measure>
      ordered;  ///< measures of min, max, first, last, since, each once; no strings
  std::vector<PowerPlan> powers;            ///< each once
  std::vector<CollectionPlan> collections;  ///< each once
  std::string text;                         ///< canonical; equal texts mean equal records

  std::size_t narrow_at = 0, wide_at = 0, real_at = 0, strings_at = 0;
  std::size_t stride = 0;
  bool replaceable = false;                  ///< events can be taken back
  std::size_t name_at = 0, sequence_at = 0;  ///< of replaceable events
  std::size_t bit_count = 0, narrow_count = 0;
  std::size_t words() const { return (bit_count + 31) / 32; }
  /// Counters and narrow sums, kept together as int64.
  std::size_t linear() const { return bit_count + narrow_count; }

  static RecordLayout create(const define::View& view, const data::Schema& source,
                             bool replaceable = false);
};

template <class T>
inline T load(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class T>
inline void store(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

/// Copies one record; strides are multiples of 8 bytes, and short.
inline void copy_record(std::byte* to, const std::byte* from, std::size_t stride) {
  for (std::size_t i = 0; i < stride; i += 8) store(to + i, load<std::uint64_t>(from + i));
}

inline constexpr std::size_t kFlagsAt = 16;
inline std::int64_t event_time_of(const std::byte* record) { return load<std::int64_t>(record); }
inline std::int64_t known_time_of(const std::byte* record) {
  return load<std::int64_t>(record + 8);
}
inline bool bit_of(const std::byte* record, int bit) {
  return (load<std::uint32_t>(record + kFlagsAt + 4 * static_cast<std::size_t>(bit / 32)) >>
              (bit % 32) &
          1) != 0;
}

/// The 64 bits of a measure's value: an int64, or a double's bits.
inline std::uint64_t value_bits(const RecordLayout& layout, const Measure& measure,
                                const std::byte* record) {
  const auto slot = static_cast<std::size_t>(measure.slot);
  switch (measure.storage) {
    case Storage::bit:
      return bit_of(record, measure.slot) ? 1 : 0;
    case Storage::narrow:
      return static_cast<std::uint64_t>(
          std::int64_t{load<std::int32_t>(record + layout.narrow_at + 4 * slot)});
    case Storage::wide:
      return load<std::uint64_t>(record + layout.wide_at + 8 * slot);
    case Storage::real:
      return load<std::uint64_t>(record + layout.real_at + 8 * slot);
    case Storage::string:
      return load<std::uint64_t>(record + layout.strings_at + 8 * slot);
    default:
      return 0;
  }
}

}  // namespace coeval::kernel
