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
};

/// The argument of an aggregate as stored: whether an event takes part (its `where` is true and its
/// argument is not null), and the value, 0 when it takes no part. Equal arguments share their
/// place.
struct Measure {
  int part_bit = 0;
  Storage storage = Storage::none;
  int slot = 0;  ///< a bit's number, or an index among the slots of the storage
};

/// How one aggregate is answered from its measure.
struct AggregatePlan {
  define::Aggregation kind = define::Aggregation::count;
  Measure measure;
  int ordered = -1;  ///< min, max, first, last: index into RecordLayout::ordered
  int linear = -1;   ///< sum and mean of bits and narrow values: index of their running sum
  data::Type result = data::Type::null;
};

/// Byte layout of one event of a view: event time, known time, 32-bit words of bits, narrow, wide
/// and real slots. Everything an aggregate reads of an event is in its record, so that state needs
/// no table of its own and a block of events is prepared once.
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
  std::vector<Slot> narrow, wide, real;
  std::size_t summed_wide = 0, summed_real = 0;
  std::vector<AggregatePlan> aggregates;
  std::vector<Measure> ordered;  ///< measures of min, max, first, last, each once
  std::string text;              ///< canonical; equal texts mean equal records

  std::size_t narrow_at = 0, wide_at = 0, real_at = 0;
  std::size_t stride = 0;
  std::size_t bit_count = 0, narrow_count = 0;
  std::size_t words() const { return (bit_count + 31) / 32; }
  /// Counters and narrow sums, kept together as int64.
  std::size_t linear() const { return bit_count + narrow_count; }

  /// Errors: unsupported for an aggregate over strings other than count.
  static Result<RecordLayout> create(const define::View& view, const data::Schema& source);
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
    default:
      return 0;
  }
}

}  // namespace coeval::kernel
