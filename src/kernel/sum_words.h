#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "kernel/blocks.h"
#include "kernel/power_sum.h"
#include "kernel/record_layout.h"

namespace coeval::kernel {

/// A counter among the words of a row of sums: half a word, or, where every event counts, nothing,
/// since the number of events is known.
struct CounterPlace {
  static constexpr std::uint32_t kEveryEvent = UINT32_MAX;
  std::uint32_t word = kEveryEvent, shift = 0;

  bool is_every_event() const { return word == kEveryEvent; }
  /// From the word, or a difference of such words.
  std::int64_t of(std::uint64_t sums) const {
    return static_cast<std::int64_t>(sums >> shift & UINT32_MAX);
  }
};

/// A two's complement number among the words of a row, lowest word first.
struct SumLane {
  std::uint32_t word = 0, size = 0;
  std::size_t first_limb = 0;  ///< of reals and what is made of them: the unit is 2^(64·first_limb)
                               ///< of those in which the exact sums count
};

/// How the sums that a view's aggregates are read from lie in rows of 64-bit words, so that the sum
/// over any run of events is the difference of two rows. Counters are halves of words; integers
/// have as many words as the largest values there are need; reals are fixed-point numbers whose
/// places reach from the last bit of any value to the first. Nothing is rounded. (semantics: A1 A2)
class SumWords {
 public:
  /// Rows longer than this, or than four records and a dozen words, cost more than they save.
  static constexpr std::size_t kMostWords = 96;
  static constexpr std::size_t kMostLaneWords = 40;

  /// For sums of any of these events: `records` of a view with this layout. Nothing when the values
  /// lie so far apart that rows would be too long.
  static std::optional<SumWords> create(const RecordLayout& layout,
                                        const EventBlock::PerView& records, std::int64_t rows,
                                        const RunParts& run = run_in_turn);

  std::size_t width() const { return width_; }  ///< words of a row
  /// Adds what an event counts to a row.
  void add(const std::byte* record, std::uint64_t* row) const {
    for (const auto& [bit, place] : counted_)
      row[place.word] += std::uint64_t{bit_of(record, bit)} << place.shift;
    for (const auto& [at, lane] : narrow_)
      row[lane.word] += static_cast<std::uint64_t>(std::int64_t{load<std::int32_t>(record + at)});
    for (const auto& [at, lane] : wide_) row[lane.word] += load<std::uint64_t>(record + at);
    for (const Term& term : terms_) add_term(term, record, row);
  }

  /// row += a − b, of rows; each lane for itself.
  void move(std::uint64_t* row, const std::uint64_t* a, const std::uint64_t* b) const {
    if (any_long_) return move_long(row, a, b);
    for (std::size_t i = 0; i < width_; ++i) row[i] += a[i] - b[i];
  }

  CounterPlace counter(std::size_t bit) const { return counters_[bit]; }
  /// The sum of a measure of bits or integers.
  SumLane integer_lane(const Measure& measure) const;

 private:
  friend class SumDifference;
  // What one event adds to one lane.
  struct Term {
    enum class Kind : std::uint8_t {
      integer,         // the value
      integer_square,  // of the value
      time,            // the event time since origin_us_
      time_square,
      integer_product,  // time · value
      real,             // those of reals: only finite values
      real_square,
      real_product,
      special  // NaN, +∞ and −∞ counted: a word and a half
    };
    Kind kind = Kind::integer;
    Measure measure;
    SumLane lane;
  };
  struct Range;
  class Builder;

  const Term* find(Term::Kind kind, const Measure& measure) const;
  const SumLane& lane(Term::Kind kind, const Measure& measure) const;
  std::uint64_t value(const Measure& measure, const std::byte* record) const {
    return value_bits(*layout_, measure, record);
  }
  void move_long(std::uint64_t* row, const std::uint64_t* a, const std::uint64_t* b) const;
  void add_term(const Term& term, const std::byte* record, std::uint64_t* row) const;

  const RecordLayout* layout_ = nullptr;
  std::vector<CounterPlace> counters_;                   // by bit
  std::vector<std::pair<int, CounterPlace>> counted_;    // bits that are not set in every event
  std::vector<std::pair<std::size_t, SumLane>> narrow_;  // lanes of one word: offset in a record
  std::vector<std::pair<std::size_t, SumLane>> wide_;
  std::vector<Term> terms_;      // the others
  std::vector<Term> all_;        // those of narrow_ and wide_ too
  std::vector<bool> continues_;  // by word: whether it goes on with the number of the one before
  bool any_long_ = false;        // some number has more than one word
  std::int64_t origin_us_ = 0;
  std::size_t width_ = 0;
};

/// The sums over the events between two rows: what summed_cell() reads.
class SumDifference {
 public:
  /// `count`: the events between.
  SumDifference(const SumWords& words, const std::uint64_t* now, const std::uint64_t* then,
                std::int64_t count)
      : words_(words), now_(now), then_(then), count_(count) {}

  std::int64_t linear(std::size_t i) const;
  exact::Int128 wide(std::size_t i) const;
  exact::ExactSum real(std::size_t i) const;
  PowerSum power(std::size_t i) const;

 private:
  // The limbs of a lane.
  struct Limbs {
    std::array<std::uint64_t, SumWords::kMostLaneWords> limbs;
    std::size_t size;
    std::span<const std::uint64_t> span() const { return {limbs.data(), size}; }
  };
  Limbs limbs_of(const SumLane& lane) const;
  exact::Int128 integer_of(const SumLane& lane) const;
  exact::Int192 long_integer_of(const SumLane& lane) const;
  exact::ExactSum real_of(const Measure& measure) const;
  std::int64_t count_of(int bit) const;
  exact::IntegerMoments times_of(const Measure& measure) const;

  const SumWords& words_;
  const std::uint64_t *now_, *then_;
  std::int64_t count_;
};

}  // namespace coeval::kernel
