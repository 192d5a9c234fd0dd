#include "kernel/entity_events.h"

#include <algorithm>
#include <bit>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "kernel/saturate.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

// Events are asked for so many places before they are looked at, and what they are put beside.
constexpr std::size_t kAhead = 24, kSoon = 12;
// About what the second cache of a core has for them, the bytes of a line of it, and as many ranges
// as can be filled side by side.
constexpr std::size_t kCached = std::size_t{512} << 10, kLine = 64, kMostRanges = 4'096;

// Entity ranges with about as many events each: the first entity of every range, and the end.
std::vector<std::size_t> divide(std::span<const std::uint32_t> offsets, std::size_t parts) {
  const std::size_t entities = offsets.size() - 1, events = offsets.back();
  std::vector<std::size_t> begins;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto wanted = static_cast<std::uint32_t>(events * part / parts);
    const auto place = std::ranges::lower_bound(offsets.first(entities), wanted);
    begins.push_back(static_cast<std::size_t>(place - offsets.begin()));
  }
  begins.push_back(entities);
  begins.front() = 0;
  return begins;
}

}  // namespace

std::unique_ptr<EntityEvents> EntityEvents::create(const RecordLayout& layout, const Source& source,
                                                   const Wanted& wanted, std::size_t parts,
                                                   const RunParts& run) {
  if (source.rows >= INT32_MAX) return nullptr;  // places are 32 bits
  auto words = SumWords::create(layout, *source.events, source.rows, run);
  if (!words) return nullptr;
  std::unique_ptr<EntityEvents> made(new EntityEvents(std::move(*words)));
  EntityEvents& events = *made;
  events.count(source, run);
  const std::size_t all = events.offsets_.back(), width = events.words_.width();
  events.times_.resize(all);
  events.sums_.resize((all + source.entities) * width);
  if (events.any_late()) events.known_.resize(all);
  events.values_.resize(wanted.values.size());
  for (auto& values : events.values_) values.resize(all);
  // Where the order of becoming known is another, it is found by rows.
  LargeVector<std::uint32_t> rows(events.any_late() ? all : 0);
  std::vector<std::uint32_t> next(events.offsets_.begin(), events.offsets_.end() - 1);
  const auto begins = divide(events.offsets_, std::max<std::size_t>(parts, 1));
  run(begins.size() - 1, [&](std::size_t part) {
    events.place(layout, source, wanted, begins[part], begins[part + 1], next, rows);
  });
  if (events.any_late() && !events.order_by_known(source, rows)) events.by_known_ = {};
  for (const int bit : wanted.bits) events.list_having(bit);
  for (const auto& [value, bit] : wanted.repeats)
    events.find_repeats(wanted.values[value], value, bit, begins, run);
  return made;
}

void EntityEvents::count(const Source& source, const RunParts& run) {
  const RowRanges ranges(source.rows);
  std::vector<std::int64_t> longest(ranges.count(), 0);
  run(ranges.count(), [&](std::size_t range) {
    std::int64_t mine = 0;
    for (std::int64_t row = ranges.begin(range); row < ranges.begin(range + 1); ++row) {
      const std::byte* record = source.events->record(row);
      mine = std::max(mine, saturating_subtract(known_time_of(record), event_time_of(record)));
    }
    longest[range] = mine;
  });
  longest_lag_us_ = std::ranges::max(longest);
  offsets_.assign(source.entities + 1, 0);
  for (const std::int32_t entity : source.events->entities)
    if (entity >= 0) ++offsets_[static_cast<std::size_t>(entity)];
  std::uint32_t before = 0;
  for (auto& offset : offsets_) before += std::exchange(offset, before);
}

// The events of entities [begin, end) in the order in which they are put: by time, or, where their
// places are more than a cache holds, range of entities by range, each by time.
LargeVector<EntityEvents::Row> EntityEvents::order_rows(const Source& source, std::size_t begin,
                                                        std::size_t end) const {
  const std::size_t events = offsets_[end] - offsets_[begin];
  const std::size_t arrays = 2 + values_.size() + (any_late() ? 1 : 0);
  const std::size_t bytes = events * (arrays - 1 + words_.width()) * sizeof(std::uint64_t);
  int shift = static_cast<int>(std::bit_width(end - begin));  // all in one range
  if ((end - begin) * arrays * kLine > kCached)
    while (shift > 0 && (bytes >> std::bit_width((end - begin - 1) >> shift)) > kCached &&
           (end - begin) >> (shift - 1) < kMostRanges)
      --shift;
  std::vector<std::uint32_t> next;  // by range; and, behind the last, a place for those of others
  for (std::size_t entity = begin; entity < end; entity += std::size_t{1} << shift)
    next.push_back(offsets_[entity] - offsets_[begin]);
  const std::size_t others = next.size();
  next.push_back(static_cast<std::uint32_t>(events));
  LargeVector<Row> rows(events + 1);
  for (const std::int64_t row : source.order.by_time) {
    const auto entity = static_cast<std::uint32_t>(source.events->entity(row));
    const bool mine = entity >= begin && entity < end;  // nobody is beyond the end
    std::uint32_t& to = next[mine ? (entity - begin) >> shift : others];
    rows[to] = {static_cast<std::uint32_t>(row), entity};
    to += mine ? 1 : 0;
  }
  rows.pop_back();
  return rows;
}

