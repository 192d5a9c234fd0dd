#include "kernel/sum_words.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace coeval::kernel {

namespace {

using exact::Int128;
__extension__ using Unsigned128 = unsigned __int128;

constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

std::uint64_t magnitude(std::int64_t value) {
  return value < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(value)
                   : static_cast<std::uint64_t>(value);
}

// Words for sums of `rows` terms below 2^bits, and their sign.
std::uint32_t words_for(int bits, std::int64_t rows) {
  const int all = bits + static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rows))) + 1;
  return static_cast<std::uint32_t>((all + 63) / 64);
}

void add_integer(std::uint64_t* to, std::uint32_t size, Int128 value) {
  if (size == 1) {
    to[0] += static_cast<std::uint64_t>(value);
    return;
  }
  std::uint64_t carry = 0;
  for (std::uint32_t i = 0; i < size; ++i) {
    const Unsigned128 sum = Unsigned128{to[i]} + static_cast<std::uint64_t>(value) + carry;
    to[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64);
    value >>= 64;
  }
}

// Adds magnitude · 2^position, or takes it away.
void add_placed(std::uint64_t* to, const SumLane& lane, Unsigned128 magnitude, int position,
                bool negative) {
  const auto limb = static_cast<std::size_t>(position / 64) - lane.first_limb;
  const int shift = position % 64;
  const auto low = static_cast<std::uint64_t>(magnitude);
  const auto high = static_cast<std::uint64_t>(magnitude >> 64);
  const std::array<std::uint64_t, 3> term = {
      low << shift, shift == 0 ? high : high << shift | low >> (64 - shift),
      shift == 0 ? 0 : high >> (64 - shift)};
  std::uint64_t carry = 0;
  for (std::size_t i = limb; i < lane.size; ++i) {
    const std::uint64_t mine = i - limb < term.size() ? term[i - limb] : 0;
    if (i - limb >= term.size() && carry == 0) return;
    const Unsigned128 sum =
        negative ? Unsigned128{to[i]} - mine - carry : Unsigned128{to[i]} + mine + carry;
    to[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64) & 1;
  }
}

// A finite float64 as an integer of 2^-1074: ±significand · 2^position.
struct Placed {
  std::uint64_t significand;
  int position;
  bool negative;
};
Placed placed(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int field = static_cast<int>(bits >> 52 & 0x7FF);
  std::uint64_t significand = bits & ((std::uint64_t{1} << 52) - 1);
  if (field != 0) significand |= std::uint64_t{1} << 52;
  return {significand, field == 0 ? 0 : field - 1, bits >> 63 != 0};
}

}  // namespace

// The values of one measure that there are.
struct SumWords::Range {
  std::uint64_t largest = 0;       // magnitude of integers
  int first = INT32_MAX, end = 0;  // places of bits that are set in finite reals
  bool any_special = false;

  void include(std::int64_t x) { largest = std::max(largest, magnitude(x)); }
  void include(double x) {
    if (!std::isfinite(x)) {
      any_special = true;
      return;
    }
    const Placed p = placed(x);
    if (p.significand == 0) return;
    first = std::min(first, p.position + std::countr_zero(p.significand));
    end = std::max(end, p.position + static_cast<int>(std::bit_width(p.significand)));
  }
  void include(const Range& other) {
    largest = std::max(largest, other.largest);
    first = std::min(first, other.first);
    end = std::max(end, other.end);
    any_special = any_special || other.any_special;
  }
  bool any_real() const { return end > 0; }
};

class SumWords::Builder {
 public:
  Builder(SumWords& words, const EventBlock::PerView& records, std::int64_t rows,
          const RunParts& run)
      : words_(words), layout_(*words.layout_), records_(records), rows_(rows), run_(run) {}

