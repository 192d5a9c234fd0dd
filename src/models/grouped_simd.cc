// The loops of grouped_walk.h for each instruction set that Highway knows. This file is compiled
// once for each: what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its
// instructions.

// SSSE3 alone cannot choose between bytes.
#define HWY_DISABLED_TARGETS HWY_SSSE3
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/grouped_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <vector>

#include "models/grouped_walk.h"

HWY_BEFORE_NAMESPACE();
namespace coeval::models::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SSE2 || \
    HWY_HAVE_SCALABLE

// Vectors would only be played here, or cannot be kept in arrays.
const GroupedWalk& grouped_walk() { return plain_grouped_walk(); }

#else

namespace hn = hwy::HWY_NAMESPACE;
using Group = GroupedTrees::Group;
using LastGroup = GroupedTrees::LastGroup;

using Ranks = hn::CappedTag<std::int8_t, 32>;  // of 2 or 4 groups
using OneGroup = hn::FixedTag<std::int8_t, 16>;
using Words = hn::Repartition<std::uint16_t, Ranks>;
using Eights = hn::Repartition<std::uint64_t, Ranks>;
using Keys = hn::CappedTag<std::int32_t, 8>;
using Floats = hn::RebindToFloat<Keys>;
using Vector = hn::Vec<Ranks>;

constexpr std::size_t kWays = GroupedTrees::kWays;
// Trees that go down one step together before the next step begins: a processor then has many
// trees under way at once, and with several rows their groups stay in the cache for all.
constexpr std::size_t kTile = 128;

// --- one comparison ---

// Chooses ranks by slots, of which `within` has the last four bits.
template <std::size_t kTables>
HWY_INLINE Vector look_up(const Vector* tables, Vector slots, Vector within) {
  if constexpr (kTables == 1) {
    return hn::TableLookupBytes(tables[0], within);
  } else {
    constexpr std::size_t kLow = std::bit_ceil(kTables) / 2;
    const auto low = look_up<kLow>(tables, slots, within);
    const auto high = look_up<kTables - kLow>(tables + kLow, slots, within);
    // The bit that tells them apart comes to the top of its byte.
    constexpr int kShift = 3 - std::countr_zero(kLow);
    const auto bit = hn::BitCast(Ranks(), hn::ShiftLeft<kShift>(hn::BitCast(Words(), slots)));
    return hn::IfNegativeThenElse(bit, high, low);
  }
}

// The ranks of a row, in registers.
template <std::size_t kTables>
class Tables {
 public:
  explicit HWY_INLINE Tables(const std::int8_t* ranks) {
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kTables; ++i)
      tables_[i] = hn::LoadDup128(Ranks(), ranks + i * GroupedTrees::kTableSlots);
  }

  // Writes the bits of four groups, a byte for each.
  HWY_INLINE void compare(const GroupedTrees::FirstGroups& groups, std::uint8_t* bits) const {
    const auto* slots = reinterpret_cast<const std::int8_t*>(&groups.slots);
    const auto* bounds = reinterpret_cast<const std::int8_t*>(&groups.bounds);
#pragma GCC unroll 2
    for (std::size_t i = 0; i < 32; i += hn::Lanes(Ranks()))
      compare(hn::LoadU(Ranks(), slots + i), hn::LoadU(Ranks(), bounds + i), bits + i / 8);
  }
  template <class D = Ranks>
  HWY_INLINE void compare(const Group& a, const Group& b, const Group& c, const Group& d,
                          std::uint8_t* bits) const {
    if constexpr (hn::MaxLanes(D()) == 32) {
      compare_joined(hn::Combine(D(), load(c), load(a)), hn::Combine(D(), load(d), load(b)), bits);
    } else {
      compare_joined(load(a), load(b), bits);
      compare_joined(load(c), load(d), bits + 2);
    }
  }

 private:
  static HWY_INLINE hn::Vec<OneGroup> load(const Group& group) {
    return hn::LoadU(OneGroup(), reinterpret_cast<const std::int8_t*>(&group));
  }
  // A group's slots are the lower half of sixteen bytes, its bounds the upper.
  HWY_INLINE void compare_joined(Vector even, Vector odd, std::uint8_t* bits) const {
    const auto a = hn::BitCast(Eights(), even), b = hn::BitCast(Eights(), odd);
    compare(hn::BitCast(Ranks(), hn::InterleaveLower(Eights(), a, b)),
            hn::BitCast(Ranks(), hn::InterleaveUpper(Eights(), a, b)), bits);
  }
  HWY_INLINE void compare(Vector slots, Vector bounds, std::uint8_t* bits) const {
    // x86 looks at the last four bits of an index, and at its first.
    constexpr bool kWhole = HWY_ARCH_X86 && kTables <= 8;
    const auto within = kWhole ? slots : hn::And(slots, hn::Set(Ranks(), 15));
    std::uint8_t all[8] = {};
    hn::StoreMaskBits(Ranks(), hn::Gt(look_up<kTables>(tables_, slots, within), bounds), all);
    std::memcpy(bits, all, hn::MaxLanes(Ranks()) / 8);
  }

  Vector tables_[kTables];
};

