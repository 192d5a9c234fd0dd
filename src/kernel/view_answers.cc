// How a view answers: cursors that follow the questions' time, and sums as differences between
// them.
#include <algorithm>
#include <bit>

#include "base/check.h"
#include "kernel/total_order.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

using define::Aggregation;

Cell integer_cell(std::int64_t value) { return {static_cast<std::uint64_t>(value), true}; }
Cell real_cell(double value) { return {std::bit_cast<std::uint64_t>(value), true}; }

exact::FloatFormat format_of(data::Type type) {
  return type == data::Type::float32 ? exact::kFloat32 : exact::kFloat64;
}

}  // namespace

void ViewState::count_large(Entity& e, std::size_t boundary, const std::byte* record,
                            std::int64_t sign) const {
  exact::Int128* wide = e.wide + boundary * layout_.summed_wide;
  for (std::size_t i = 0; i < layout_.summed_wide; ++i)
    wide[i] +=
        sign * static_cast<exact::Int128>(load<std::int64_t>(record + layout_.wide_at + 8 * i));
  exact::ExactSum* reals = e.reals + boundary * layout_.summed_real;
  for (std::size_t i = 0; i < layout_.summed_real; ++i) {
    const double value = load<double>(record + layout_.real_at + 8 * i);
    sign > 0 ? reals[i].add(value) : reals[i].subtract(value);
  }
}

void ViewState::count_chunk(Entity& e, std::size_t boundary, const Tally& tally,
                            std::int64_t sign) {
  std::int64_t* sums = linear(e, boundary);
  for (std::size_t i = 0; i < tally.linear.size(); ++i) sums[i] += sign * tally.linear[i];
  for (std::size_t i = 0; i < tally.wide.size(); ++i)
    e.wide[boundary * tally.wide.size() + i] += sign * tally.wide[i];
  for (std::size_t i = 0; i < tally.reals.size(); ++i) {
    auto& sum = e.reals[boundary * tally.reals.size() + i];
    sign > 0 ? sum.merge(tally.reals[i]) : sum.unmerge(tally.reals[i]);
  }
}

// Sets every cursor to the begin of the held events, with sums of nothing.
void ViewState::track(Entity& e) {
  const std::size_t count = boundaries_.size();
  std::fill_n(cursors(e), count, Cursor{e.head, e.head->begin});
  std::fill_n(linear(e, 0), count * linear_count_, 0);
  if (e.wide == nullptr && layout_.summed_wide > 0)
    e.wide = new exact::Int128[count * layout_.summed_wide];
  std::fill_n(e.wide, count * layout_.summed_wide, exact::Int128{0});
  if (e.reals == nullptr && layout_.summed_real > 0)
    e.reals = new exact::ExactSum[count * layout_.summed_real];
  for (std::size_t i = 0; i < count * layout_.summed_real; ++i) e.reals[i] = {};
  e.asked_at = INT64_MIN;
  e.tracked = true;
}