  bool build() {
    place_counters();
    find_times();
    for (const AggregatePlan& plan : layout_.aggregates) {
      if (plan.power >= 0 || plan.collection >= 0 || plan.ordered >= 0) continue;
      add_sum(plan.measure);
      add_sum(plan.divisor);
    }
    for (const PowerPlan& plan : layout_.powers) add_power(plan);
    words_.continues_.resize(words_.width_);
    for (const Term& term : words_.all_) sort_in(term);
    return !too_long_ && words_.width_ <= std::min(kMostWords, layout_.stride / 2 + 12);
  }

 private:
  // Looks at all records, each range of them with a copy of `found` of its own.
  template <class Found, class Visit>
  std::vector<Found> find_in_records(const Found& found, Visit visit) const {
    const RowRanges ranges(rows_);
    std::vector<Found> all(ranges.count(), found);
    run_(ranges.count(), [&](std::size_t range) {
      Found mine = found;
      for (std::int64_t row = ranges.begin(range); row < ranges.begin(range + 1); ++row)
        visit(mine, records_.record(row));
      all[range] = std::move(mine);
    });
    return all;
  }

  // Counters share words in pairs: there are fewer than 2^32 events.
  void place_counters() {
    words_.counters_.resize(layout_.bit_count);
    if (layout_.bit_count == 1) return;  // that of every event
    using Flags = std::vector<std::uint32_t>;
    Flags in_all(layout_.words(), UINT32_MAX);
    const auto found = find_in_records(in_all, [](Flags& mine, const std::byte* record) {
      for (std::size_t word = 0; word < mine.size(); ++word)
        mine[word] &= load<std::uint32_t>(record + kFlagsAt + 4 * word);
    });
    for (const Flags& mine : found)
      for (std::size_t word = 0; word < mine.size(); ++word) in_all[word] &= mine[word];
    for (std::size_t bit = 1; bit < layout_.bit_count; ++bit) {
      if ((in_all[bit / 32] >> bit % 32 & 1) != 0) continue;
      const std::size_t i = words_.counted_.size();
      const CounterPlace place{static_cast<std::uint32_t>(i / 2),
                               static_cast<std::uint32_t>(i % 2 * 32)};
      words_.counters_[bit] = place;
      words_.counted_.emplace_back(static_cast<int>(bit), place);
    }
    words_.width_ = (words_.counted_.size() + 1) / 2;
  }

  void find_times() {
    if (layout_.powers.empty() || rows_ == 0) return;
    struct Times {
      std::int64_t first = INT64_MAX, last = INT64_MIN;
    };
    std::int64_t first = INT64_MAX, last = INT64_MIN;
    for (const Times& mine : find_in_records(Times(), [](Times& times, const std::byte* record) {
           times.first = std::min(times.first, event_time_of(record));
           times.last = std::max(times.last, event_time_of(record));
         })) {
      first = std::min(first, mine.first);
      last = std::max(last, mine.last);
    }
    std::int64_t length = 0;
    const bool fits = !__builtin_sub_overflow(last, first, &length);
    words_.origin_us_ = fits ? first : 0;
    longest_ =
        fits ? static_cast<std::uint64_t>(length) : std::max(magnitude(first), magnitude(last));
  }

  const Range& range_of(const Measure& measure) {
    for (const auto& [known, range] : ranges_)
      if (known == measure) return range;
    Range range;
    for (const Range& mine : find_in_records(Range(), [&](Range& found, const std::byte* record) {
           const std::uint64_t bits = words_.value(measure, record);
           if (measure.storage == Storage::real)
             found.include(std::bit_cast<double>(bits));
           else
             found.include(static_cast<std::int64_t>(bits));
         }))
      range.include(mine);
    return ranges_.emplace_back(measure, range).second;
  }

  void put(Term::Kind kind, const Measure& measure, std::uint32_t size,
           std::size_t first_limb = 0) {
    if (words_.find(kind, measure) != nullptr) return;
    too_long_ = too_long_ || size > kMostLaneWords;
    words_.all_.push_back(
        {kind, measure, {static_cast<std::uint32_t>(words_.width_), size, first_limb}});
    words_.width_ += size;
  }

