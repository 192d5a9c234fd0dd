// What is gathered of the windows of a hot entity by walking over events cannot be told apart
// again, as sums can. So what was gathered is kept but for the begin of the window: the next
// question adds the begin, and what has come since. It is gathered anew when the window has left
// its begin.
#include "kernel/view_state.h"

namespace coeval::kernel {

bool ViewState::keeps(const Entity& e, std::int64_t at_us) const {
  return e.hot != nullptr && e.hot->tree.size() >= shape_.kept_chunks &&
         !layout_.collections.empty() && e.hot->tree.max_known_us() < at_us;
}

void ViewState::gather_kept(const Entity& e, const OrderedWindow& window, std::int64_t at_us) {
  HotEntity& hot = *e.hot;
  const std::size_t collections = scratch_collections_.size();
  if (hot.kept.empty()) hot.kept.resize(windows_ * collections);
  for (std::size_t i = 0; i < collections; ++i) {
    if (!can_keep(layout_.collections[i])) continue;
    scratch_collections_[i].clear(false);
    if (window.begin_us < window.end_us) gather_from_kept(hot, i, window, at_us);
  }
}

void ViewState::gather_from_kept(HotEntity& hot, std::size_t index, const OrderedWindow& window,
                                 std::int64_t at_us) {
  Collection& into = scratch_collections_[index];
  KeptWindow& kept = hot.kept[window.window * scratch_collections_.size() + index];
  const EventForm form{layout_, packing_};
  const Cursor begin = hot.tree.place_of(window.begin_us);
  if (kept.stands && window.end_us < kept.end_us) {  // a question about an earlier time
    hot.tree.gather(form, begin, hot.tree.place_of(window.end_us), at_us, index, into);
    return;
  }
  if (!kept.stands || window.begin_us > kept.begin_us) gather_anew(hot, index, window, kept);
  hot.tree.gather(form, hot.tree.place_of(kept.end_us), hot.tree.place_of(window.end_us), INT64_MAX,
                  index, *kept.gathered);
  kept.end_us = window.end_us;
  into = *kept.gathered;
  hot.tree.gather(form, begin, hot.tree.place_of(kept.begin_us), INT64_MAX, index, into);
}

// Begins some chunks behind the window's begin, and ends where it begins.
void ViewState::gather_anew(HotEntity& hot, std::size_t index, const OrderedWindow& window,
                            KeptWindow& kept) {
  if (!kept.gathered) kept.gathered.emplace(layout_.collections[index]);
  kept.gathered->clear(false);
  Chunk* chunk = hot.tree.place_of(window.begin_us).chunk;
  for (std::size_t i = 0; i < shape_.kept_edge_chunks && chunk != nullptr; ++i)
    chunk = ChunkTree::next(chunk);
  const std::int64_t begin_us = chunk != nullptr ? chunk->first_time() : window.end_us;
  kept.begin_us = kept.end_us = std::clamp(begin_us, window.begin_us, window.end_us);
  kept.stands = true;
}

void ViewState::add_to_kept(HotEntity& hot, const std::byte* record) const {
  for (KeptWindow& kept : hot.kept)
    if (kept.holds(event_time_of(record))) kept.gathered->add(layout_, record, 0);
}

// For an event that leaves.
void ViewState::drop_kept(HotEntity& hot, std::int64_t time_us) {
  for (KeptWindow& kept : hot.kept)
    if (kept.holds(time_us)) {
      kept.stands = false;
      kept.gathered->clear(false);  // it may hold strings
    }
}

}  // namespace coeval::kernel