void ViewState::move(Entity& e, std::int64_t at_us) {
  if (!e.tracked) track(e);
  const bool back = at_us < e.asked_at;
  e.asked_at = at_us;
  for (std::size_t i = 0; i < boundaries_.size(); ++i) {
    if (boundaries_[i].from_begin) continue;
    const std::int64_t to = bound(boundaries_[i], at_us);
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
  if (e.head == nullptr) return e.base == nullptr ? answer_empty(out) : answer_past(e, at_us, out);
  if (at_us <= e.max_known) [[unlikely]]
    return answer_past(e, at_us, out);
  move(e, at_us);
  if (!linear_plans_.empty()) return answer_linear(e, out);
  for (std::size_t window = 0; window < windows_; ++window) answer_window(e, window, out);
}

void ViewState::plan_linear() {
  for (const auto& plan : layout_.aggregates) {
    const bool is_count = plan.kind == Aggregation::count, is_mean = plan.kind == Aggregation::mean;
    const bool is_sum = plan.kind == Aggregation::sum && plan.result == data::Type::int64;
    if (!is_count && (plan.linear < 0 || !(is_mean || is_sum))) return linear_plans_.clear();
    linear_plans_.push_back({is_count, is_mean, static_cast<std::uint32_t>(plan.measure.part_bit),
                             static_cast<std::uint32_t>(std::max(plan.linear, 0))});
  }
}

// What answer_window gives, where nothing but counters and narrow sums is asked for.
void ViewState::answer_linear(Entity& e, Cell* out) {
  const std::int64_t* now = linear(e, 0);
  std::int64_t* difference = scratch_linear_.data();
  for (std::size_t window = 0; window < windows_; ++window) {
    const std::size_t boundary = window_boundary_[window];
    const std::int64_t* then = linear(e, boundary);
    for (std::size_t i = 0; i < linear_count_; ++i) difference[i] = now[i] - then[i];
    if (boundaries_[boundary].from_begin && e.base != nullptr)
      for (std::size_t i = 0; i < linear_count_; ++i) difference[i] += e.base->linear[i];
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

// The differences between the running sums at T and at the window's begin, and what was folded
// before it.
struct ViewState::WindowSums {
  const std::int64_t* now;
  const std::int64_t* then;
  const exact::Int128 *wide_now, *wide_then;
  const exact::ExactSum *real_now, *real_then;
  const Tally* base;

  std::int64_t linear(std::size_t i) const {
    return now[i] - then[i] + (base != nullptr ? base->linear[i] : 0);
  }
  exact::Int128 wide(std::size_t i) const {
    return wide_now[i] - wide_then[i] + (base != nullptr ? base->wide[i] : 0);
  }
  exact::ExactSum real(std::size_t i) const {
    exact::ExactSum sum = real_now[i];
    sum.unmerge(real_then[i]);
    if (base != nullptr) sum.merge(base->reals[i]);
    return sum;
  }
};

void ViewState::answer_window(Entity& e, std::size_t window, Cell* out) {
  const std::size_t boundary = window_boundary_[window];
  const Tally* base = boundaries_[boundary].from_begin ? e.base : nullptr;
  const WindowSums sums{linear(e, 0), linear(e, boundary),
                        e.wide,       e.wide + boundary * layout_.summed_wide,
                        e.reals,      e.reals + boundary * layout_.summed_real,
                        base};
  if (!layout_.ordered.empty()) {
    std::fill(scratch_extremes_.begin(), scratch_extremes_.end(), Extremes{});
    if (base != nullptr) scratch_extremes_ = base->extremes;
    extremes_between(cursors(e)[boundary], cursors(e)[0], scratch_extremes_);
  }
  answer_sums(sums, scratch_extremes_, window, out);
}

// Answers one window from anything that gives its sums.
template <class Sums>
void ViewState::answer_sums(const Sums& sums, const std::vector<Extremes>& extremes,
                            std::size_t window, Cell* out) {
  out += window;
  for (const auto& plan : layout_.aggregates) {
    *out = plan.ordered >= 0 ? ordered_cell(plan, extremes[static_cast<std::size_t>(plan.ordered)])
                             : summed_cell(plan, sums);
    out += windows_;
  }
}

// semantics: A7 V3
template <class Sums>
inline Cell ViewState::summed_cell(const AggregatePlan& plan, const Sums& sums) {
  const std::int64_t count = sums.linear(static_cast<std::size_t>(plan.measure.part_bit));
  if (plan.kind == Aggregation::count) return integer_cell(count);
  if (count == 0) return {};
  if (plan.linear >= 0) {
    const std::int64_t sum = sums.linear(static_cast<std::size_t>(plan.linear));
    return plan.kind == Aggregation::mean ? real_cell(exact::mean(sum, count))
                                          : sum_cell(plan.result, sum);
  }
  return large_cell(plan, sums, count);
}

// The same of 64-bit integers and reals.
template <class Sums>
Cell ViewState::large_cell(const AggregatePlan& plan, const Sums& sums, std::int64_t count) {
  const bool mean = plan.kind == Aggregation::mean;
  const auto slot = static_cast<std::size_t>(plan.measure.slot);
  if (plan.measure.storage == Storage::real) {
    const auto sum = sums.real(slot);
    return real_cell(mean ? sum.mean(count) : sum.round(format_of(plan.result)));
  }
  const exact::Int128 sum = sums.wide(slot);
  return mean ? real_cell(exact::mean(sum, count)) : sum_cell(plan.result, sum);
}

// semantics: V5. A sum that its type cannot hold is null, and counted.
Cell ViewState::sum_cell(data::Type result, exact::Int128 sum) {
  auto value = exact::to_int64(sum);
  if (value && result == data::Type::int32 && *value != static_cast<std::int32_t>(*value))
    value.reset();
  if (value) return integer_cell(*value);
  ++counts_.integer_overflows;
  return {};
}

Cell ViewState::ordered_cell(const AggregatePlan& plan, const Extremes& extremes) const {
  if (!extremes.any) return {};
  switch (plan.kind) {
    case Aggregation::min:
      return {bits_of_key(extremes.least, plan.measure.storage), true};
    case Aggregation::max:
      return {bits_of_key(extremes.greatest, plan.measure.storage), true};
    case Aggregation::first:
      return {extremes.first, true};
    default:
      return {extremes.last, true};
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

// The sums of a tally, as answer_sums takes them.
struct TallySums {
  const Tally& tally;
  std::int64_t linear(std::size_t i) const { return tally.linear[i]; }
  exact::Int128 wide(std::size_t i) const { return tally.wide[i]; }
  const exact::ExactSum& real(std::size_t i) const { return tally.reals[i]; }
};

// A question about a time before the newest event: every event is looked at, for the window and for
// whether it was known. (semantics: T3)
void ViewState::answer_past(Entity& e, std::int64_t at_us, Cell* out) {
  for (std::size_t window = 0; window < windows_; ++window) {
    const Boundary& boundary = boundaries_[window_boundary_[window]];
    const std::int64_t from = bound(boundary, at_us);
    Tally tally(layout_);
    if (boundary.from_begin && e.base != nullptr) tally = *e.base;
    Chunk* chunk = e.tail;
    while (chunk != nullptr && chunk->previous != nullptr && chunk->first_time() >= from)
      chunk = chunk->previous;
    for (; chunk != nullptr && chunk->first_time() < at_us; chunk = chunk->next)
      for (std::uint32_t slot = chunk->begin; slot < chunk->end; ++slot) {
        const std::byte* record = chunk->at(slot);
        const std::int64_t time = event_time_of(record);
        if (time >= from && time < at_us && known_time_of(record) < at_us)
          tally.add(layout_, record);
      }
    answer_sums(TallySums{tally}, tally.extremes, window, out);
  }
}

// semantics: V3
void ViewState::answer_empty(Cell* out) const {
  for (const auto& plan : layout_.aggregates)
    for (std::size_t window = 0; window < windows_; ++window)
      *out++ = plan.kind == Aggregation::count ? integer_cell(0) : Cell{};
}

}  // namespace coeval::kernel