  // Terms of reals whose bits are at places [first, end).
  void put_placed(Term::Kind kind, const Measure& measure, int first, int end) {
    const int limb = first / 64;
    put(kind, measure, words_for(end - 64 * limb, rows_), static_cast<std::size_t>(limb));
  }

  void add_sum(const Measure& measure) {
    if (measure.storage == Storage::none || measure.storage == Storage::string) return;
    const Range range = range_of(measure);
    if (measure.storage != Storage::real) {
      if (measure.storage != Storage::bit)
        put(Term::Kind::integer, measure,
            words_for(static_cast<int>(std::bit_width(range.largest)), rows_));
      return;
    }
    if (range.any_real()) put_placed(Term::Kind::real, measure, range.first, range.end);
    if (range.any_special) put(Term::Kind::special, measure, 2);
  }

  void add_power(const PowerPlan& plan) {
    const Measure& measure = plan.measure;
    add_sum(measure);
    const Range range = range_of(measure);
    const bool real = measure.storage == Storage::real;
    const int value_bits = static_cast<int>(std::bit_width(range.largest));
    if (plan.against_time) {
      Measure times;
      times.part_bit = measure.part_bit;
      const int time_bits = static_cast<int>(std::bit_width(longest_));
      put(Term::Kind::time, times, words_for(time_bits, rows_));
      put(Term::Kind::time_square, times, words_for(2 * time_bits, rows_));
      if (!real)
        put(Term::Kind::integer_product, measure, words_for(time_bits + value_bits, rows_));
      else if (range.any_real())
        put_placed(Term::Kind::real_product, measure, range.first, range.end + time_bits);
    } else if (!real) {
      put(Term::Kind::integer_square, measure, words_for(2 * value_bits, rows_));
    } else if (range.any_real()) {
      put_placed(Term::Kind::real_square, measure, 2 * range.first, 2 * range.end);
    }
  }

  // The most common terms go by lists of their own.
  void sort_in(const Term& term) {
    const auto slot = static_cast<std::size_t>(term.measure.slot);
    for (std::uint32_t i = 1; i < term.lane.size && term.kind != Term::Kind::special; ++i)
      words_.continues_[term.lane.word + i] = words_.any_long_ = true;
    const bool short_integer = term.kind == Term::Kind::integer && term.lane.size == 1;
    if (short_integer && term.measure.storage == Storage::narrow)
      words_.narrow_.emplace_back(layout_.narrow_at + 4 * slot, term.lane);
    else if (short_integer && term.measure.storage == Storage::wide)
      words_.wide_.emplace_back(layout_.wide_at + 8 * slot, term.lane);
    else
      words_.terms_.push_back(term);
  }

  SumWords& words_;
  const RecordLayout& layout_;
  const EventBlock::PerView& records_;
  const std::int64_t rows_;
  const RunParts& run_;
  std::vector<std::pair<Measure, Range>> ranges_;
  std::uint64_t longest_ = 0;  // the largest time since origin_us_
  bool too_long_ = false;
};

std::optional<SumWords> SumWords::create(const RecordLayout& layout,
                                         const EventBlock::PerView& records, std::int64_t rows,
                                         const RunParts& run) {
  SumWords words;
  words.layout_ = &layout;
  if (!Builder(words, records, rows, run).build()) return std::nullopt;
  return words;
}

// Where nothing takes part the value is 0, so that lanes of values need not ask.
const SumWords::Term* SumWords::find(Term::Kind kind, const Measure& measure) const {
  const bool of_times = kind == Term::Kind::time || kind == Term::Kind::time_square;
  const auto same = [&](const Term& term) {
    if (term.kind != kind) return false;
    if (of_times) return term.measure.part_bit == measure.part_bit;
    return term.measure.storage == measure.storage && term.measure.slot == measure.slot;
  };
  const auto found = std::ranges::find_if(all_, same);
  return found == all_.end() ? nullptr : &*found;
}

const SumLane& SumWords::lane(Term::Kind kind, const Measure& measure) const {
  const Term* term = find(kind, measure);
  COEVAL_CHECK(term != nullptr);
  return term->lane;
}

