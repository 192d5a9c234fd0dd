#include "kernel/chunk_tree.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "base/check.h"

namespace coeval::kernel {

namespace {

using Place = TilePlace;

void adopt(TileNode* node, std::size_t index) {
  if (node->level == 0)
    node->chunk(index)->parent = node;
  else
    node->node(index)->parent = node;
}

std::uint16_t bit(std::size_t tile) { return static_cast<std::uint16_t>(1u << tile); }

void make_stale(TileNode& node, std::size_t tile) {
  node.fresh &= static_cast<std::uint16_t>(~bit(tile));
  if (node.collections) node.collections->drop(tile);
}

// Makes a free place among the children.
void shift_right(TileNode& node, std::size_t index) {
  for (std::size_t i = node.count; i > index; --i) {
    node.child[i] = node.child[i - 1];
    node.separator_us[i] = node.separator_us[i - 1];
    node.max_known_us[i] = node.max_known_us[i - 1];
    node.tile[i] = node.tile[i - 1];
  }
  ++node.count;
}

void shift_left(TileNode& node, std::size_t index) {
  --node.count;
  for (std::size_t i = index; i < node.count; ++i) {
    node.child[i] = node.child[i + 1];
    node.separator_us[i] = node.separator_us[i + 1];
    node.max_known_us[i] = node.max_known_us[i + 1];
    node.tile[i] = node.tile[i + 1];
  }
}

void put_child(TileNode& node, std::size_t index, void* child, std::int64_t separator_us,
               std::int64_t max_known_us) {
  const auto tile = static_cast<std::uint8_t>(std::countr_one(node.used));
  node.used |= bit(tile);
  make_stale(node, tile);
  node.child[index] = child;
  node.separator_us[index] = separator_us;
  node.max_known_us[index] = max_known_us;
  node.tile[index] = tile;
  adopt(&node, index);
}

void drop_child(TileNode& node, std::size_t index) {
  make_stale(node, node.tile[index]);
  node.used &= static_cast<std::uint16_t>(~bit(node.tile[index]));
  shift_left(node, index);
}

std::int64_t newest_known(const TileNode& node) {
  return *std::max_element(node.max_known_us.begin(), node.max_known_us.begin() + node.count);
}

// The last child whose separator is at or before a time; the first where none is.
std::size_t child_for(const TileNode& node, std::int64_t time_us) {
  const auto begin = node.separator_us.begin();
  const auto after = std::upper_bound(begin + 1, begin + node.count, time_us);
  return static_cast<std::size_t>(after - begin) - 1;
}

Chunk* descend(TileNode* node, std::int64_t time_us) {
  while (node->level > 0) node = node->node(child_for(*node, time_us));
  return node->chunk(child_for(*node, time_us));
}

Chunk* leftmost(TileNode* node) {
  while (node->level > 0) node = node->node(0);
  return node->chunk(0);
}
Chunk* rightmost(TileNode* node) {
  while (node->level > 0) node = node->node(node->count - 1u);
  return node->chunk(node->count - 1u);
}

void free_node(TileNode* node) {
  for (std::size_t i = 0; i < node->count; ++i)
    node->level == 0 ? Chunk::free(node->chunk(i)) : free_node(node->node(i));
  delete node;
}

TallyParts fresh_tile(const EventForm& form, TileNode& node, std::size_t index) {
  const std::size_t tile = node.tile[index];
  if (!node.tallies) node.tallies = std::make_unique<TallyTable>(form.layout, TileNode::kFanout);
  const TallyParts tally = node.tallies->at(tile);
  if ((node.fresh & bit(tile)) != 0) return tally;
  clear(form.layout, tally);
  if (node.level == 0) {
    std::vector<std::byte> record(form.packing.record_bytes());
    Chunk& chunk = *node.chunk(index);
    for (std::uint32_t slot = chunk.begin; slot < chunk.end; ++slot) {
      chunk.unpack(form.packing, slot, record.data());
      add(form.layout, tally, record.data());
    }
  } else {
    TileNode& child = *node.node(index);
    for (std::size_t i = 0; i < child.count; ++i)
      merge(form.layout, tally, fresh_tile(form, child, i));
  }
  node.fresh |= bit(tile);
  return tally;
}

struct Walk {
  const EventForm& form;
  std::int64_t at_us;
  RangeVisitor& visitor;

