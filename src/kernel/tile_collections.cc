// What is gathered of tiles: states that are functions of the multiset of their events, and so sums
// of those of their parts. (semantics: A1 A4)
#include "kernel/chunk_tree.h"

namespace coeval::kernel {

namespace {

using Form = CollectionTable::Form;

std::size_t bytes_of_events(const TileNode& node) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < node.count; ++i)
    bytes += node.level == 0 ? std::size_t{node.chunk(i)->size()} * node.chunk(i)->stride
                             : bytes_of_events(*node.node(i));
  return bytes;
}

// Adds events of all times that were known before one, oldest first.
class Gatherer {
 public:
  Gatherer(const EventForm& form, std::int64_t at_us, std::size_t index)
      : form_(form), at_us_(at_us), index_(index), record_(form.packing.record_bytes()) {}

  void events(Chunk& chunk, std::uint32_t from, std::uint32_t to, Collection& into) {
    for (std::uint32_t slot = from; slot < to; ++slot) {
      chunk.unpack(form_.packing, slot, record_.data());
      if (known_time_of(record_.data()) < at_us_) into.add(form_.layout, record_.data(), at_us_);
    }
  }
  void child(TileNode& node, std::size_t i, Collection& into) {
    if (node.level == 0) {
      Chunk& chunk = *node.chunk(i);
      return events(chunk, chunk.begin, chunk.end, into);
    }
    const Collection* tile = node.max_known_us[i] < at_us_ ? fresh_tile(node, i) : nullptr;
    if (tile != nullptr) return into.merge_later(*tile);
    children(*node.node(i), 0, node.node(i)->count, into);
  }
  void children(TileNode& node, std::size_t from, std::size_t to, Collection& into) {
    for (std::size_t i = from; i < to; ++i) child(node, i, into);
  }
  void between(TilePlace from, TilePlace to, Collection& into) {
    if (from.node == to.node) return children(*from.node, from.index + 1, to.index, into);
    children(*from.node, from.index + 1, from.node->count, into);
    between(place_of_node(from.node), place_of_node(to.node), into);
    children(*to.node, 0, to.index, into);
  }

 private:
  // Null where a tile's state would be larger than its events: then its parts are.
  const Collection* fresh_tile(TileNode& node, std::size_t i) {
    if (!node.collections)
      node.collections = std::make_unique<CollectionTable>(form_.layout, TileNode::kFanout);
    CollectionTable& table = *node.collections;
    const std::size_t tile = node.tile[i];
    Collection& state = table.at(tile, index_);
    if (table.form(tile, index_) == Form::too_large) return nullptr;
    if (table.form(tile, index_) == Form::fresh) return &state;
    TileNode& below = *node.node(i);
    state.clear(false);
    children(below, 0, below.count, state);
    const bool fits = state.state_bytes() <= bytes_of_events(below);
    table.set(tile, index_, fits ? Form::fresh : Form::too_large);
    if (fits) return &state;
    state = Collection(state.plan());
    return nullptr;
  }

  const EventForm& form_;
  std::int64_t at_us_;
  std::size_t index_;
  std::vector<std::byte> record_;
};

}  // namespace

CollectionTable::CollectionTable(const RecordLayout& layout, std::size_t tiles)
    : each_(layout.collections.size()), forms_(tiles * each_, Form::stale) {
  states_.reserve(tiles * each_);
  for (std::size_t i = 0; i < tiles; ++i)
    for (const CollectionPlan& plan : layout.collections) states_.emplace_back(plan);
}

void CollectionTable::drop(std::size_t tile) {
  for (std::size_t i = 0; i < each_; ++i) {
    if (form(tile, i) == Form::fresh) at(tile, i).clear(false);
    set(tile, i, Form::stale);
  }
}

void ChunkTree::gather(const EventForm& form, Cursor from, Cursor to, std::int64_t at_us,
                       std::size_t index, Collection& into) {
  Gatherer gatherer(form, at_us, index);
  if (from.chunk == to.chunk) return gatherer.events(*from.chunk, from.slot, to.slot, into);
  gatherer.events(*from.chunk, from.slot, from.chunk->end, into);
  gatherer.between(place_of_chunk(from.chunk), place_of_chunk(to.chunk), into);
  gatherer.events(*to.chunk, to.chunk->begin, to.slot, into);
}

}  // namespace coeval::kernel
