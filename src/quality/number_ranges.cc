#include "quality/number_ranges.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "exact/quantile_sketch.h"

namespace coeval::quality {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::int64_t clamped(double value) {
  constexpr double kBeyond = 0x1p63;
  if (value >= kBeyond) return std::numeric_limits<std::int64_t>::max();
  if (value < -kBeyond) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

// The last integer that a bin of floats up to `greatest` ≥ 0 holds, when integers are cut to
// floats towards 0: the one before the first of the next bin.
std::int64_t last_integer(double greatest) {
  const double next = std::ceil(std::nextafter(greatest, kInfinity));
  if (next >= 0x1p63) return std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(next) - 1;
}

}  // namespace

template <class Value>
void OrderStatistics<Value>::append(Ranges& ranges, Value least, Value greatest,
                                    std::int64_t count) {
  const std::int64_t before = ranges.empty() ? 0 : ranges.back().before + ranges.back().count;
  ranges.push_back({least, greatest, before, count});
}

template <class Value>
OrderStatistics<Value>::OrderStatistics(std::span<const exact::ValueCount<Value>> values) {
  fine_.reserve(values.size());
  for (const auto& [value, count] : values) append(fine_, value, value, count);
}

template <class Value>
OrderStatistics<Value>::OrderStatistics(const BinadeCounts& binades, const EvenBins<Value>& even) {
  const Value low = even.least(), high = even.greatest();
  const auto add = [&](Ranges& ranges, Value least, Value greatest, std::int64_t count) {
    append(ranges, std::max(least, low), std::min(greatest, high), count);
  };
  const int level = even.level();
  if constexpr (std::is_same_v<Value, double>) {
    binades.each([&](double least, double greatest, std::int64_t count) {
      add(fine_, least, greatest, count);
    });
    even.each([&](std::int64_t number, std::int64_t count) {
      const double from = std::ldexp(static_cast<double>(number), level);
      const double to = std::ldexp(static_cast<double>(number + 1), level);
      add(even_, from, std::nextafter(to, -kInfinity), count);
    });
  } else {
    binades.each([&](double least, double greatest, std::int64_t count) {
      if (least < 0)
        add(fine_,
            least <= -0x1p63 ? std::numeric_limits<std::int64_t>::min() : -last_integer(-least),
            clamped(std::floor(greatest)), count);
      else
        add(fine_, clamped(std::ceil(least)), last_integer(greatest), count);
    });
    even.each([&](std::int64_t number, std::int64_t count) {
      const auto width = exact::Int128{1} << level;
      const exact::Int128 from = number * width, last = from + (width - 1);
      constexpr exact::Int128 kMost = std::numeric_limits<std::int64_t>::max();
      add(even_, static_cast<std::int64_t>(from), static_cast<std::int64_t>(std::min(last, kMost)),
          count);
    });
  }
}

template <class Value>
std::int64_t OrderStatistics<Value>::count() const {
  return fine_.empty() ? 0 : fine_.back().before + fine_.back().count;
}

template <class Value>
bool OrderStatistics<Value>::agrees() const {
  return !even_.empty() && even_.back().before + even_.back().count == count();
}

template <class Value>
const typename OrderStatistics<Value>::Range& OrderStatistics<Value>::range_of(const Ranges& ranges,
                                                                               std::int64_t rank) {
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), rank,
      [](std::int64_t wanted, const Range& range) { return wanted < range.before; });
  return *(after - 1);
}

template <class Value>
typename OrderStatistics<Value>::Range OrderStatistics<Value>::range_of(std::int64_t rank) const {
  Range range = range_of(fine_, rank);
  if (even_.empty()) return range;
  const Range& even = range_of(even_, rank);
  range.least = std::max(range.least, even.least);
  range.greatest = std::min(range.greatest, even.greatest);
  return range;
}

template <class Value>
ProfileQuantile OrderStatistics<Value>::quantile(double p, std::uint64_t unit) const {
  const exact::QuantileRank rank = exact::quantile_rank(p, count());
  const Range below = range_of(rank.index);
  const Range above = rank.fraction == 0 ? below : range_of(rank.index + 1);
  const auto middle = [](const Range& range) {
    if constexpr (std::is_same_v<Value, double>)
      return range.least == range.greatest ? range.least : range.least / 2 + range.greatest / 2;
    else
      return static_cast<std::int64_t>((exact::Int128{range.least} + range.greatest) >> 1);
  };
  const auto error = [&](const Range& range) {
    const auto told = static_cast<double>(middle(range));
    return std::max(told - static_cast<double>(range.least),
                    static_cast<double>(range.greatest) - told) /
           static_cast<double>(unit);
  };
  ProfileQuantile quantile{p, 0, std::max(error(below), error(above))};
  if constexpr (std::is_same_v<Value, double>)
    quantile.value = exact::interpolate(middle(below), middle(above), rank);
  else
    quantile.value = exact::interpolate(middle(below), middle(above), rank, unit);
  return quantile;
}

template <class Value>
BinEdges<Value> OrderStatistics<Value>::edges(std::size_t bins) const {
  const std::int64_t all = count();
  const auto wanted = static_cast<std::int64_t>(bins);
  Ranges candidates(fine_.begin() + 1, fine_.end());
  if (!even_.empty()) candidates.insert(candidates.end(), even_.begin() + 1, even_.end());
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Range& a, const Range& b) { return a.least < b.least; });
  std::vector<Value> edges{fine_.front().least};
  std::vector<std::int64_t> before{0};
  const auto add = [&](Value edge, std::int64_t values) {
    if (!(edges.back() < edge)) return;
    edges.push_back(edge);
    before.push_back(values);
  };
  for (std::int64_t i = 1; i < wanted && !candidates.empty(); ++i) {
    if (even_.empty()) {
      const Range& range = range_of(fine_, i * all / wanted);
      add(range.least, range.before);
      continue;
    }
    const auto distance = [&](const Range& range) {
      return std::abs(range.before * wanted - i * all);
    };
    const auto nearest =
        std::min_element(candidates.begin(), candidates.end(),
                         [&](const Range& a, const Range& b) { return distance(a) < distance(b); });
    add(nearest->least, nearest->before);
  }
  const Value greatest = even_.empty() ? fine_.back().greatest
                                       : std::min(fine_.back().greatest, even_.back().greatest);
  if (edges.size() > 1 && edges.back() == greatest) {  // the last bin holds its upper edge
    edges.pop_back();
    before.pop_back();
  }
  BinEdges<Value> found;
  found.edges = edges;
  found.edges.push_back(greatest);
  for (std::size_t i = 0; i < before.size(); ++i)
    found.counts.push_back((i + 1 < before.size() ? before[i + 1] : all) - before[i]);
  return found;
}

template class OrderStatistics<double>;
template class OrderStatistics<std::int64_t>;

}  // namespace coeval::quality
