#include "quality/number_profile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "exact/byte_codec.h"
#include "exact/ratio.h"
#include "quality/number_loops.h"

namespace coeval::quality {

namespace {

__extension__ using Unsigned128 = unsigned __int128;

/// Integers of this size and less are float64 values.
constexpr std::int64_t kMostReal = std::int64_t{1} << 53;
/// The squares of 1,024 integers below this fit in 64 bits.
constexpr std::int64_t kMostSmall = std::int64_t{1} << 26;

struct IntegerFacts {
  std::int64_t least, greatest;
  std::int64_t zeros = 0, negatives = 0;
};

// In four turns, so that no comparison waits for the one before.
IntegerFacts facts_of(std::span<const std::int64_t> block) {
  constexpr std::size_t kTurns = 4;
  std::array<std::int64_t, kTurns> least, greatest;
  least.fill(block[0]);
  greatest.fill(block[0]);
  std::array<std::int64_t, kTurns> zeros{}, negatives{};
  std::size_t i = 0;
  for (; i + kTurns <= block.size(); i += kTurns)
    for (std::size_t turn = 0; turn < kTurns; ++turn) {
      const std::int64_t v = block[i + turn];
      least[turn] = v < least[turn] ? v : least[turn];
      greatest[turn] = v > greatest[turn] ? v : greatest[turn];
      zeros[turn] += v == 0;
      negatives[turn] += static_cast<std::int64_t>(static_cast<std::uint64_t>(v) >> 63);
    }
  IntegerFacts facts{least[0], greatest[0]};
  for (std::size_t turn = 0; turn < kTurns; ++turn) {
    facts.least = std::min(facts.least, least[turn]);
    facts.greatest = std::max(facts.greatest, greatest[turn]);
    facts.zeros += zeros[turn];
    facts.negatives += negatives[turn];
  }
  for (; i < block.size(); ++i) {
    facts.least = std::min(facts.least, block[i]);
    facts.greatest = std::max(facts.greatest, block[i]);
    facts.zeros += block[i] == 0;
    facts.negatives += block[i] < 0;
  }
  return facts;
}

// The exact moments of one value, many times.
exact::IntegerMoments moments_of(std::int64_t value, std::int64_t times) {
  const auto square = static_cast<Unsigned128>(exact::Int128{value} * value);
  const auto factor = static_cast<std::uint64_t>(times);
  const Unsigned128 low = Unsigned128{static_cast<std::uint64_t>(square)} * factor;
  const Unsigned128 high = (square >> 64) * factor;
  exact::Int192 squares;
  squares.limbs = {static_cast<std::uint64_t>(low), static_cast<std::uint64_t>(low >> 64), 0};
  squares.combine({{0, static_cast<std::uint64_t>(high), static_cast<std::uint64_t>(high >> 64)}},
                  false);
  return {times, exact::Int128{value} * times, squares};
}

// times below 2^61.
void add_moments(double value, std::int64_t times, exact::ExactSum& sum,
                 exact::SquareSum& squares) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  std::uint64_t significand = bits & ((std::uint64_t{1} << 52) - 1);
  if (field != 0) significand |= std::uint64_t{1} << 52;
  if (significand == 0) return;
  const int position = field == 0 ? 0 : field - 1;
  const auto factor = static_cast<std::uint64_t>(times);
  exact::LongSum total, all_squares;
  total.change(Unsigned128{significand} * factor, position, bits >> 63 != 0);
  const Unsigned128 square = Unsigned128{significand} * significand;
  all_squares.change(Unsigned128{static_cast<std::uint64_t>(square)} * factor, 2 * position, false);
  all_squares.change((square >> 64) * factor, 2 * position + 64, false);
  sum.merge(exact::ExactSum::of_limbs(total.limbs(), total.first_limb(), 0, 0, 0));
  squares.merge(exact::SquareSum(std::move(all_squares)));
}

// The float64 whose bins an integer is counted in: itself, or what is left of it when the bits
// after the first 53 are dropped. Where a bin begins, no bits are dropped.
double binade_value(std::int64_t value) {
  if (value >= -kMostReal && value <= kMostReal) return static_cast<double>(value);
  const std::uint64_t size =
      value < 0 ? -static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const int drop = static_cast<int>(std::bit_width(size)) - 53;
  const double kept = static_cast<double>(size >> drop << drop);
  return value < 0 ? -kept : kept;
}

}  // namespace

template <class Value>
std::int64_t NumberProfile<Value>::key_of(Value value) {
  if constexpr (kReal)
    return std::bit_cast<std::int64_t>(value + 0.0);  // −0 becomes 0
  else
    return value;
}
template <class Value>
Value NumberProfile<Value>::value_of(std::int64_t key) {
  return std::bit_cast<Value>(key);
}

