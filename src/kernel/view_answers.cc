// How a view answers: cursors that follow the questions' time, sums as differences between them,
// and what is gathered from the events that lie between two.
#include <algorithm>
#include <bit>

#include "base/check.h"
#include "kernel/sum_cells.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

using define::Aggregation;

}  // namespace

void ViewState::count_chunk(Entity& e, std::size_t boundary, const Tally& tally,
                            std::int64_t sign) {
  std::int64_t* sums = linear(e, boundary);
  for (std::size_t i = 0; i < tally.linear.size(); ++i) sums[i] += sign * tally.linear[i];
  if (has_large_) e.large->count(boundary, tally, sign);
}

// Sets every cursor to the begin of the held events, with sums of nothing.
void ViewState::track(Entity& e) {
  const std::size_t count = boundaries_.size();
  std::fill_n(cursors(e), count, Cursor{e.head, e.head->begin});
  std::fill_n(linear(e, 0), count * linear_count_, 0);
  if (has_large_) {
    if (e.large == nullptr) e.large = new LargeSums();
    e.large->start(layout_, count);
  }
  e.asked_at = INT64_MIN;
  e.tracked = true;
}

void ViewState::move(Entity& e, std::int64_t at_us) {
  if (!e.tracked) track(e);
  const std::int64_t before = e.asked_at;
  e.asked_at = at_us;
  for (std::size_t i = 0; i < boundaries_.size(); ++i) {
    if (boundaries_[i].from_begin) continue;
    const std::int64_t to = bound(boundaries_[i], at_us);
    // Where clocks go back over midnight, the begin of a day may too.
    const bool back = boundaries_[i].period == define::Period::none || before == INT64_MIN
                          ? at_us < before
                          : to < bound(boundaries_[i], before);
    back ? move_back(e, i, to) : move_forward(e, i, to);
  }
}

// Far moves go over whole chunks by their tallies, which are kept for the next cursor that comes
// by.
constexpr std::uint32_t kWorthATally = 32;

void ViewState::move_forward(Entity& e, std::size_t boundary, std::int64_t to) {
  Cursor& cursor = cursors(e)[boundary];
  Chunk* chunk = cursor.chunk;
  std::uint32_t slot = cursor.slot;
  while (true) {
    const std::byte* record = place_of({chunk, slot});
    for (; slot != chunk->end && event_time_of(record) < to; ++slot, record += layout_.stride)
      count(e, boundary, record, 1);
    Chunk* next = chunk->next;
    if (slot != chunk->end || next == nullptr || next->first_time() >= to) break;
    chunk = next;
    slot = next->begin;
    if (next->size() >= kWorthATally && next->last_time() < to) {
      count_chunk(e, boundary, next->fresh_summary(layout_), 1);
      slot = next->end;
    }
  }
  cursor = {chunk, slot};
}

void ViewState::move_back(Entity& e, std::size_t boundary, std::int64_t to) {
  Cursor& cursor = cursors(e)[boundary];
  Chunk* chunk = cursor.chunk;
  std::uint32_t slot = cursor.slot;
  while (true) {
    if (slot == chunk->end && chunk->size() >= kWorthATally && chunk->first_time() >= to) {
      count_chunk(e, boundary, chunk->fresh_summary(layout_), -1);
      slot = chunk->begin;
    }
    for (; slot != chunk->begin; --slot) {
      const std::byte* record = chunk->at(slot - 1);
      if (event_time_of(record) < to) break;
      count(e, boundary, record, -1);
    }
    if (slot != chunk->begin || chunk->previous == nullptr) break;
    chunk = chunk->previous;
    slot = chunk->end;
  }
  cursor = {chunk, slot};
}

void ViewState::ask(std::int32_t number, std::int64_t at_us, Cell* out) {
  if (number < 0 || number >= entities_) return answer_empty(out);
  Entity& e = entity(number);
  if (layout_.replaceable && at_us <= e.max_known) [[unlikely]]
    return answer_amended_past(number, at_us, out);
  if (e.head == nullptr) return e.base == nullptr ? answer_empty(out) : answer_past(e, at_us, out);
  if (at_us <= e.max_known) [[unlikely]]
    return answer_past(e, at_us, out);
  move(e, at_us);
  if (!linear_plans_.empty()) return answer_linear(e, out);
  for (std::size_t window = 0; window < windows_; ++window) answer_window(e, window, at_us, out);
}