SumLane SumWords::integer_lane(const Measure& measure) const {
  return lane(Term::Kind::integer, measure);
}

void SumWords::add_term(const Term& term, const std::byte* record, std::uint64_t* row) const {
  std::uint64_t* to = row + term.lane.word;
  const std::uint32_t size = term.lane.size;
  if (!bit_of(record, term.measure.part_bit)) return;
  const std::int64_t time = event_time_of(record) - origin_us_;
  const std::uint64_t bits = value(term.measure, record);
  const auto integer = static_cast<std::int64_t>(bits);
  switch (term.kind) {
    case Term::Kind::integer:
      return add_integer(to, size, integer);
    case Term::Kind::integer_square:
      return add_integer(to, size, Int128{integer} * integer);
    case Term::Kind::time:
      return add_integer(to, size, time);
    case Term::Kind::time_square:
      return add_integer(to, size, Int128{time} * time);
    case Term::Kind::integer_product:
      return add_integer(to, size, Int128{time} * integer);
    default:
      break;
  }
  const auto real = std::bit_cast<double>(bits);
  if (term.kind == Term::Kind::special) {
    if (std::isfinite(real)) return;
    if (real == real && real < 0)
      ++to[1];
    else
      to[0] += std::uint64_t{1} << (real == real ? 32 : 0);
    return;
  }
  if (!std::isfinite(real) || real == 0) return;
  const Placed p = placed(real);
  // In whole bits, so that the lowest lies in the lane.
  const int zeros = std::countr_zero(p.significand);
  const std::uint64_t odd = p.significand >> zeros;
  const int position = p.position + zeros;
  switch (term.kind) {
    case Term::Kind::real:
      return add_placed(to, term.lane, odd, position, p.negative);
    case Term::Kind::real_square:
      return add_placed(to, term.lane, Unsigned128{odd} * odd, 2 * position, false);
    default:
      return add_placed(to, term.lane, Unsigned128{odd} * magnitude(time), position,
                        p.negative != (time < 0));
  }
}

void SumWords::move_long(std::uint64_t* row, const std::uint64_t* a, const std::uint64_t* b) const {
  std::uint64_t borrow = 0, carry = 0;
  for (std::size_t i = 0; i < width_; ++i) {
    if (!continues_[i]) borrow = carry = 0;
    const Unsigned128 rest = Unsigned128{a[i]} - b[i] - borrow;
    borrow = static_cast<std::uint64_t>(rest >> 64) & 1;
    const Unsigned128 sum = Unsigned128{row[i]} + static_cast<std::uint64_t>(rest) + carry;
    row[i] = static_cast<std::uint64_t>(sum);
    carry = static_cast<std::uint64_t>(sum >> 64);
  }
}

std::int64_t SumDifference::count_of(int bit) const {
  const CounterPlace place = words_.counter(static_cast<std::size_t>(bit));
  if (place.is_every_event()) return count_;
  return place.of(now_[place.word] - then_[place.word]);
}

SumDifference::Limbs SumDifference::limbs_of(const SumLane& lane) const {
  Limbs out;
  out.size = lane.size;
  std::uint64_t borrow = 0;
  for (std::uint32_t i = 0; i < lane.size; ++i) {
    const Unsigned128 rest = Unsigned128{now_[lane.word + i]} - then_[lane.word + i] - borrow;
    out.limbs[i] = static_cast<std::uint64_t>(rest);
    borrow = static_cast<std::uint64_t>(rest >> 64) & 1;
  }
  return out;
}

exact::Int128 SumDifference::integer_of(const SumLane& lane) const {
  const auto first = static_cast<std::int64_t>(now_[lane.word] - then_[lane.word]);
  if (lane.size == 1) return first;
  const Limbs all = limbs_of(lane);
  return static_cast<Int128>(Unsigned128{all.limbs[1]} << 64 | all.limbs[0]);
}

