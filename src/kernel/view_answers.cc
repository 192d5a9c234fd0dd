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

void ViewState::ask(std::int32_t number, std::int64_t at_us, Cell* out) {
  if (number < 0 || number >= entities_) return answer_empty(out);
  if (layout_.replaceable && sees_taken_back(number, at_us)) [[unlikely]]
    return answer_amended_past(number, at_us, out);
  const Entity& e = entity(number);
  if (!e.has_events() && e.base == nullptr) return answer_empty(out);
  const bool by_cursors = needs_sums_ && e.hot != nullptr && follows(*e.hot, at_us);
  if (!by_cursors) return answer_windows(e, at_us, false, out);
  move(*e.hot, at_us);
  linear_plans_.empty() ? answer_windows(e, at_us, true, out) : answer_linear(e, out);
}

// Whether cursors answer a question: it sees every event.
bool ViewState::follows(const HotEntity& hot, std::int64_t at_us) const {
  return (hot.tracked || hot.tree.size() >= shape_.cursor_chunks) &&
         hot.tree.max_known_us() < at_us;
}

// What answer_windows gives, where nothing but counters and narrow sums is asked for.
void ViewState::answer_linear(const Entity& e, Cell* out) {
  std::int64_t* difference = scratch_linear_.data();
  for (std::size_t window = 0; window < windows_; ++window) {
    const std::size_t boundary = window_bounds_[window].begin;
    const std::int64_t* now = linear(*e.hot, window_bounds_[window].end);
    const std::int64_t* then = linear(*e.hot, boundary);
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

// The sums of a tally, as answer_sums takes them.
struct TallySums {
  const Tally& tally;
  std::int64_t linear(std::size_t i) const { return tally.linear[i]; }
  exact::Int128 wide(std::size_t i) const { return tally.wide[i]; }
  const exact::ExactSum& real(std::size_t i) const { return tally.reals[i]; }
  const PowerSum& power(std::size_t i) const { return tally.powers[i]; }
};

// Answers one window from what was gathered; the last of its end where it is over all time, to
// which what was folded is added.
void ViewState::answer_gathered(const Entity& e, std::size_t window, std::int64_t at_us,
                                bool by_cursors, Cell* out) {
  const auto [begin, end] = window_bounds_[window];
  const bool all_time = boundaries_[begin].from_begin;
  const FoldedEvents* base = all_time ? e.base : nullptr;
  for (std::size_t i = 0; all_time && i < scratch_collections_.size(); ++i)
    scratch_collections_[i].extend_to_all_time(base != nullptr ? &base->collections[i] : nullptr);
  if (base != nullptr) {
    Tally whole = base->tally;
    whole.merge(layout_, gathered_);
    gathered_ = std::move(whole);
  }
  if (!by_cursors) return answer_sums(TallySums{gathered_}, gathered_.extremes, window, at_us, out);
  const WindowSums sums{layout_,
                        linear(*e.hot, end),
                        linear(*e.hot, begin),
                        {&e.hot->large, end, begin, base != nullptr ? &base->tally : nullptr}};
  answer_sums(sums, gathered_.extremes, window, at_us, out);
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

// One window from its events, oldest first.
void ViewState::answer_events(const std::vector<const std::byte*>& events, std::size_t window,
                              std::int64_t at_us, Cell* out) {
  Tally tally(layout_);
  for (const std::byte* record : events) tally.add(layout_, record);
  for (Collection& collection : scratch_collections_) {
    collection.clear(boundaries_[window_bounds_[window].begin].from_begin);
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
