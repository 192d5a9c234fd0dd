#include "kernel/view_state.h"

#include <algorithm>

#include "base/check.h"

namespace coeval::kernel {

static_assert(std::is_trivially_copyable_v<Cursor>);

ViewState::ViewState(const define::View& view, RecordLayout layout)
    : layout_(std::move(layout)), windows_(view.windows.size()), lateness_us_(view.lateness_us) {
  boundaries_.push_back({0, false});
  std::int64_t longest = 0;
  for (const auto& window : view.windows) {
    window_boundary_.push_back(boundaries_.size());
    boundaries_.push_back({window.us, window.us == define::kAllTime});
    all_time_ = all_time_ || window.us == define::kAllTime;
    longest = std::max(longest, window.us);
    signature_ += "window " + std::to_string(window.us) + "\n";
  }
  retention_us_ = saturating_add(longest, lateness_us_);
  signature_ = "lateness " + std::to_string(lateness_us_) + "\n" + signature_ + layout_.text;
  linear_count_ = layout_.linear();
  linear_at_ = sizeof(Entity) + boundaries_.size() * sizeof(Cursor);
  const std::size_t bytes = linear_at_ + boundaries_.size() * linear_count_ * sizeof(std::int64_t);
  block_lines_ = (bytes + sizeof(CacheLine) - 1) / sizeof(CacheLine);
  scratch_linear_.resize(linear_count_);
  scratch_extremes_.resize(layout_.ordered.size());
  plan_linear();
}

ViewState::~ViewState() { clear(); }

void ViewState::clear() {
  for (std::int32_t i = 0; i < entities_; ++i) {
    Entity& e = entity(i);
    free_events(e);
    delete e.base;
    delete[] e.wide;
    delete[] e.reals;
  }
  keys_ = {};
  blocks_.clear();
  entities_ = swept_ = 0;
  events_ = dropped_late_ = 0;
  last_known_ = INT64_MIN;
}

void ViewState::free_events(Entity& e) {
  for (Chunk* chunk = e.head; chunk != nullptr;) {
    Chunk* next = chunk->next;
    Chunk::free(chunk);
    chunk = next;
  }
  e.head = e.tail = nullptr;
  e.tracked = false;
}

// Makes blocks for the keys that got a number since the last time.
void ViewState::add_entities() {
  const std::int32_t wanted = keys_.size();
  const std::size_t lines = static_cast<std::size_t>(wanted) * block_lines_;
  if (blocks_.capacity() < lines) blocks_.reserve(std::max(lines, 2 * blocks_.capacity()));
  blocks_.resize(lines);
  for (; entities_ < wanted; ++entities_) {
    Entity& e = entity(entities_);
    e = Entity{};
    e.max_known = INT64_MIN;
  }
}

void ViewState::apply(const std::byte* record, std::int32_t number) {
  const std::int64_t known = known_time_of(record);
  last_known_ = std::max(last_known_, known);
  if (number < 0) return;
  // semantics: T6. Beyond retention no question that may still come can see it.
  if (!all_time_ && is_expired(record, last_known_)) {
    ++dropped_late_;
    return;
  }
  if (number >= entities_) [[unlikely]]
    add_entities();
  Entity& e = entity(number);
  insert(e, record);
  e.max_known = std::max(e.max_known, known);
  ++events_;
}

bool ViewState::reaches(std::int64_t at_us) const {
  return last_known_ == INT64_MIN || at_us >= saturating_subtract(last_known_, lateness_us_);
}

}  // namespace coeval::kernel
