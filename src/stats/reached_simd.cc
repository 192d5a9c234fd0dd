// The loop of reached_counts.h for each instruction set that Highway knows. This file is compiled
// once for each: what lies between HWY_BEFORE_NAMESPACE and HWY_AFTER_NAMESPACE, with its
// instructions.

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "stats/reached_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "stats/reached_counts.h"

HWY_BEFORE_NAMESPACE();
namespace coeval::stats::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Reals = hn::ScalableTag<double>;
using Integers = hn::ScalableTag<std::int64_t>;

// A comparison gives −1 where it holds.
template <class V>
HWY_INLINE hn::Vec<Integers> reached_one(V values, V edge) {
  return hn::BitCast(Integers(), hn::VecFromMask(Reals(), values >= edge));
}

std::int64_t total(hn::Vec<Integers> counts) {
  HWY_ALIGN std::int64_t lanes[HWY_MAX_BYTES / sizeof(std::int64_t)];
  hn::Store(counts, Integers(), lanes);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < hn::Lanes(Integers()); ++i) sum += lanes[i];
  return sum;
}

void add(const double* values, std::size_t size, const ReachedCounts::Group& edges,
         std::int64_t* reached) {
  static_assert(ReachedCounts::kGroup == 7);
  const Reals d;
  const std::size_t lanes = hn::Lanes(d), whole = size / lanes * lanes;
  const auto e0 = hn::Set(d, edges[0]), e1 = hn::Set(d, edges[1]), e2 = hn::Set(d, edges[2]),
             e3 = hn::Set(d, edges[3]), e4 = hn::Set(d, edges[4]), e5 = hn::Set(d, edges[5]),
             e6 = hn::Set(d, edges[6]);
  auto c0 = hn::Zero(Integers()), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0;
  for (std::size_t i = 0; i < whole; i += lanes) {
    const auto v = hn::LoadU(d, values + i);
    c0 = c0 - reached_one(v, e0);
    c1 = c1 - reached_one(v, e1);
    c2 = c2 - reached_one(v, e2);
    c3 = c3 - reached_one(v, e3);
    c4 = c4 - reached_one(v, e4);
    c5 = c5 - reached_one(v, e5);
    c6 = c6 - reached_one(v, e6);
  }
  const std::int64_t totals[] = {total(c0), total(c1), total(c2), total(c3),
                                 total(c4), total(c5), total(c6)};
  for (std::size_t edge = 0; edge < edges.size(); ++edge) {
    reached[edge] += totals[edge];
    for (std::size_t i = whole; i < size; ++i) reached[edge] += values[i] >= edges[edge] ? 1 : 0;
  }
}

const ReachedLoop& loop() {
  static const ReachedLoop kLoop = {hwy::TargetName(HWY_TARGET), add};
  return kLoop;
}

}  // namespace coeval::stats::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coeval::stats {

HWY_EXPORT(loop);

namespace {

void add_plain(const double* values, std::size_t size, const ReachedCounts::Group& edges,
               std::int64_t* reached) {
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t edge = 0; edge < edges.size(); ++edge)
      reached[edge] += values[i] >= edges[edge] ? 1 : 0;
}

// The plain one, then Highway's targets from the best on.
std::vector<ReachedLoop> known_loops() {
  std::vector<ReachedLoop> known = {{"plain", add_plain}};
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t index = std::size(HWY_DISPATCH_TABLE(loop)) == 1 ? 0 : chosen.GetIndex();
    known.push_back(HWY_DISPATCH_TABLE(loop)[index]());
  }
  return known;
}

}  // namespace

std::span<const ReachedLoop> reached_loops() {
  static const std::vector<ReachedLoop> kLoops = known_loops();
  return kLoops;
}

ReachedCounts::ReachedCounts(std::span<const double> edges) : size_(edges.size()) {
  for (std::size_t at = 0; at < edges.size(); at += kGroup) {
    Group group;
    group.fill(std::numeric_limits<double>::quiet_NaN());
    std::ranges::copy(edges.subspan(at, std::min(kGroup, edges.size() - at)), group.begin());
    groups_.push_back(group);
  }
}

void ReachedCounts::add(std::span<const double> values, std::span<std::int64_t> reached) const {
  const ReachedLoop& loop = reached_loops()[1];
  std::size_t at = 0;
  for (const Group& group : groups_) {
    std::array<std::int64_t, kGroup> found{};
    loop.add(values.data(), values.size(), group, found.data());
    for (std::size_t i = 0; i < kGroup && at < size_; ++i) reached[at++] += found[i];
  }
}

}  // namespace coeval::stats
#endif