template <class Value>
void NumberProfile<Value>::add(std::span<const std::int64_t> block) {
  std::size_t at = 0;
  if (!spread_) {
    for (; at < block.size() && !counted_.is_over_cap(); ++at) counted_.add(block[at], 1);
    if (counted_.is_over_cap()) spread_out();
  }
  if (at < block.size()) spread_->add(block.subspan(at));
}

template <class Value>
void NumberProfile<Value>::add_times(Value value, std::int64_t times) {
  if (spread_) return spread_->add_times(value, times);
  counted_.add(key_of(value), times);
  if (counted_.is_over_cap()) spread_out();
}

template <class Value>
void NumberProfile<Value>::spread_out() {
  spread_ = std::make_unique<Spread>();
  counted_.each(
      [&](std::int64_t key, std::int64_t times) { spread_->add_times(value_of(key), times); });
  counted_ = exact::ValueCounts<std::int64_t>(kMostCounted);
}

template <class Value>
void NumberProfile<Value>::merge(const NumberProfile& other) {
  if (other.spread_ && !spread_) spread_out();
  other.counted_.each(
      [&](std::int64_t key, std::int64_t times) { add_times(value_of(key), times); });
  if (other.spread_) spread_->merge(*other.spread_);
}

template <class Value>
void NumberProfile<Value>::Spread::widen(Value low, Value high) {
  if (count == 0) {
    least = low;
    greatest = high;
  }
  least = std::min(least, low);
  greatest = std::max(greatest, high);
}

template <class Value>
void NumberProfile<Value>::Spread::settle() {
  binades.settle(sum, squares);
  unsettled = 0;
}

template <class Value>
void NumberProfile<Value>::Spread::add(std::span<const std::int64_t> block) {
  const auto facts = [&] {
    if constexpr (kReal)
      return quickest_number_loops().facts(block.data(), block.size());
    else
      return facts_of(block);
  }();
  widen(facts.least, facts.greatest);
  count += static_cast<std::int64_t>(block.size());
  zeros += facts.zeros;
  negatives += facts.negatives;
  distinct.add_all(block);
  even.add(block, facts.least, facts.greatest);
  if constexpr (kReal) {
    if (unsettled + static_cast<std::int64_t>(kBlock) > BinadeCounts::kMostUnsettled) settle();
    unsettled += static_cast<std::int64_t>(block.size());
    binades.add_with_sums(block, std::max(std::abs(facts.least), std::abs(facts.greatest)));
  } else {
    std::array<std::int64_t, kBlock> bits;
    if (facts.least >= -kMostReal && facts.greatest <= kMostReal)
      for (std::size_t i = 0; i < block.size(); ++i)
        bits[i] = std::bit_cast<std::int64_t>(static_cast<double>(block[i]));
    else
      for (std::size_t i = 0; i < block.size(); ++i)
        bits[i] = std::bit_cast<std::int64_t>(binade_value(block[i]));
    binades.add({bits.data(), block.size()});
    if (facts.least > -kMostSmall && facts.greatest < kMostSmall) {
      std::int64_t total = 0;
      std::uint64_t all_squares = 0;
      for (const std::int64_t value : block) {
        total += value;
        all_squares += static_cast<std::uint64_t>(value * value);
      }
      integers.merge({static_cast<std::int64_t>(block.size()), total, {{all_squares, 0, 0}}});
    } else {
      add_integers(block);
    }
  }
}

// Squares of int64 values are below 2^126 + 1, so that two of them fit in 128 bits.
template <class Value>
void NumberProfile<Value>::Spread::add_integers(std::span<const std::int64_t> block) {
  exact::Int128 total = 0;
  std::uint64_t low = 0, middle = 0, high = 0;
  for (const std::int64_t value : block) {
    total += value;
    const auto square = static_cast<Unsigned128>(exact::Int128{value} * value);
    std::uint64_t carry =
        __builtin_add_overflow(low, static_cast<std::uint64_t>(square), &low) ? 1 : 0;
    const auto upper = static_cast<std::uint64_t>(square >> 64) + carry;  // below 2^63
    high += __builtin_add_overflow(middle, upper, &middle) ? 1 : 0;
  }
  integers.merge({static_cast<std::int64_t>(block.size()), total, {{low, middle, high}}});
}