// --- trees side by side ---

struct Tile {
  std::size_t first, count;  // trees
  std::uint8_t bits[kTile];  // of each tree's newest group
  std::size_t seconds[kTile];
  const LastGroup* lasts[kTile];
};

// `number_of` a tree's newest group, in the row's masks.
template <class NumberOf>
HWY_INLINE void add_masks(const GroupedTrees& trees, const std::int8_t* ranks, Tile& tile,
                          const NumberOf& number_of) {
  if (trees.masks == 0) return;
  const std::int8_t* const masks = ranks + trees.masks_begin();
  for (std::size_t i = 0; i < tile.count; ++i)
    tile.bits[i] |= static_cast<std::uint8_t>(masks[number_of(i)]);
}

template <std::size_t kTables>
HWY_INLINE void compare_firsts(const GroupedTrees& trees, const Tables<kTables>& tables,
                               Tile& tile) {
  const GroupedTrees::FirstGroups* four = &trees.firsts[tile.first / 4];
  const std::size_t count = tile.count;
  for (std::size_t i = 0; i < count; i += 4) tables.compare(*four++, &tile.bits[i]);
}

template <std::size_t kTables>
HWY_INLINE void compare_seconds(const GroupedTrees& trees, const Tables<kTables>& tables,
                                Tile& tile) {
  for (std::size_t i = 0; i < tile.count; i += 4) {
    const Group* four[4];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      const std::size_t begin = (tile.first + i + j) * trees.second_ways;
      tile.seconds[i + j] = begin + kWayOf[tile.bits[i + j]];
      four[j] = &trees.seconds[tile.seconds[i + j]];
    }
    tables.compare(*four[0], *four[1], *four[2], *four[3], &tile.bits[i]);
  }
}

template <std::size_t kTables, std::size_t kSteps>
HWY_INLINE void compare_lasts(const GroupedTrees& trees, const Tables<kTables>& tables,
                              Tile& tile) {
  const std::size_t count = tile.count, last_ways = trees.last_ways;
  const LastGroup* const lasts = trees.lasts.data();
  const LastGroup* begin = lasts + tile.first * last_ways;
  for (std::size_t i = 0; i < count; i += 4) {
    const LastGroup* four[4];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j, begin += last_ways) {
      if constexpr (kSteps == 1) {
        four[j] = begin;
      } else if constexpr (kSteps == 2) {
        four[j] = begin + kWayOf[tile.bits[i + j]];
      } else {
        four[j] = lasts + tile.seconds[i + j] * kWays + kWayOf[tile.bits[i + j]];
      }
      tile.lasts[i + j] = four[j];
    }
    tables.compare(four[0]->group, four[1]->group, four[2]->group, four[3]->group, &tile.bits[i]);
  }
}

// Leads all trees of a tile to their last groups and these groups' bits.
template <std::size_t kTables, std::size_t kSteps>
HWY_INLINE void go_down(const GroupedTrees& trees, const std::int8_t* ranks, Tile& tile) {
  const Tables<kTables> tables(ranks);
  std::size_t before = 0;  // masks of the steps before
  if constexpr (kSteps > 1) {
    compare_firsts(trees, tables, tile);
    add_masks(trees, ranks, tile, [&](std::size_t i) { return tile.first + i; });
    before += trees.trees;
  }
  if constexpr (kSteps > 2) {
    compare_seconds(trees, tables, tile);
    add_masks(trees, ranks, tile, [&](std::size_t i) { return before + tile.seconds[i]; });
    before += trees.seconds.size();
  }
  compare_lasts<kTables, kSteps>(trees, tables, tile);
  add_masks(trees, ranks, tile, [&](std::size_t i) {
    return before + static_cast<std::size_t>(tile.lasts[i] - trees.lasts.data());
  });
}

// In the order of the trees.
HWY_INLINE void add_tile(const GroupedTrees& trees, const Tile& tile, float* margins) {
  const auto leaf = [&](std::size_t i) { return tile.lasts[i]->leaves[kWayOf[tile.bits[i]]]; };
  if (trees.outputs == 1) {
    float sum = *margins;
    for (std::size_t i = 0; i < tile.count; i += 4) {
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) sum += leaf(i + j);
    }
    *margins = sum;
  } else {
    for (std::size_t i = 0; i < tile.count; ++i)
      margins[trees.tree_outputs[tile.first + i]] += leaf(i);
  }
}

