#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/large_allocator.h"
#include "kernel/blocks.h"
#include "kernel/kernel.h"
#include "kernel/record_layout.h"
#include "kernel/sum_words.h"

namespace coeval::kernel {

/// The events of one view as its questions read them: entity by entity, each in the order of (event
/// time, position), one behind the other in memory. Before each event, and behind the last one of
/// an entity, there is a row of the sums over the entity's events so far.
///
/// Built once, read by any number of threads.
class EntityEvents {
 public:
  /// Which events of a block are whose; negative = nobody's.
  struct Source {
    const EventBlock::PerView* events = nullptr;
    std::int64_t rows = 0;
    HistoryOrder order;
    std::size_t entities = 0;
  };
  /// What besides sums is read of events.
  struct Wanted {
    std::vector<Measure> values;  ///< the values of these
    std::vector<int> bits;        ///< lists of the events that have these
    /// Values among those above whose repetitions are found, with the bit of events that count.
    std::vector<std::pair<std::size_t, int>> repeats;
  };

  /// Nothing when the sums would take too much room, see SumWords, or when there are 2^31 events.
  /// `layout` must outlive it. Works in about `parts` parts side by side.
  static std::unique_ptr<EntityEvents> create(const RecordLayout& layout, const Source& source,
                                              const Wanted& wanted, std::size_t parts,
                                              const RunParts& run);

  const SumWords& words() const { return words_; }
  std::size_t entities() const { return offsets_.size() - 1; }
  /// How long after it happened an event was known at most; ≤ 0: none was known late.
  std::int64_t longest_lag_us() const { return longest_lag_us_; }
  bool any_late() const { return longest_lag_us_ > 0; }

  class Of;
  /// How many of the events [0, i) of an entity have a bit.
  std::uint32_t rank_of(int bit, const Of& events, std::uint32_t i) const;

  /// The events of one entity; indexes are from 0.
  class Of {
   public:
    std::uint32_t count() const { return count_; }
    const std::int64_t* times() const { return times_; }
    /// The sums over events [0, i).
    const std::uint64_t* sums(std::uint32_t i) const { return sums_ + std::size_t{i} * width_; }
    /// When event i was known; only where any_late().
    std::int64_t known(std::uint32_t i) const { return known_[i]; }
    /// The k-th event in the order of becoming known; only where any_late().
    std::uint32_t by_known(std::uint32_t k) const {
      return by_known_ == nullptr ? k : by_known_[k];
    }
    std::uint64_t value(std::size_t wanted, std::uint32_t i) const {
      return all_->values_[wanted][first_ + i];
    }
    /// 1 more than the index of the last event before i that counts and has the same value, 0 where
    /// there is none; where event i does not count, UINT32_MAX.
    std::uint32_t behind_same(std::size_t wanted, std::uint32_t i) const {
      return all_->repeats_[wanted].before[first_ + i];
    }
    /// The index of the first such event behind i, UINT32_MAX where there is none; where event i
    /// does not count, 0.
    std::uint32_t next_same(std::size_t wanted, std::uint32_t i) const {
      return all_->repeats_[wanted].next[first_ + i];
    }
    /// The k-th event that has a wanted bit; those before event i number rank_of(bit, i).
    std::uint32_t having(std::size_t wanted, std::uint32_t k) const {
      const Having& having = all_->having_[wanted];
      return having.every_event ? k : having.events[having.begin[entity_] + k];
    }

   private:
    friend class EntityEvents;
    const EntityEvents* all_ = nullptr;
    std::size_t entity_ = 0, first_ = 0, width_ = 0;
    std::uint32_t count_ = 0;
    const std::int64_t* times_ = nullptr;
    const std::uint64_t* sums_ = nullptr;
    const std::int64_t* known_ = nullptr;
    const std::uint32_t* by_known_ = nullptr;
  };
  /// Any number beyond the entities has no events.
  Of of(std::size_t entity) const;
  /// Asks for what is read of an entity of not too many events, ahead of time.
  void fetch(std::size_t entity) const {
    if (entity >= entities()) return;
    constexpr std::size_t kLine = 8, kMostLines = 16;  // in words
    const std::size_t first = offsets_[entity], count = offsets_[entity + 1] - first;
    const std::size_t most = std::min(count, kLine * kMostLines);
    for (std::size_t i = 0; i < most; i += kLine) __builtin_prefetch(times_.data() + first + i);
    const std::uint64_t* sums = sums_.data() + (first + entity) * words_.width();
    if (count * words_.width() > kLine * kMostLines) return;
    for (std::size_t i = 0; i <= count * words_.width(); i += kLine) __builtin_prefetch(sums + i);
  }

 private:
  // The events that have a bit, by entity.
  struct Having {
    LargeVector<std::uint32_t> events;
    std::vector<std::uint32_t> begin;  // by entity
    bool every_event = false;          // then there is no list
  };

  struct Repeats {
    LargeVector<std::uint32_t> before, next;  // see Of
  };
  struct Row {
    std::uint32_t row, entity;
  };
  explicit EntityEvents(SumWords words) : words_(std::move(words)) {}
  void count(const Source& source, const RunParts& run);
  LargeVector<Row> order_rows(const Source& source, std::size_t begin, std::size_t end) const;
  void place(const RecordLayout& layout, const Source& source, const Wanted& wanted,
             std::size_t begin, std::size_t end, std::vector<std::uint32_t>& next,
             std::span<std::uint32_t> rows);
  bool order_by_known(const Source& source, std::span<const std::uint32_t> rows);
  void list_having(int bit);
  void find_repeats(const Measure& measure, std::size_t value, int bit,
                    std::span<const std::size_t> begins, const RunParts& run);

  SumWords words_;
  std::vector<std::uint32_t> offsets_;  // by entity, and the end
  LargeVector<std::int64_t> times_, known_;
  LargeVector<std::uint64_t> sums_;  // offsets_[e] + e rows before those of entity e
  LargeVector<std::uint32_t> by_known_;
  std::vector<LargeVector<std::uint64_t>> values_;
  std::vector<Having> having_;
  std::vector<Repeats> repeats_;
  std::int64_t longest_lag_us_ = 0;
};

}  // namespace coeval::kernel