template <class Value>
void NumberProfile<Value>::Spread::add_times(Value value, std::int64_t times) {
  const std::int64_t key = key_of(value);
  widen(value_of(key), value_of(key));
  count += times;
  if (value == 0) zeros += times;
  if (value < 0) negatives += times;
  distinct.add(key);
  even.add_times(value_of(key), times);
  if constexpr (kReal) {
    binades.add_times(value_of(key), times);
    add_moments(value, times, sum, squares);
  } else {
    binades.add_times(binade_value(value), times);
    integers.merge(moments_of(value, times));
  }
}

template <class Value>
void NumberProfile<Value>::Spread::merge(const Spread& other) {
  widen(other.least, other.greatest);
  count += other.count;
  zeros += other.zeros;
  negatives += other.negatives;
  distinct.merge(other.distinct);
  even.merge(other.even);
  if (unsettled + other.unsettled > BinadeCounts::kMostUnsettled) settle();
  binades.merge(other.binades);
  unsettled += other.unsettled;
  sum.merge(other.sum);
  squares.merge(other.squares);
  integers.merge(other.integers);
  if (unsettled > BinadeCounts::kMostUnsettled) settle();
}

template <class Value>
std::int64_t NumberProfile<Value>::count() const {
  if (spread_) return spread_->count;
  std::int64_t count = 0;
  counted_.each([&](std::int64_t, std::int64_t times) { count += times; });
  return count;
}

template <class Value>
std::optional<std::vector<exact::ValueCount<Value>>> NumberProfile<Value>::values() const {
  if (spread_) return std::nullopt;
  std::vector<exact::ValueCount<Value>> all;
  counted_.each(
      [&](std::int64_t key, std::int64_t times) { all.push_back({value_of(key), times}); });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
  return all;
}

/// Everything that is a sum, whichever way the values are held.
template <class Value>
struct NumberProfile<Value>::Totals {
  std::int64_t count = 0, zeros = 0, negatives = 0, distinct = 0;
  Value least{}, greatest{};
  std::vector<exact::ValueCount<Value>> values;  // empty when they are not held
  exact::ExactSum sum;
  exact::SquareSum squares;
  exact::IntegerMoments integers;
};

template <class Value>
typename NumberProfile<Value>::Totals NumberProfile<Value>::totals() const {
  Totals totals;
  if (spread_) {
    totals.count = spread_->count;
    totals.zeros = spread_->zeros;
    totals.negatives = spread_->negatives;
    totals.distinct = spread_->distinct.count();
    totals.least = spread_->least;
    totals.greatest = spread_->greatest;
    totals.sum = spread_->sum;
    totals.squares = spread_->squares;
    totals.integers = spread_->integers;
    BinadeCounts(spread_->binades).settle(totals.sum, totals.squares);
    return totals;
  }
  totals.values = *values();
  for (const auto& [value, times] : totals.values) {
    totals.count += times;
    if (value == 0) totals.zeros += times;
    if (value < 0) totals.negatives += times;
    if constexpr (kReal)
      add_moments(value, times, totals.sum, totals.squares);
    else
      totals.integers.merge(moments_of(value, times));
  }
  totals.distinct = static_cast<std::int64_t>(totals.values.size());
  if (!totals.values.empty()) {
    totals.least = totals.values.front().value;
    totals.greatest = totals.values.back().value;
  }
  return totals;
}

template <class Value>
void NumberProfile<Value>::summarise(ColumnSummary& summary, std::uint64_t unit) const {
  const Totals totals = this->totals();
  summary.zeros = totals.zeros;
  summary.negatives = totals.negatives;
  summary.distinct = totals.distinct;
  summary.distinct_exact = spread_ == nullptr;
  summary.quantiles_exact = spread_ == nullptr;
  if (totals.count == 0) return;
  summary.min = totals.least;
  summary.max = totals.greatest;
  if constexpr (kReal) {
    summary.sum = totals.sum.round();
    summary.mean = totals.sum.mean(totals.count);
    summary.deviation =
        exact::deviation(totals.count, totals.sum, totals.squares, exact::Divisor::sample);
  } else {
    const exact::Int128 sum = totals.integers.sum();
    summary.sum = exact::ratio(sum, unit, exact::Int128{1}, 1);
    summary.mean = exact::ratio(sum, unit, exact::Int128{totals.count}, 1);
    summary.deviation = totals.integers.deviation(exact::Divisor::sample, unit);
  }
  const OrderStatistics<Value> order = order_of(totals.values);
  for (const double p : kQuantiles) summary.quantiles.push_back(order.quantile(p, unit));
  summarise_histogram(summary, totals, unit);
  std::vector<exact::ValueCount<Value>> top = totals.values;
  const auto more_frequent = [](const auto& a, const auto& b) {
    return a.count != b.count ? a.count > b.count : a.value < b.value;
  };
  const std::size_t told = std::min(top.size(), kMostTopValues);
  std::partial_sort(top.begin(), top.begin() + static_cast<std::ptrdiff_t>(told), top.end(),
                    more_frequent);
  summary.top_values.resize(told);
  for (std::size_t i = 0; i < told; ++i) {
    summary.top_values[i].value = top[i].value;
    summary.top_values[i].count = top[i].count;
  }
}

