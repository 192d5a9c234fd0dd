// How the events of a question's windows are found and summed up: cursors that follow the
// questions' time, and walks over ranges of events and tiles.
#include <algorithm>

#include "kernel/view_state.h"

namespace coeval::kernel {

// Sets every cursor to the begin of the held events, with sums of nothing.
void ViewState::track(HotEntity& hot) {
  const std::size_t count = boundaries_.size();
  Chunk* first = hot.tree.first();
  hot.cursors.assign(count, Cursor{first, first->begin});
  hot.bounds_us.assign(count, INT64_MIN);
  hot.linear.assign(count * linear_count_, 0);
  if (has_large_) hot.large.start(layout_, count);
  hot.tracked = true;
}

void ViewState::move(HotEntity& hot, std::int64_t at_us) {
  if (!hot.tracked) track(hot);
  for (std::size_t i = 0; i < boundaries_.size(); ++i)
    if (!boundaries_[i].from_begin) move_to(hot, i, bound(boundaries_[i], at_us));
}

void ViewState::count_events(HotEntity& hot, std::size_t boundary, Chunk& chunk, std::uint32_t from,
                             std::uint32_t to, std::int64_t sign) {
  for (std::uint32_t slot = from; slot < to; ++slot) {
    chunk.unpack(packing_, slot, unpacked_.data());
    count(hot, boundary, unpacked_.data(), sign);
  }
}

// Adds what a cursor moves over to its sums, or takes it away.
struct ViewState::BoundCounter final : RangeVisitor {
  BoundCounter(ViewState& in, HotEntity& of, std::size_t at, std::int64_t with)
      : state(in), hot(of), boundary(at), sign(with) {}
  void events(Chunk& chunk, std::uint32_t from, std::uint32_t to) override {
    state.count_events(hot, boundary, chunk, from, to, sign);
  }
  void tile(TallyParts tally) override {
    std::int64_t* sums = state.linear(hot, boundary);
    for (std::size_t i = 0; i < state.linear_count_; ++i) sums[i] += sign * tally.linear[i];
    if (state.has_large_) hot.large.count(state.layout_, boundary, tally, sign);
  }
  ViewState& state;
  HotEntity& hot;
  std::size_t boundary;
  std::int64_t sign;
};

void ViewState::move_to(HotEntity& hot, std::size_t boundary, std::int64_t to_us) {
  const std::int64_t before_us = std::exchange(hot.bounds_us[boundary], to_us);
  if (to_us == before_us) return;
  Cursor& cursor = hot.cursors[boundary];
  Chunk& chunk = *cursor.chunk;
  const bool forward = to_us > before_us;
  const bool inside = forward ? cursor.slot < chunk.end && chunk.last_time() >= to_us
                              : cursor.slot > chunk.begin && chunk.first_time() < to_us;
  const Cursor to = inside ? Cursor{&chunk, lower_slot(chunk, to_us)} : hot.tree.place_of(to_us);
  BoundCounter counter(*this, hot, boundary, forward ? 1 : -1);
  const EventForm form{layout_, packing_};
  forward ? hot.tree.visit(form, cursor, to, INT64_MAX, counter)
          : hot.tree.visit(form, to, cursor, INT64_MAX, counter);
  cursor = to;
}

void ViewState::order_windows(std::int64_t at_us) {
  ordered_windows_.clear();
  for (std::size_t window = 0; window < windows_; ++window) {
    const auto [begin, end] = window_bounds_[window];
    ordered_windows_.push_back({bound(boundaries_[end], at_us), bound(boundaries_[begin], at_us),
                                boundaries_[begin].from_begin, window});
  }
  std::ranges::sort(ordered_windows_, [](const OrderedWindow& a, const OrderedWindow& b) {
    if (a.end_us != b.end_us) return a.end_us > b.end_us;
    return a.begin_us != b.begin_us ? a.begin_us > b.begin_us : a.all_time < b.all_time;
  });
}

Cursor ViewState::place_of(const Entity& e, std::int64_t time_us) const {
  if (e.hot != nullptr) return e.hot->tree.place_of(time_us);
  return {e.only, lower_slot(*e.only, time_us)};
}

void ViewState::visit(const Entity& e, Cursor from, Cursor to, std::int64_t at_us,
                      RangeVisitor& visitor) {
  if (e.hot == nullptr) return visitor.events(*e.only, from.slot, to.slot);
  e.hot->tree.visit({layout_, packing_}, from, to, at_us, visitor);
}

// A question sees what was known before its time. (semantics: T3)
struct ViewState::RangeAdder final : RangeVisitor {
  RangeAdder(ViewState& in, std::int64_t at, bool sums)
      : state(in), at_us(at), with_sums(sums), into(in.gathered_.parts()) {}
  void events(Chunk& chunk, std::uint32_t from, std::uint32_t to) override {
    std::byte* record = state.unpacked_.data();
    for (std::uint32_t slot = from; slot < to; ++slot) {
      chunk.unpack(state.packing_, slot, record);
      if (known_time_of(record) >= at_us) continue;
      with_sums ? add(state.layout_, into, record)
                : add_extremes(state.layout_, into.extremes, record);
    }
  }
  void tile(TallyParts tally) override {
    with_sums ? merge(state.layout_, into, tally)
              : merge_extremes(state.layout_, into.extremes, tally.extremes);
  }
  ViewState& state;
  std::int64_t at_us;
  bool with_sums;
  TallyParts into;
};

struct ViewState::CollectionAdder final : RangeVisitor {
  CollectionAdder(ViewState& in, Collection& to, std::int64_t at)
      : state(in), collection(to), at_us(at) {}
  void events(Chunk& chunk, std::uint32_t from, std::uint32_t to) override {
    std::byte* record = state.unpacked_.data();
    for (std::uint32_t slot = from; slot < to; ++slot) {
      chunk.unpack(state.packing_, slot, record);
      if (known_time_of(record) < at_us) collection.add(state.layout_, record, at_us);
    }
  }
  void tile(TallyParts) override {}  // none is asked for
  ViewState& state;
  Collection& collection;
  std::int64_t at_us;
};

struct ViewState::NewestAdder final : BackVisitor {
  NewestAdder(ViewState& in, Collection& to, std::int64_t at)
      : state(in), collection(to), at_us(at) {}
  bool events(Chunk& chunk, std::uint32_t from, std::uint32_t to) override {
    std::byte* record = state.unpacked_.data();
    for (std::uint32_t slot = to; slot > from; --slot) {
      chunk.unpack(state.packing_, slot - 1, record);
      if (known_time_of(record) < at_us && !collection.add_older(state.layout_, record))
        return false;
    }
    return true;
  }
  ViewState& state;
  Collection& collection;
  std::int64_t at_us;
};

// Windows that end at one time follow each other, each longer than the one before, so that every
// event is looked at once for all of them.
void ViewState::answer_windows(const Entity& e, std::int64_t at_us, bool by_cursors, Cell* out) {
  if (e.only != nullptr) e.only->fetch();
  const bool keep = keeps(e, at_us);
  order_windows(at_us);
  Range range{};
  for (std::size_t i = 0; i < ordered_windows_.size(); ++i) {
    const OrderedWindow& window = ordered_windows_[i];
    if (i == 0 || window.end_us != ordered_windows_[i - 1].end_us) {
      gathered_.clear(layout_);
      for (Collection& collection : scratch_collections_) collection.clear(false);
      range.begin_us = window.end_us;
      if (e.has_events()) range.begin = place_of(e, window.end_us);
    }
    if (e.has_events() && window.begin_us < range.begin_us) {
      range.end_us = std::exchange(range.begin_us, window.begin_us);
      range.end = std::exchange(range.begin, place_of(e, window.begin_us));
      add_range(e, range, at_us, needs_sums_ && !by_cursors, !keep);
    }
    if (keep) gather_kept(e, window, at_us);
    answer_gathered(e, window.window, at_us, by_cursors, out);
  }
}

void ViewState::add_range(const Entity& e, const Range& range, std::int64_t at_us, bool with_sums,
                          bool with_kept) {
  if (with_sums || !layout_.ordered.empty()) {
    RangeAdder adder(*this, at_us, with_sums);
    visit(e, range.begin, range.end, at_us, adder);
  }
  for (std::size_t i = 0; i < scratch_collections_.size(); ++i)
    if (with_kept || !can_keep(layout_.collections[i])) gather_range(e, i, range, at_us);
}

void ViewState::gather_range(const Entity& e, std::size_t index, const Range& range,
                             std::int64_t at_us) {
  Collection& collection = scratch_collections_[index];
  const CollectionPlan& plan = collection.plan();
  Cursor from = range.begin;
  if (plan.gather == CollectionPlan::Gather::newest) {
    NewestAdder adder(*this, collection, at_us);
    if (e.hot == nullptr)
      adder.events(*e.only, from.slot, range.end.slot);
    else
      e.hot->tree.visit_back({layout_, packing_}, from, range.end, plan.counted_bit, adder);
    return;
  }
  if (plan.gather == CollectionPlan::Gather::decayed) {
    // Older events do not count. (semantics: A3)
    const std::int64_t horizon_us =
        saturating_subtract(at_us, exact::kDecayHorizon * plan.half_life_us);
    if (range.end_us <= horizon_us) return;
    if (range.begin_us < horizon_us) from = place_of(e, horizon_us);
  } else if (e.hot != nullptr) {
    return e.hot->tree.gather({layout_, packing_}, from, range.end, at_us, index, collection);
  }
  CollectionAdder adder(*this, collection, at_us);
  visit(e, from, range.end, INT64_MIN, adder);
}

}  // namespace coeval::kernel
