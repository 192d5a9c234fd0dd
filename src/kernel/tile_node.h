#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel/chunk.h"
#include "kernel/collection.h"
#include "kernel/record_layout.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// What it takes to read the events of a chunk.
struct EventForm {
  const RecordLayout& layout;
  const Packing& packing;
};

/// What was gathered of some tiles, for every collection of a layout.
class CollectionTable {
 public:
  enum class Form : std::uint8_t { stale, fresh, too_large };
  CollectionTable(const RecordLayout& layout, std::size_t tiles);

  Form form(std::size_t tile, std::size_t index) const { return forms_[tile * each_ + index]; }
  Collection& at(std::size_t tile, std::size_t index) { return states_[tile * each_ + index]; }
  void set(std::size_t tile, std::size_t index, Form form) { forms_[tile * each_ + index] = form; }
  /// Makes a tile stale, and lets its strings go.
  void drop(std::size_t tile);

 private:
  std::size_t each_;
  std::vector<Collection> states_;
  std::vector<Form> forms_;
};

/// Some chunks or nodes, in the order of their events, and the exact tally of each: a tile.
///
/// Invariants: 1. All events of child i − 1 are at or before separator_us[i], and all of child i at
/// or after it. 2. max_known_us[i] is no less than any known time in child i. 3. Where bit tile[i]
/// of `fresh` is set, that tally is of exactly the events of child i.
struct TileNode {
  static constexpr std::size_t kFanout = 16;

  TileNode* parent = nullptr;
  std::uint8_t level = 0;  ///< 0: the children are chunks
  std::uint8_t count = 0;
  std::uint16_t used = 0, fresh = 0;  ///< of the tallies
  std::array<void*, kFanout> child{};
  std::array<std::int64_t, kFanout> separator_us{}, max_known_us{};
  std::array<std::uint8_t, kFanout> tile{};
  std::unique_ptr<TallyTable> tallies;           ///< made when first asked for
  std::unique_ptr<CollectionTable> collections;  ///< the same

  Chunk* chunk(std::size_t i) const { return static_cast<Chunk*>(child[i]); }
  TileNode* node(std::size_t i) const { return static_cast<TileNode*>(child[i]); }
};

/// A child of a node.
struct TilePlace {
  TileNode* node;
  std::size_t index;
};
inline TilePlace place_in(TileNode* node, const void* child) {
  std::size_t index = 0;
  while (node->child[index] != child) ++index;
  return {node, index};
}
inline TilePlace place_of_chunk(const Chunk* chunk) { return place_in(chunk->parent, chunk); }
inline TilePlace place_of_node(const TileNode* node) { return place_in(node->parent, node); }

}  // namespace coeval::kernel