  void child(TileNode& node, std::size_t index) {
    if (node.max_known_us[index] < at_us) return visitor.tile(fresh_tile(form, node, index));
    if (node.level == 0) {
      Chunk& chunk = *node.chunk(index);
      return visitor.events(chunk, chunk.begin, chunk.end);
    }
    children(*node.node(index), 0, node.node(index)->count);
  }
  void children(TileNode& node, std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) child(node, i);
  }
  // What lies between two children of nodes of one level.
  void between(Place from, Place to) {
    if (from.node == to.node) return children(*from.node, from.index + 1, to.index);
    children(*from.node, from.index + 1, from.node->count);
    between(place_of_node(from.node), place_of_node(to.node));
    children(*to.node, 0, to.index);
  }
};

struct WalkBack {
  const EventForm& form;
  std::size_t bit;
  BackVisitor& visitor;

  bool child(TileNode& node, std::size_t index) {
    if (fresh_tile(form, node, index).linear[bit] == 0) return true;
    if (node.level == 0) {
      Chunk& chunk = *node.chunk(index);
      return visitor.events(chunk, chunk.begin, chunk.end);
    }
    return children(*node.node(index), 0, node.node(index)->count);
  }
  bool children(TileNode& node, std::size_t from, std::size_t to) {
    for (std::size_t i = to; i > from; --i)
      if (!child(node, i - 1)) return false;
    return true;
  }
  bool between(Place from, Place to) {
    if (from.node == to.node) return children(*from.node, from.index + 1, to.index);
    return children(*to.node, 0, to.index) &&
           between(place_of_node(from.node), place_of_node(to.node)) &&
           children(*from.node, from.index + 1, from.node->count);
  }
};

}  // namespace

ChunkTree::ChunkTree(Chunk* chunk, std::int64_t max_known_us) : root_(new TileNode()) {
  root_->count = 1;
  put_child(*root_, 0, chunk, chunk->first_time(), max_known_us);
}

ChunkTree::~ChunkTree() {
  if (root_ != nullptr) free_node(root_);
}

Chunk* ChunkTree::first() const { return leftmost(root_); }
Chunk* ChunkTree::last() const { return rightmost(root_); }
std::int64_t ChunkTree::max_known_us() const { return newest_known(*root_); }
std::int64_t ChunkTree::max_known_us(const Chunk* chunk) {
  const Place place = place_of_chunk(chunk);
  return place.node->max_known_us[place.index];
}

Chunk* ChunkTree::next(Chunk* chunk) {
  Place place = place_of_chunk(chunk);
  while (place.index + 1 == place.node->count) {
    if (place.node->parent == nullptr) return nullptr;
    place = place_of_node(place.node);
  }
  if (place.node->level == 0) return place.node->chunk(place.index + 1);
  return leftmost(place.node->node(place.index + 1));
}

Chunk* ChunkTree::previous(Chunk* chunk) {
  Place place = place_of_chunk(chunk);
  while (place.index == 0) {
    if (place.node->parent == nullptr) return nullptr;
    place = place_of_node(place.node);
  }
  if (place.node->level == 0) return place.node->chunk(place.index - 1);
  return rightmost(place.node->node(place.index - 1));
}

Chunk* ChunkTree::chunk_for(std::int64_t time_us) const { return descend(root_, time_us); }

Cursor ChunkTree::place_of(std::int64_t time_us) const {
  Chunk* chunk = time_us == INT64_MIN ? first() : descend(root_, time_us - 1);
  return {chunk, lower_slot(*chunk, time_us)};
}

void ChunkTree::insert_after(Chunk* place, Chunk* fresh, std::int64_t separator_us,
                             std::int64_t max_known_us) {
  const Place at = place_of_chunk(place);
  insert_child(at.node, at.index + 1, fresh, separator_us, max_known_us, place == last());
  ++size_;
  changed(fresh, max_known_us);
}

void ChunkTree::insert_child(TileNode* node, std::size_t index, void* child,
                             std::int64_t separator_us, std::int64_t max_known_us, bool at_end) {
  if (node->count == TileNode::kFanout) {
    TileNode* right = split(node, at_end);
    if (index >= node->count + (at_end ? 0u : 1u)) {
      index -= node->count;
      node = right;
    }
  }
  shift_right(*node, index);
  put_child(*node, index, child, separator_us, max_known_us);
}