template <std::size_t kTables, std::size_t kSteps>
void add_all(const GroupedTrees& trees, const std::int8_t* ranks, std::size_t rows,
             float* margins) {
  const std::size_t stride = trees.stride();
  Tile tile;
  for (tile.first = 0; tile.first < trees.trees; tile.first += kTile) {
    tile.count = std::min(trees.trees - tile.first, kTile);
    for (std::size_t row = 0; row < rows; ++row) {
      go_down<kTables, kSteps>(trees, ranks + row * stride, tile);
      add_tile(trees, tile, margins + row * trees.outputs);
    }
  }
}

template <std::size_t kPlace = 0>
void add_leaves(const GroupedTrees& trees, const std::int8_t* ranks, std::size_t rows,
                float* margins) {
  constexpr std::size_t kTables = GroupedTrees::kTableCounts[kPlace];
  if constexpr (kPlace + 1 < GroupedTrees::kTableCounts.size()) {
    if (trees.tables > kTables) return add_leaves<kPlace + 1>(trees, ranks, rows, margins);
  }
  if (trees.steps == 1) return add_all<kTables, 1>(trees, ranks, rows, margins);
  if (trees.steps == 2) return add_all<kTables, 2>(trees, ranks, rows, margins);
  add_all<kTables, 3>(trees, ranks, rows, margins);
}

// --- ranks ---

HWY_INLINE std::size_t count_below(const GroupedTrees::SixteenBounds& some, std::int32_t key) {
  const auto keys = hn::Set(Keys(), key);
  std::size_t count = 0;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < 16; i += hn::Lanes(Keys()))
    count += hn::CountTrue(Keys(), hn::Lt(hn::Load(Keys(), &some.bounds[i]), keys));
  return count;
}

// As order_key(), less 2^31; what is missing becomes INT32_MAX.
HWY_INLINE hn::Vec<Keys> signed_keys(hn::Vec<Floats> cells) {
  const auto bits = hn::BitCast(Keys(), hn::Add(cells, hn::Zero(Floats())));  // -0 becomes +0
  const auto highest = hn::Set(Keys(), INT32_MAX);
  const auto keys = hn::Xor(bits, hn::And(hn::BroadcastSignBit(bits), highest));
  return hn::IfThenElse(hn::RebindMask(Keys(), hn::Eq(cells, cells)), keys, highest);
}

void write_ranks(const GroupedTrees& trees, const float* row, std::int8_t* ranks) {
  constexpr std::size_t kAtOnce = 64;
  HWY_ALIGN float cells[kAtOnce] = {};
  HWY_ALIGN std::int32_t keys[kAtOnce];
  const GroupedTrees::Search* searches = trees.searches.data();
  for (std::size_t left = trees.searches.size(); left > 0;) {
    const std::size_t count = std::min(left, kAtOnce);
    for (std::size_t i = 0; i < count; ++i) cells[i] = row[searches[i].column];
    for (std::size_t i = 0; i < count; i += hn::Lanes(Keys()))
      hn::Store(signed_keys(hn::Load(Floats(), cells + i)), Keys(), keys + i);
    for (std::size_t i = 0; i < count; ++i) {
      const auto* bounds = &trees.bounds[searches[i].first];
      const std::size_t sixteens = count_below(bounds[0], keys[i]);
      const auto rank = static_cast<std::int8_t>(sixteens * 16 +
                                                 count_below(bounds[1 + sixteens], keys[i]) - 128);
      ranks[searches[i].low_slot] = keys[i] == INT32_MAX ? GroupedTrees::kLowest : rank;
      ranks[searches[i].high_slot] = rank;
    }
    searches += count;
    left -= count;
  }
}

const GroupedWalk& grouped_walk() {
  static const GroupedWalk kWalk = {hwy::TargetName(HWY_TARGET), write_ranks, add_leaves<>};
  return kWalk;
}

#endif

}  // namespace coeval::models::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::models {

HWY_EXPORT(grouped_walk);

namespace {

// The plain one, then Highway's targets from the best on.
std::vector<const GroupedWalk*> known_walks() {
  std::vector<const GroupedWalk*> known = {&plain_grouped_walk()};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index =
        std::size(HWY_DISPATCH_TABLE(grouped_walk)) == 1 ? 0 : chosen.GetIndex();
    const GroupedWalk& vectors = HWY_DISPATCH_TABLE(grouped_walk)[index]();
    if (&vectors != &plain_grouped_walk()) known.push_back(&vectors);
  }
  return known;
}

}  // namespace

std::span<const GroupedWalk* const> all_grouped_walks() {
  static const std::vector<const GroupedWalk*> kWalks = known_walks();
  return kWalks;
}

const GroupedWalk& quickest_grouped_walk() {
  static const GroupedWalk& kQuickest =
      *all_grouped_walks()[all_grouped_walks().size() > 1 ? 1 : 0];
  return kQuickest;
}

}  // namespace coeval::models
#endif