template <class Value>
void NumberProfile<Value>::summarise_histogram(ColumnSummary& summary, const Totals& totals,
                                               std::uint64_t unit) const {
  EvenBins<Value> held;
  for (const auto& [value, times] : totals.values) held.add_times(value, times);
  const EvenBins<Value>& bins = spread_ ? spread_->even : held;
  const int level = std::max(bins.level(), even_level_of(totals.least, totals.greatest, kMostBars));
  const int shift = std::min(level - bins.level(), 63);
  const double width = std::ldexp(1.0, level), divisor = static_cast<double>(unit);
  std::int64_t first = 0;
  bins.each([&](std::int64_t number, std::int64_t count) {
    const std::int64_t bar = number >> shift;
    if (summary.histogram.empty()) first = bar;
    while (first + static_cast<std::int64_t>(summary.histogram.size()) <= bar) {
      const auto from =
          static_cast<double>(first + static_cast<std::int64_t>(summary.histogram.size()));
      summary.histogram.push_back({from * width / divisor, (from + 1) * width / divisor, 0});
    }
    summary.histogram.back().count += count;
  });
}

template <class Value>
OrderStatistics<Value> NumberProfile<Value>::order_of(
    std::span<const exact::ValueCount<Value>> values) const {
  return spread_ ? OrderStatistics<Value>(spread_->binades, spread_->even)
                 : OrderStatistics<Value>(values);
}

template <class Value>
BinEdges<Value> NumberProfile<Value>::even_edges(std::size_t bins) const {
  const auto held = values();
  return order_of(held ? *held : std::vector<exact::ValueCount<Value>>()).edges(bins);
}

// u8 whether values are spread; then the counted values, or count, zeros, negatives, range,
// distinct values, moments and both kinds of bins.
template <class Value>
void NumberProfile<Value>::append_bytes(std::string& out) const {
  out.push_back(spread_ ? 1 : 0);
  if (!spread_) return counted_.append_bytes(out);
  const Totals totals = this->totals();
  exact::append_count(out, totals.count);
  exact::append_count(out, totals.zeros);
  exact::append_count(out, totals.negatives);
  spread_->distinct.append_bytes(out);
  if constexpr (kReal)
    Moments(totals.count, totals.sum, totals.squares).append_bytes(out);
  else
    totals.integers.append_bytes(out);
  spread_->even.append_bytes(out);
  spread_->binades.append_bytes(out);
}

template <class Value>
bool NumberProfile<Value>::read_bytes(std::string_view& bytes) {
  NumberProfile read;
  std::uint8_t spread = 0;
  if (!exact::read_u8(bytes, spread) || spread > 1) return false;
  if (spread == 0) {
    const auto is_value = [](std::int64_t key, std::int64_t) {
      if constexpr (!kReal) return true;
      const auto value = std::bit_cast<double>(key);
      return std::isfinite(value) && !(value == 0 && std::signbit(value));
    };
    if (!read.counted_.read_bytes(bytes, is_value)) return false;
    *this = std::move(read);
    return true;
  }
  read.spread_ = std::make_unique<Spread>();
  Spread& all = *read.spread_;
  Moments moments;
  if (!exact::read_count(bytes, all.count) || !exact::read_count(bytes, all.zeros) ||
      !exact::read_count(bytes, all.negatives) || !all.distinct.read_bytes(bytes) ||
      !moments.read_bytes(bytes) || !all.even.read_bytes(bytes) || !all.binades.read_bytes(bytes))
    return false;
  if (!all.distinct.is_approximate() || moments.count() != all.count || all.even.is_empty())
    return false;
  all.least = all.even.least();
  all.greatest = all.even.greatest();
  if constexpr (kReal) {
    all.sum = moments.sum();
    all.squares = moments.squares();
  } else {
    all.integers = moments;
  }
  const OrderStatistics<Value> order(all.binades, all.even);
  if (order.count() != all.count || !order.agrees()) return false;
  *this = std::move(read);
  return true;
}

template class NumberProfile<double>;
template class NumberProfile<std::int64_t>;

}  // namespace coeval::quality