// Moves the upper half of a full node, at the end of the tree one child, to a fresh one behind it.
TileNode* ChunkTree::split(TileNode* node, bool at_end) {
  if (node->parent == nullptr) {
    auto* root = new TileNode();
    root->level = static_cast<std::uint8_t>(node->level + 1);
    root->count = 1;
    put_child(*root, 0, node, node->separator_us[0], newest_known(*node));
    root_ = root;
  }
  auto* right = new TileNode();
  right->level = node->level;
  const std::size_t kept = at_end ? TileNode::kFanout - 1 : TileNode::kFanout / 2;
  for (std::size_t i = kept; i < TileNode::kFanout; ++i) {
    ++right->count;
    put_child(*right, i - kept, node->child[i], node->separator_us[i], node->max_known_us[i]);
  }
  while (node->count > kept) drop_child(*node, node->count - 1u);
  const Place place = place_of_node(node);
  insert_child(place.node, place.index + 1, right, right->separator_us[0], newest_known(*right),
               at_end);
  return right;
}

void ChunkTree::replace(Chunk* chunk, Chunk* by) {
  const Place place = place_of_chunk(chunk);
  place.node->child[place.index] = by;
  by->parent = place.node;
}

void ChunkTree::remove(Chunk* chunk) {
  COEVAL_CHECK(size_ > 1);
  changed(chunk);
  const Place place = place_of_chunk(chunk);
  remove_child(place.node, place.index);
  Chunk::free(chunk);
  --size_;
  while (root_->level > 0 && root_->count == 1) {
    TileNode* only = root_->node(0);
    only->parent = nullptr;
    delete root_;
    root_ = only;
  }
}

void ChunkTree::remove_child(TileNode* node, std::size_t index) {
  drop_child(*node, index);
  if (node->count > 0) return;
  const Place place = place_of_node(node);
  remove_child(place.node, place.index);
  delete node;
}

Chunk* ChunkTree::release() {
  COEVAL_CHECK(size_ == 1 && root_->level == 0);
  Chunk* chunk = root_->chunk(0);
  chunk->parent = nullptr;
  delete root_;
  root_ = nullptr;
  return chunk;
}

void ChunkTree::changed(Chunk* chunk, std::int64_t known_us) {
  for (Place place = place_of_chunk(chunk);; place = place_of_node(place.node)) {
    TileNode& node = *place.node;
    make_stale(node, node.tile[place.index]);
    node.max_known_us[place.index] = std::max(node.max_known_us[place.index], known_us);
    if (node.parent == nullptr) return;
  }
}

void ChunkTree::visit(const EventForm& form, Cursor from, Cursor to, std::int64_t at_us,
                      RangeVisitor& visitor) {
  if (from.chunk == to.chunk) {
    if (from.slot < to.slot) visitor.events(*from.chunk, from.slot, to.slot);
    return;
  }
  Walk walk{form, at_us, visitor};
  const Place first = place_of_chunk(from.chunk);
  if (from.slot == from.chunk->begin)
    walk.child(*first.node, first.index);
  else if (from.slot < from.chunk->end)
    visitor.events(*from.chunk, from.slot, from.chunk->end);
  walk.between(first, place_of_chunk(to.chunk));
  if (to.chunk->begin < to.slot) visitor.events(*to.chunk, to.chunk->begin, to.slot);
}

void ChunkTree::visit_back(const EventForm& form, Cursor from, Cursor to, int bit,
                           BackVisitor& visitor) {
  if (from.chunk == to.chunk) {
    if (from.slot < to.slot) visitor.events(*from.chunk, from.slot, to.slot);
    return;
  }
  WalkBack walk{form, static_cast<std::size_t>(bit), visitor};
  if (to.chunk->begin < to.slot && !visitor.events(*to.chunk, to.chunk->begin, to.slot)) return;
  if (!walk.between(place_of_chunk(from.chunk), place_of_chunk(to.chunk))) return;
  if (from.slot < from.chunk->end) visitor.events(*from.chunk, from.slot, from.chunk->end);
}

}  // namespace coeval::kernel