// What answer_window gives, where nothing but counters and narrow sums is asked for.
void ViewState::answer_linear(Entity& e, Cell* out) {
  std::int64_t* difference = scratch_linear_.data();
  for (std::size_t window = 0; window < windows_; ++window) {
    const std::size_t boundary = window_bounds_[window].begin;
    const std::int64_t* now = linear(e, window_bounds_[window].end);
    const std::int64_t* then = linear(e, boundary);
    for (std::size_t i = 0; i < linear_count_; ++i) difference[i] = now[i] - then[i];
    if (boundaries_[boundary].from_begin && e.base != nullptr)
      for (std::size_t i = 0; i < linear_count_; ++i) difference[i] += e.base->tally.linear[i];
    Cell* cell = out + window;
    for (const LinearPlan& plan : linear_plans_) {
      const std::int64_t count = difference[plan.part], sum = difference[plan.sum];
      const std::uint64_t bits = plan.is_count   ? static_cast<std::uint64_t>(count)
                                 : !plan.is_mean ? static_cast<std::uint64_t>(sum)
                                 : count != 0
                                     ? std::bit_cast<std::uint64_t>(exact::mean(sum, count))
                                     : 0;
      const bool valid = plan.is_count || count != 0;
      *cell = {valid ? bits : 0, valid};
      cell += windows_;
    }
  }
}

// The differences between the running sums at the window's end and at its begin, and what was
// folded before it.
struct ViewState::WindowSums {
  const RecordLayout& layout;
  const std::int64_t* now;
  const std::int64_t* then;
  LargeDifference large;

  std::int64_t linear(std::size_t i) const {
    return now[i] - then[i] + (large.base != nullptr ? large.base->linear[i] : 0);
  }
  exact::Int128 wide(std::size_t i) const { return large.wide(i, layout); }
  exact::ExactSum real(std::size_t i) const { return large.real(i, layout); }
  PowerSum power(std::size_t i) const { return large.power(i, layout); }
};

void ViewState::answer_window(Entity& e, std::size_t window, std::int64_t at_us, Cell* out) {
  const auto [begin, end] = window_bounds_[window];
  const FoldedEvents* base = boundaries_[begin].from_begin ? e.base : nullptr;
  const WindowSums sums{layout_,
                        linear(e, end),
                        linear(e, begin),
                        {e.large, end, begin, base != nullptr ? &base->tally : nullptr}};
  const Cursor from = cursors(e)[begin], to = cursors(e)[end];
  if (!layout_.ordered.empty()) {
    std::fill(scratch_extremes_.begin(), scratch_extremes_.end(), Extremes{});
    if (base != nullptr) scratch_extremes_ = base->tally.extremes;
    extremes_between(from, to, scratch_extremes_);
  }
  if (!layout_.collections.empty()) gather(base, boundaries_[begin].from_begin, from, to, at_us);
  answer_sums(sums, scratch_extremes_, window, at_us, out);
}

std::int64_t ViewState::length_us(std::size_t window, std::int64_t at_us) const {
  const auto [begin, end] = window_bounds_[window];
  if (boundaries_[begin].from_begin) return 0;
  if (boundaries_[begin].period == define::Period::none)
    return boundaries_[begin].length_us - boundaries_[end].length_us;
  return saturating_subtract(at_us, bound(boundaries_[begin], at_us));
}

// Answers one window from anything that gives its sums.
template <class Sums>
void ViewState::answer_sums(const Sums& sums, const std::vector<Extremes>& extremes,
                            std::size_t window, std::int64_t at_us, Cell* out) {
  out += window;
  for (const auto& plan : layout_.aggregates) {
    if (plan.collection >= 0)
      *out = collection_cell(plan, scratch_collections_[static_cast<std::size_t>(plan.collection)],
                             answered_, counts_);
    else if (plan.ordered >= 0)
      *out = ordered_cell(plan, extremes[static_cast<std::size_t>(plan.ordered)], at_us);
    else
      *out = summed_cell(plan, sums, plan.kind == Aggregation::rate ? length_us(window, at_us) : 0,
                         counts_);
    out += windows_;
  }
}

void ViewState::extremes_between(Cursor from, Cursor to, std::vector<Extremes>& out) {
  while (true) {
    Chunk* chunk = from.chunk;
    const std::uint32_t end = chunk == to.chunk ? to.slot : chunk->end;
    if (from.slot == chunk->begin && end == chunk->end && chunk->size() >= kWorthATally) {
      const Tally& tally = chunk->fresh_summary(layout_);
      for (std::size_t i = 0; i < out.size(); ++i) merge(out[i], tally.extremes[i]);
    } else {
      for (std::uint32_t slot = from.slot; slot < end; ++slot)
        for (std::size_t i = 0; i < out.size(); ++i)
          include(out[i], layout_, layout_.ordered[i], chunk->at(slot));
    }
    if (chunk == to.chunk) return;
    from = {chunk->next, chunk->next->begin};
  }
}

