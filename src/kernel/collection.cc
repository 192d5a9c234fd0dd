#include "kernel/collection.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <iterator>
#include <type_traits>

#include "data/row_codec.h"
#include "kernel/saturate.h"
#include "kernel/total_order.h"
#include "kernel/varint.h"

namespace coeval::kernel {

namespace {

using Gather = CollectionPlan::Gather;
using Distinct = exact::DistinctCount<std::int64_t>;
using DistinctStrings = exact::DistinctCount<exact::Key128>;
using RealQuantiles = exact::QuantileSketch<double>;
using IntegerQuantiles = exact::QuantileSketch<std::int64_t>;
using Frequent = exact::FrequentValues<std::int64_t>;

// An event as a collection sees it.
struct Seen {
  std::int64_t time_us, age_us;
  bool valid;
  std::uint64_t bits;
  Storage storage;

  double real() const { return std::bit_cast<double>(bits); }
  std::int64_t integer() const { return static_cast<std::int64_t>(bits); }
  InternedString* string() const { return string_of_bits(bits); }
  // In the order of the values.
  std::int64_t key() const { return value_key(bits, storage == Storage::real); }
  DatedValue dated() const {
    if (!valid) return {time_us, false, 0, {}};
    if (storage == Storage::string) return {time_us, true, 0, StringRef(string())};
    return {time_us, true, bits, {}};
  }
};

void add_to(Distinct& state, const Seen& seen, const CollectionPlan&) { state.add(seen.key()); }
void add_to(DistinctStrings& state, const Seen& seen, const CollectionPlan&) {
  state.add(seen.string()->key());
}
void add_to(RealQuantiles& state, const Seen& seen, const CollectionPlan&) {
  state.add(seen.real());
}
void add_to(IntegerQuantiles& state, const Seen& seen, const CollectionPlan&) {
  state.add(seen.integer());
}
void add_to(Frequent& state, const Seen& seen, const CollectionPlan&) { state.add(seen.key()); }
void add_to(StringCounts& state, const Seen& seen, const CollectionPlan&) {
  state.add(StringRef(seen.string()), 1);
}
void add_to(exact::DecayedSum& state, const Seen& seen, const CollectionPlan&) {
  if (seen.storage == Storage::real)
    state.add(seen.age_us, seen.real());
  else
    state.add(seen.age_us, seen.integer());
}

// The newest go to the front; one of equal time is of a later position than those that are there.
void add_to(NewestValues& state, const Seen& seen, const CollectionPlan& plan) {
  auto& values = state.values;
  const auto place = std::ranges::find_if(
      values, [&](const DatedValue& value) { return value.time_us <= seen.time_us; });
  if (static_cast<std::size_t>(place - values.begin()) == plan.keep) return;
  values.insert(place, seen.dated());
  if (values.size() > plan.keep) values.pop_back();
}

void add_to(StringExtremes& state, const Seen& seen, const CollectionPlan&) {
  const StringRef string(seen.string());
  const bool first = state.count++ == 0;
  if (first || string.text() < state.least.text()) state.least = string;
  if (first || state.greatest.text() < string.text()) state.greatest = string;
  if (first || seen.time_us < state.first_time) {
    state.first_time = seen.time_us;
    state.first = string;
  }
  if (first || seen.time_us >= state.last_time) {
    state.last_time = seen.time_us;
    state.last = string;
  }
}

template <class Sketch>
void merge_into(Sketch& state, const Sketch& earlier, const CollectionPlan&) {
  state.merge(earlier);
}
void merge_into(exact::DecayedSum&, const exact::DecayedSum&, const CollectionPlan&) {}
void merge_into(StringCounts& state, const StringCounts& earlier, const CollectionPlan&) {
  if (earlier.over_cap) state.give_up();
  for (const auto& [string, count] : earlier.counts) state.add(string, count);
}

void merge_into(NewestValues& state, const NewestValues& earlier, const CollectionPlan& plan) {
  std::vector<DatedValue> all;
  std::ranges::merge(state.values, earlier.values, std::back_inserter(all), std::greater<>{},
                     &DatedValue::time_us, &DatedValue::time_us);
  if (all.size() > plan.keep) all.resize(plan.keep);
  state.values = std::move(all);
}

void merge_into(StringExtremes& state, const StringExtremes& earlier, const CollectionPlan&) {
  if (earlier.count == 0) return;
  const bool first = state.count == 0;
  state.count += earlier.count;
  if (first || earlier.least.text() < state.least.text()) state.least = earlier.least;
  if (first || state.greatest.text() < earlier.greatest.text()) state.greatest = earlier.greatest;
  if (first || earlier.first_time <= state.first_time) {
    state.first_time = earlier.first_time;
    state.first = earlier.first;
  }
  if (first || earlier.last_time > state.last_time) {
    state.last_time = earlier.last_time;
    state.last = earlier.last;
  }
}

void put_string(std::string& out, const StringRef& string) { data::put_text(out, string.text()); }

bool take_string(std::string_view& bytes, StringTable& strings, StringRef& string) {
  data::ByteReader reader(bytes);
  std::string_view text;
  if (!reader.text(text)) return false;
  bytes.remove_prefix(bytes.size() - reader.remaining());
  string = StringRef::adopt(strings.take(text));
  return true;
}

template <class Sketch>
void append(std::string& out, const Sketch& state) {
  state.append_bytes(out);
}
void append(std::string&, const exact::DecayedSum&) {}
// Above the cap no strings are written, where there must be some.
void append(std::string& out, const StringCounts& state) {
  put_varint(out, state.counts.size());
  for (const auto& [string, count] : state.counts) {
    put_string(out, string);
    put_varint(out, static_cast<std::uint64_t>(count));
  }
}
void append(std::string& out, const NewestValues& state) {
  put_varint(out, state.values.size());
  for (const auto& value : state.values) {
    put_signed(out, value.time_us);
    data::put_u8(out, !value.valid ? 0 : value.string ? 2 : 1);
    if (value.string)
      put_string(out, value.string);
    else if (value.valid)
      data::put_u64(out, value.bits);
  }
}
void append(std::string& out, const StringExtremes& state) {
  put_varint(out, static_cast<std::uint64_t>(state.count));
  if (state.count == 0) return;
  put_signed(out, state.first_time);
  put_signed(out, state.last_time);
  for (const auto* string : {&state.least, &state.greatest, &state.first, &state.last})
    put_string(out, *string);
}

// What is read must be what `count` events can have brought.
struct Reader {
  std::string_view& bytes;
  std::int64_t count;
  StringTable& strings;
  const CollectionPlan& plan;

