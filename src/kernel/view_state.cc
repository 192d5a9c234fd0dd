#include "kernel/view_state.h"

#include <algorithm>

#include "base/check.h"

namespace coeval::kernel {

ViewState::ViewState(const define::View& view, RecordLayout layout, const TimeZone* zone,
                     StateShape shape)
    : layout_(std::move(layout)),
      packing_(layout_),
      zone_(zone),
      shape_(shape),
      windows_(view.windows.size()),
      lateness_us_(view.lateness_us),
      needs_sums_(std::ranges::any_of(
          layout_.aggregates,
          [](const AggregatePlan& plan) { return plan.ordered < 0 && plan.collection < 0; })),
      has_large_(LargeSums::needed(layout_)),
      linear_plans_(linear_plans(layout_)),
      gathered_(layout_),
      scratch_collections_(layout_.collections.begin(), layout_.collections.end()),
      scratch_record_(layout_.stride),
      unpacked_(layout_.stride) {
  COEVAL_CHECK(shape_.chunk_events >= 2 && shape_.chunk_events <= Chunk::kMaxCapacity);
  boundaries_.emplace_back();  // T itself
  std::int64_t longest = 0;
  for (const auto& window : view.windows) longest = std::max(longest, add_window(window));
  if (all_time_) longest = std::max(longest, horizon_us());
  retention_us_ = saturating_add(longest, lateness_us_);
  signature_ = "lateness " + std::to_string(lateness_us_) + "\n" + signature_ + layout_.text;
  linear_count_ = layout_.linear();
  scratch_linear_.resize(linear_count_);
}

// Settles a window's bounds, and gives how far back from T it reads events.
std::int64_t ViewState::add_window(const define::Window& window) {
  const bool all = window.us == define::kAllTime;
  window_bounds_.push_back(bounds_of(window, boundaries_));
  all_time_ = all_time_ || all;
  signature_ += "window " + std::to_string(window.us);
  if (window.offset_us != 0) signature_ += " offset " + std::to_string(window.offset_us);
  if (window.period != define::Period::none)
    signature_ += " period " + std::to_string(static_cast<int>(window.period));
  signature_ += "\n";
  return all ? window.offset_us : window.reach_us();
}

// How old an event may be that a decayed sum reads. (semantics: A3)
std::int64_t ViewState::horizon_us() const {
  std::int64_t longest = 0;
  for (const auto& plan : layout_.collections)
    longest = std::max(longest, exact::kDecayHorizon * plan.half_life_us);
  return longest;
}

ViewState::~ViewState() { clear(); }

void ViewState::clear() {
  for (std::int32_t i = 0; i < entities_; ++i) {
    Entity& e = entity(i);
    free_events(e);
    delete e.base;
  }
  bases_ = 0;
  taken_back_.clear();
  leaving_.clear();
  next_sequence_ = 0;
  answered_.release();
  for (auto& collection : scratch_collections_) collection.clear();
  strings_.clear();
  keys_ = {};
  blocks_.clear();
  entities_ = swept_ = 0;
  events_ = dropped_late_ = 0;
  last_known_ = INT64_MIN;
  lag_is_known_ = false;
  changes_.clear();
}

void ViewState::free_events(Entity& e) {
  if (e.only != nullptr) Chunk::free(e.only);
  delete e.hot;
  e.only = nullptr;
  e.hot = nullptr;
}

// Makes blocks for the keys that got a number since the last time.
void ViewState::add_entities() {
  blocks_.resize(static_cast<std::size_t>(keys_.size()), Entity{.used = uses_});
  entities_ = keys_.size();
}

void ViewState::apply(const std::byte* record, std::int32_t number,
                      std::span<const data::Column> strings) {
  const std::int64_t known = known_time_of(record);
  last_known_ = std::max(last_known_, known);
  if (layout_.replaceable) [[unlikely]]
    forget_taken_back();
  if (number < 0) return;
  // semantics: T6. Beyond retention no question that may still come can see it.
  if (!all_time_ && is_expired(record, last_known_)) {
    ++dropped_late_;
    return;
  }
  if (number >= entities_) [[unlikely]]
    add_entities();
  Entity& e = entity(number);
  before_change(e, number);
  if (!layout_.strings.empty()) [[unlikely]]
    record = with_strings(record, strings);
  if (layout_.replaceable) [[unlikely]]
    record = with_sequence(record);
  insert(e, record);
  ++events_;
}

bool ViewState::reaches(std::int64_t at_us) const {
  return last_known_ == INT64_MIN || at_us >= saturating_subtract(last_known_, lateness_us_);
}

}  // namespace coeval::kernel