exact::Int192 SumDifference::long_integer_of(const SumLane& lane) const {
  const Limbs all = limbs_of(lane);
  exact::Int192 out;
  const std::uint64_t sign = all.limbs[all.size - 1] >> 63 != 0 ? kAllOnes : 0;
  for (std::size_t i = 0; i < out.limbs.size(); ++i)
    out.limbs[i] = i < all.size ? all.limbs[i] : sign;
  return out;
}

std::int64_t SumDifference::linear(std::size_t i) const {
  const RecordLayout& layout = *words_.layout_;
  if (i < layout.bit_count) return count_of(static_cast<int>(i));
  Measure measure;
  measure.storage = Storage::narrow;
  measure.slot = static_cast<int>(i - layout.bit_count);
  const SumLane& lane = words_.lane(SumWords::Term::Kind::integer, measure);
  return static_cast<std::int64_t>(now_[lane.word] - then_[lane.word]);
}

exact::Int128 SumDifference::wide(std::size_t i) const {
  Measure measure;
  measure.storage = Storage::wide;
  measure.slot = static_cast<int>(i);
  return integer_of(words_.lane(SumWords::Term::Kind::integer, measure));
}

exact::ExactSum SumDifference::real(std::size_t i) const {
  Measure measure;
  measure.storage = Storage::real;
  measure.slot = static_cast<int>(i);
  return real_of(measure);
}

exact::ExactSum SumDifference::real_of(const Measure& measure) const {
  std::int64_t nans = 0, plus = 0, minus = 0;
  if (const auto* term = words_.find(SumWords::Term::Kind::special, measure)) {
    const std::uint64_t pair = now_[term->lane.word] - then_[term->lane.word];
    nans = static_cast<std::int64_t>(pair & UINT32_MAX);
    plus = static_cast<std::int64_t>(pair >> 32);
    minus = static_cast<std::int64_t>(now_[term->lane.word + 1] - then_[term->lane.word + 1]);
  }
  static constexpr std::array<std::uint64_t, 1> kZero = {0};
  const auto* term = words_.find(SumWords::Term::Kind::real, measure);
  if (term == nullptr) return exact::ExactSum::of_limbs(kZero, 16, nans, plus, minus);
  const Limbs all = limbs_of(term->lane);
  return exact::ExactSum::of_limbs(all.span(), term->lane.first_limb, nans, plus, minus);
}

exact::IntegerMoments SumDifference::times_of(const Measure& measure) const {
  return {count_of(measure.part_bit), integer_of(words_.lane(SumWords::Term::Kind::time, measure)),
          long_integer_of(words_.lane(SumWords::Term::Kind::time_square, measure))};
}

PowerSum SumDifference::power(std::size_t i) const {
  using Kind = SumWords::Term::Kind;
  const PowerPlan& plan = words_.layout_->powers[i];
  const Measure& measure = plan.measure;
  const auto placed_sum = [&](Kind kind) {
    const auto* term = words_.find(kind, measure);
    return term == nullptr
               ? exact::LongSum()
               : exact::LongSum::of_limbs(limbs_of(term->lane).span(), term->lane.first_limb);
  };
  if (measure.storage == Storage::real) {
    if (plan.against_time)
      return PowerSum(
          exact::SlopeMoments(times_of(measure), real_of(measure), placed_sum(Kind::real_product)));
    return PowerSum(exact::Moments(count_of(measure.part_bit), real_of(measure),
                                   exact::SquareSum(placed_sum(Kind::real_square))));
  }
  const exact::Int128 sum = measure.storage == Storage::bit
                                ? exact::Int128{count_of(measure.slot)}
                                : integer_of(words_.lane(Kind::integer, measure));
  if (plan.against_time)
    return PowerSum(exact::IntegerSlopeMoments(
        times_of(measure), sum, long_integer_of(words_.lane(Kind::integer_product, measure))));
  return PowerSum(
      exact::IntegerMoments(count_of(measure.part_bit), sum,
                            long_integer_of(words_.lane(Kind::integer_square, measure))));
}

}  // namespace coeval::kernel