namespace {

// Visits the events between two cursors, oldest first.
template <class Visit>
void visit_events(Cursor from, Cursor to, Visit visit) {
  while (from.chunk != nullptr) {
    const std::uint32_t end = from.chunk == to.chunk ? to.slot : from.chunk->end;
    for (std::uint32_t slot = from.slot; slot < end; ++slot)
      visit(static_cast<const std::byte*>(from.chunk->at(slot)));
    if (from.chunk == to.chunk) return;
    from = {from.chunk->next, from.chunk->next->begin};
  }
}

// The same, newest first, until `visit` is false.
template <class Visit>
void visit_back(Cursor from, Cursor to, Visit visit) {
  while (to.chunk != nullptr) {
    const std::uint32_t begin = from.chunk == to.chunk ? from.slot : to.chunk->begin;
    for (; to.slot > begin; --to.slot)
      if (!visit(static_cast<const std::byte*>(to.chunk->at(to.slot - 1)))) return;
    if (from.chunk == to.chunk) return;
    to = {to.chunk->previous, to.chunk->previous->end};
  }
}

}  // namespace

void ViewState::gather(const FoldedEvents* base, bool all_time, Cursor from, Cursor to,
                       std::int64_t at_us) {
  const auto sees = [at_us](const std::byte* record) { return known_time_of(record) < at_us; };
  for (std::size_t i = 0; i < scratch_collections_.size(); ++i) {
    Collection& collection = scratch_collections_[i];
    collection.clear(all_time);
    const bool newest = collection.plan().gather == CollectionPlan::Gather::newest;
    if (newest)
      visit_back(from, to, [&](const std::byte* record) {
        return !sees(record) || collection.add_older(layout_, record);
      });
    if (base != nullptr) collection.merge(base->collections[i]);
    if (!newest)
      visit_events(from, to, [&](const std::byte* record) {
        if (sees(record)) collection.add(layout_, record, at_us);
      });
  }
}

// The sums of a tally, as answer_sums takes them.
struct TallySums {
  const Tally& tally;
  std::int64_t linear(std::size_t i) const { return tally.linear[i]; }
  exact::Int128 wide(std::size_t i) const { return tally.wide[i]; }
  const exact::ExactSum& real(std::size_t i) const { return tally.reals[i]; }
  const PowerSum& power(std::size_t i) const { return tally.powers[i]; }
};

// The place before the first event at or after a time; no chunk where there are no events.
Cursor ViewState::place_of_time(Chunk* tail, std::int64_t time) {
  Chunk* chunk = tail;
  while (chunk != nullptr && chunk->previous != nullptr && chunk->first_time() >= time)
    chunk = chunk->previous;
  if (chunk == nullptr) return {};
  std::uint32_t slot = chunk->begin;
  while (slot < chunk->end && event_time_of(chunk->at(slot)) < time) ++slot;
  return {chunk, slot};
}

// A question about a time before the newest event: every event is looked at, for the window and for
// whether it was known. (semantics: T3)
void ViewState::answer_past(Entity& e, std::int64_t at_us, Cell* out) {
  for (std::size_t window = 0; window < windows_; ++window) {
    const Boundary& begin = boundaries_[window_bounds_[window].begin];
    const Cursor from = place_of_time(e.tail, bound(begin, at_us));
    const Cursor to = place_of_time(e.tail, bound(boundaries_[window_bounds_[window].end], at_us));
    const FoldedEvents* base = begin.from_begin ? e.base : nullptr;
    Tally tally(layout_);
    if (base != nullptr) tally = base->tally;
    visit_events(from, to, [&](const std::byte* record) {
      if (known_time_of(record) < at_us) tally.add(layout_, record);
    });
    if (!layout_.collections.empty()) gather(base, begin.from_begin, from, to, at_us);
    answer_sums(TallySums{tally}, tally.extremes, window, at_us, out);
  }
}

// One window from its events, oldest first.
void ViewState::answer_events(const std::vector<const std::byte*>& events, std::size_t window,
                              std::int64_t at_us, Cell* out) {
  Tally tally(layout_);
  for (const std::byte* record : events) tally.add(layout_, record);
  for (Collection& collection : scratch_collections_) {
    collection.clear();
    if (collection.plan().gather != CollectionPlan::Gather::newest) {
      for (const std::byte* record : events) collection.add(layout_, record, at_us);
      continue;
    }
    for (auto record = events.rbegin(); record != events.rend(); ++record)
      if (!collection.add_older(layout_, *record)) break;
  }
  answer_sums(TallySums{tally}, tally.extremes, window, at_us, out);
}

// semantics: V3
void ViewState::answer_empty(Cell* out) const {
  for (const auto& plan : layout_.aggregates)
    for (std::size_t window = 0; window < windows_; ++window)
      *out++ = plan.kind == Aggregation::count ? integer_cell(0) : Cell{};
}

}  // namespace coeval::kernel