// Puts the events of entities [begin, end) into their places.
void EntityEvents::place(const RecordLayout& layout, const Source& source, const Wanted& wanted,
                         std::size_t begin, std::size_t end, std::vector<std::uint32_t>& next,
                         std::span<std::uint32_t> rows_of_places) {
  const std::size_t width = words_.width();
  for (std::size_t entity = begin; entity < end; ++entity)
    std::fill_n(sums_.data() + (offsets_[entity] + entity) * width, width, 0);
  const EventBlock::PerView& events = *source.events;
  const LargeVector<Row> rows = order_rows(source, begin, end);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) {
      const std::byte* ahead = events.record(rows[i + kAhead].row);
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + events.stride - 1);
      __builtin_prefetch(&next[rows[i + kAhead].entity], 1);
      const std::size_t soon = rows[i + kSoon].entity;
      __builtin_prefetch(times_.data() + next[soon], 1);
      __builtin_prefetch(sums_.data() + (next[soon] + soon) * width, 1);
    }
    const auto [row, entity] = rows[i];
    const std::byte* record = events.record(row);
    const std::size_t at = next[entity]++;
    times_[at] = event_time_of(record);
    std::uint64_t* sums = sums_.data() + (at + entity) * width;
    if (width == 1)
      sums[1] = sums[0];
    else
      std::copy_n(sums, width, sums + width);
    words_.add(record, sums + width);
    if (!known_.empty()) known_[at] = known_time_of(record);
    if (!rows_of_places.empty()) rows_of_places[at] = row;
    for (std::size_t v = 0; v < values_.size(); ++v)
      values_[v][at] = value_bits(layout, wanted.values[v], record);
  }
}

// False where it is the order of the events themselves.
bool EntityEvents::order_by_known(const Source& source, std::span<const std::uint32_t> rows) {
  std::vector<std::uint32_t> places(static_cast<std::size_t>(source.rows));
  for (std::size_t at = 0; at < rows.size(); ++at)
    places[rows[at]] = static_cast<std::uint32_t>(at);
  std::vector<std::uint32_t> next(offsets_.begin(), offsets_.end() - 1);
  by_known_.resize(rows.size());
  bool differs = false;
  for (const std::int64_t row : source.order.by_known) {
    const std::int32_t entity = source.events->entity(row);
    if (entity < 0) continue;
    const std::size_t at = next[static_cast<std::size_t>(entity)]++;
    const std::uint32_t place = places[static_cast<std::size_t>(row)];
    by_known_[at] = place - offsets_[static_cast<std::size_t>(entity)];
    differs = differs || place != at;
  }
  return differs;
}

void EntityEvents::list_having(int bit) {
  Having& having = having_.emplace_back();
  having.every_event = words_.counter(static_cast<std::size_t>(bit)).is_every_event();
  if (having.every_event) return;
  having.begin.reserve(entities());
  for (std::size_t entity = 0; entity < entities(); ++entity) {
    having.begin.push_back(static_cast<std::uint32_t>(having.events.size()));
    const Of mine = of(entity);
    for (std::uint32_t i = 0; i < mine.count(); ++i)
      if (rank_of(bit, mine, i + 1) != rank_of(bit, mine, i)) having.events.push_back(i);
  }
}

void EntityEvents::find_repeats(const Measure& measure, std::size_t value, int bit,
                                std::span<const std::size_t> begins, const RunParts& run) {
  Repeats& repeats = repeats_.emplace_back();
  repeats.before.resize(times_.size());
  repeats.next.resize(times_.size());
  run(begins.size() - 1, [&](std::size_t part) {
    boost::unordered_flat_map<std::int64_t, std::uint32_t> last;  // by value
    for (std::size_t entity = begins[part]; entity < begins[part + 1]; ++entity) {
      const Of mine = of(entity);
      std::uint32_t* before = repeats.before.data() + offsets_[entity];
      std::uint32_t* next = repeats.next.data() + offsets_[entity];
      // Emptying a map takes as long as it is large.
      if (last.bucket_count() > 8 * std::size_t{mine.count()} + 64)
        last = {};
      else
        last.clear();
      for (std::uint32_t i = 0; i < mine.count(); ++i) {
        before[i] = UINT32_MAX;
        next[i] = 0;
        if (rank_of(bit, mine, i) == rank_of(bit, mine, i + 1)) continue;
        next[i] = UINT32_MAX;
        const std::int64_t key = value_key(mine.value(value, i), measure.storage == Storage::real);
        const auto [known, is_new] = last.try_emplace(key, i);
        before[i] = is_new ? 0 : known->second + 1;
        if (!is_new) next[known->second] = i;
        known->second = i;
      }
    }
  });
}

std::uint32_t EntityEvents::rank_of(int bit, const Of& events, std::uint32_t i) const {
  const CounterPlace place = words_.counter(static_cast<std::size_t>(bit));
  if (place.is_every_event()) return i;
  return static_cast<std::uint32_t>(place.of(events.sums(i)[place.word]));
}

EntityEvents::Of EntityEvents::of(std::size_t entity) const {
  Of events;
  events.all_ = this;
  events.width_ = words_.width();
  if (entity >= entities()) {
    static constexpr std::uint64_t kNothing[SumWords::kMostWords] = {};
    events.sums_ = kNothing;
    return events;
  }
  events.entity_ = entity;
  events.first_ = offsets_[entity];
  events.count_ = offsets_[entity + 1] - offsets_[entity];
  events.times_ = times_.data() + events.first_;
  events.sums_ = sums_.data() + (events.first_ + entity) * events.width_;
  if (!known_.empty()) events.known_ = known_.data() + events.first_;
  if (!by_known_.empty()) events.by_known_ = by_known_.data() + events.first_;
  return events;
}

}  // namespace coeval::kernel