  template <class Key>
  bool read(exact::DistinctCount<Key>& state) {
    if (!state.read_bytes(bytes)) return false;
    if (state.is_approximate()) return count > static_cast<std::int64_t>(exact::kDefaultCap);
    return state.count() <= count && (count == 0 || state.count() > 0);
  }
  template <class Sketch>
  bool read(Sketch& state) {
    return state.read_bytes(bytes) && state.count() == count;
  }
  bool read(exact::DecayedSum&) { return true; }
  bool read(StringCounts& state);
  bool read(NewestValues& state);
  bool read(StringExtremes& state);
  bool read_value(DatedValue& value);
};

bool Reader::read(StringCounts& state) {
  std::uint64_t size = 0;
  if (!take_varint(bytes, size) || size > exact::kDefaultCap) return false;
  state.over_cap = size == 0 && count > static_cast<std::int64_t>(exact::kDefaultCap);
  if (state.over_cap) return true;
  std::int64_t total = 0;
  std::string before;
  for (std::uint64_t i = 0; i < size; ++i) {
    StringRef string;
    std::uint64_t times = 0;
    if (!take_string(bytes, strings, string) || !take_varint(bytes, times)) return false;
    if (i > 0 && string.text() <= before) return false;
    if (times == 0 || times > static_cast<std::uint64_t>(count - total)) return false;
    total += static_cast<std::int64_t>(times);
    before = string.text();
    state.counts.emplace(string, static_cast<std::int64_t>(times));
  }
  return total == count;
}

// Whether bits are a value of the measure's storage.
bool is_value(const Measure& measure, std::uint64_t bits) {
  const auto value = static_cast<std::int64_t>(bits);
  if (measure.storage == Storage::bit) return bits <= 1;
  return measure.storage != Storage::narrow || value == static_cast<std::int32_t>(value);
}

bool Reader::read_value(DatedValue& value) {
  if (!take_signed(bytes, value.time_us) || bytes.empty()) return false;
  const char form = bytes.front();
  bytes.remove_prefix(1);
  value.valid = form != 0;
  const bool is_string = plan.measure.storage == Storage::string;
  if (form == 2) return is_string && take_string(bytes, strings, value.string);
  if (form == 0) return plan.counted_bit != plan.measure.part_bit;
  data::ByteReader reader(bytes);
  if (form != 1 || is_string || !reader.u64(value.bits)) return false;
  bytes.remove_prefix(8);
  return is_value(plan.measure, value.bits);
}

bool Reader::read(NewestValues& state) {
  std::uint64_t size = 0;
  if (!take_varint(bytes, size)) return false;
  if (size != std::min<std::uint64_t>(plan.keep, static_cast<std::uint64_t>(count))) return false;
  for (std::uint64_t i = 0; i < size; ++i) {
    DatedValue value;
    if (!read_value(value)) return false;
    if (i > 0 && value.time_us > state.values.back().time_us) return false;
    state.values.push_back(std::move(value));
  }
  return true;
}

bool Reader::read(StringExtremes& state) {
  std::uint64_t events = 0;
  if (!take_varint(bytes, events) || events != static_cast<std::uint64_t>(count)) return false;
  state.count = count;
  if (count == 0) return true;
  if (!take_signed(bytes, state.first_time) || !take_signed(bytes, state.last_time)) return false;
  for (auto* string : {&state.least, &state.greatest, &state.first, &state.last})
    if (!take_string(bytes, strings, *string)) return false;
  const auto inside = [&](const StringRef& s) {
    return state.least.text() <= s.text() && s.text() <= state.greatest.text();
  };
  return state.first_time <= state.last_time && inside(state.first) && inside(state.last);
}

}  // namespace

Collection::Collection(const CollectionPlan& plan) : plan_(&plan) {
  const Storage storage = plan.measure.storage;
  switch (plan.gather) {
    case Gather::distinct:
      if (storage == Storage::string) state_.emplace<DistinctStrings>();
      return;
    case Gather::quantile:
      if (storage == Storage::real)
        state_.emplace<RealQuantiles>();
      else
        state_.emplace<IntegerQuantiles>();
      return;
    case Gather::mode:
      if (storage == Storage::string)
        state_.emplace<StringCounts>();
      else
        state_.emplace<Frequent>();
      return;
    case Gather::newest:
      state_.emplace<NewestValues>();
      return;
    case Gather::string_extremes:
      state_.emplace<StringExtremes>();
      return;
    case Gather::decayed:
      state_.emplace<exact::DecayedSum>(plan.half_life_us, plan.weighs);
  }
}

void StringCounts::add(StringRef string, std::int64_t times) {
  if (over_cap) return;
  counts[std::move(string)] += times;
  if (all_time && counts.size() > exact::kDefaultCap) give_up();
}

void StringCounts::give_up() {
  counts.clear();
  over_cap = true;
}

void Collection::extend_to_all_time(const Collection* folded) {
  if (auto* strings = std::get_if<StringCounts>(&state_)) {
    strings->all_time = true;
    if (strings->counts.size() > exact::kDefaultCap) strings->give_up();
  }
  if (folded != nullptr) merge(*folded);
}

void Collection::clear(bool all_time) {
  std::visit(
      [&]<class State>(State& state) {
        if constexpr (std::is_same_v<State, exact::DecayedSum>)
          state = exact::DecayedSum(plan_->half_life_us, plan_->weighs);
        else if constexpr (std::is_same_v<State, NewestValues>)
          state.values.clear();
        else if constexpr (std::is_same_v<State, StringCounts>)
          state = {{}, all_time, false};
        else if constexpr (std::is_same_v<State, StringExtremes>)
          state = {};
        else
          state.clear();
      },
      state_);
}

void Collection::add(const RecordLayout& layout, const std::byte* record, std::int64_t at_us) {
  if (!bit_of(record, plan_->counted_bit)) return;
  const std::int64_t time = event_time_of(record);
  const Seen seen{time, saturating_subtract(at_us, time), bit_of(record, plan_->measure.part_bit),
                  value_bits(layout, plan_->measure, record), plan_->measure.storage};
  std::visit([&](auto& state) { add_to(state, seen, *plan_); }, state_);
}

void Collection::add_value(std::int64_t time_us, bool valid, std::uint64_t bits,
                           std::int64_t at_us) {
  const Seen seen{time_us, saturating_subtract(at_us, time_us), valid, bits,
                  plan_->measure.storage};
  std::visit([&](auto& state) { add_to(state, seen, *plan_); }, state_);
}

bool Collection::add_older_value(std::int64_t time_us, bool valid, std::uint64_t bits) {
  auto& values = std::get<NewestValues>(state_).values;
  if (values.size() == plan_->keep) return false;
  values.push_back(Seen{time_us, 0, valid, bits, plan_->measure.storage}.dated());
  return true;
}

bool Collection::add_older(const RecordLayout& layout, const std::byte* record) {
  auto& values = std::get<NewestValues>(state_).values;
  if (values.size() == plan_->keep) return false;
  if (!bit_of(record, plan_->counted_bit)) return true;
  const Seen seen{event_time_of(record), 0, bit_of(record, plan_->measure.part_bit),
                  value_bits(layout, plan_->measure, record), plan_->measure.storage};
  values.push_back(seen.dated());
  return true;
}

void Collection::merge(const Collection& earlier) {
  std::visit([&]<class State>(
                 State& state) { merge_into(state, std::get<State>(earlier.state_), *plan_); },
             state_);
}

// Only strings have an order among events of equal event time.
void Collection::merge_later(const Collection& later) {
  auto* strings = std::get_if<StringExtremes>(&state_);
  if (strings == nullptr) return merge(later);
  StringExtremes all = std::get<StringExtremes>(later.state_);
  merge_into(all, *strings, *plan_);
  *strings = std::move(all);
}

std::size_t Collection::state_bytes() const {
  return std::visit(
      []<class State>(const State& state) -> std::size_t {
        constexpr std::size_t kPerString = 80;  // of a map
        if constexpr (std::is_same_v<State, NewestValues>)
          return state.values.size() * sizeof(DatedValue);
        else if constexpr (std::is_same_v<State, StringCounts>)
          return state.counts.size() * kPerString;
        else if constexpr (std::is_same_v<State, StringExtremes> ||
                           std::is_same_v<State, exact::DecayedSum>)
          return sizeof(State);
        else
          return state.state_bytes();
      },
      state_);
}

bool Collection::is_approximate() const {
  return std::visit(
      [](const auto& state) {
        if constexpr (requires { state.is_approximate(); })
          return state.is_approximate();
        else
          return false;
      },
      state_);
}

void Collection::append_bytes(std::string& out) const {
  std::visit([&](const auto& state) { append(out, state); }, state_);
}

bool Collection::read_bytes(std::string_view& bytes, std::int64_t count, StringTable& strings) {
  Reader reader{bytes, count, strings, *plan_};
  return std::visit([&](auto& state) { return reader.read(state); }, state_);
}

}  // namespace coeval::kernel
