#include "kernel/collection_cells.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string_view>
#include <utility>

#include "data/packed_list.h"
#include "exact/ratio.h"
#include "kernel/sum_cells.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

using define::Aggregation;

Cell dated_cell(const DatedValue& value, AnsweredTexts& texts) {
  if (!value.valid) return {};
  return value.string ? texts.cell(value.string) : Cell{value.bits, true};
}

Cell string_extreme_cell(const AggregatePlan& plan, const StringExtremes& extremes,
                         AnsweredTexts& texts) {
  if (extremes.count == 0) return {};
  switch (plan.kind) {
    case Aggregation::min:
      return texts.cell(extremes.least);
    case Aggregation::max:
      return texts.cell(extremes.greatest);
    case Aggregation::first:
      return texts.cell(extremes.first);
    default:
      return texts.cell(extremes.last);
  }
}

Cell mode_cell(const AggregatePlan& plan, const Collection& collection, AnsweredTexts& texts) {
  if (plan.measure.storage != Storage::string) {
    const auto mode = collection.get<exact::FrequentValues<std::int64_t>>().mode();
    return mode ? Cell{bits_of_key(mode->value, plan.measure.storage), true} : Cell{};
  }
  const auto& counts = collection.get<StringCounts>().counts;
  const auto mode = std::ranges::max_element(
      counts, {}, [](const auto& entry) { return entry.second; });  // the first, so the smallest
  return mode == counts.end() ? Cell{} : texts.cell(mode->first);
}

// A list of the values, or a text's bytes, that events had; NaN is the one NaN. (semantics: A6)
class ListOfValues {
 public:
  explicit ListOfValues(data::Type list) : element_(data::element_of(list)) {}
  void add(std::uint64_t bits) {
    if (data::is_float(element_))
      append(canonical_value(std::bit_cast<double>(bits)));
    else if (element_ == data::Type::boolean)
      append(bits != 0);
    else
      append(static_cast<std::int64_t>(bits));
  }
  void add(std::string_view text) { append(std::string(text)); }

  // Nothing was gathered where there are no elements. One that is too long is null, and counted.
  Cell cell(AnsweredTexts& texts, EvaluationCounts& counts) const {
    if (bytes_.empty()) return {};
    if (bytes_.size() <= kMaxResultBytes) return texts.cell_of_list(bytes_);
    ++counts.long_texts;
    return {};
  }

 private:
  void append(const data::Value& value) { data::append_element(bytes_, element_, value); }

  data::Type element_;
  std::string bytes_;
};

ListOfValues list_of(const AggregatePlan& plan, const NewestValues& newest) {
  ListOfValues list(plan.result);
  for (const DatedValue& value : newest.values)
    value.string ? list.add(value.string.text()) : list.add(value.bits);
  return list;
}

// By count descending; equal counts stay in the order of the values.
ListOfValues most_frequent(const AggregatePlan& plan, const Collection& collection) {
  ListOfValues list(plan.result);
  if (plan.measure.storage != Storage::string) {
    for (const auto& entry : collection.get<exact::FrequentValues<std::int64_t>>().top_k(plan.k))
      list.add(bits_of_key(entry.value, plan.measure.storage));
    return list;
  }
  std::vector<std::pair<std::string_view, std::int64_t>> counts;
  for (const auto& [string, count] : collection.get<StringCounts>().counts)
    counts.emplace_back(string.text(), count);
  std::ranges::stable_sort(counts, std::greater<>{},
                           [](const auto& entry) { return entry.second; });
  if (counts.size() > plan.k) counts.resize(plan.k);
  for (const auto& [text, count] : counts) list.add(text);
  return list;
}

Cell distinct_cell(const AggregatePlan& plan, const Collection& collection) {
  const std::int64_t count = plan.measure.storage == Storage::string
                                 ? collection.get<exact::DistinctCount<exact::Key128>>().count()
                                 : collection.get<exact::DistinctCount<std::int64_t>>().count();
  return count == 0 ? Cell{} : integer_cell(count);
}

Cell quantile_cell(const AggregatePlan& plan, const Collection& collection) {
  if (plan.measure.storage == Storage::real)
    return real_cell(collection.get<exact::QuantileSketch<double>>().quantile(plan.p));
  return real_cell(collection.get<exact::QuantileSketch<std::int64_t>>().quantile(
      plan.p, decimal_unit(plan.scale)));
}

Cell exact_or_sketched(const AggregatePlan& plan, const Collection& collection,
                       AnsweredTexts& texts, EvaluationCounts& counts) {
  switch (plan.kind) {
    case Aggregation::distinct:
      return distinct_cell(plan, collection);
    case Aggregation::quantile:
      return quantile_cell(plan, collection);
    case Aggregation::mode:
      return mode_cell(plan, collection, texts);
    case Aggregation::last_k:
      return list_of(plan, collection.get<NewestValues>()).cell(texts, counts);
    case Aggregation::top_k:
      return most_frequent(plan, collection).cell(texts, counts);
    case Aggregation::decayed_sum:
      return real_cell(collection.get<exact::DecayedSum>().sum());
    case Aggregation::decayed_mean:
      return real_cell(collection.get<exact::DecayedSum>().mean());
    case Aggregation::lag:
    case Aggregation::latest: {
      // A lag keeps k + 1 values.
      const auto& newest = collection.get<NewestValues>().values;
      return newest.size() == collection.plan().keep ? dated_cell(newest.back(), texts) : Cell{};
    }
    default:
      return string_extreme_cell(plan, collection.get<StringExtremes>(), texts);
  }
}

}  // namespace

// Each is its size, and then its bytes, from a multiple of four bytes on.
std::uint64_t ListArena::put(std::string_view bytes) {
  const std::size_t size = (sizeof(std::uint32_t) + bytes.size() + 3) / 4 * 4;
  if (used_ + size > kBlock || blocks_.empty()) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(std::max(size, kBlock)));
    used_ = 0;
  }
  char* place = blocks_.back().get() + used_;
  used_ += size;
  const auto length = static_cast<std::uint32_t>(bytes.size());
  std::memcpy(place, &length, sizeof(length));
  std::memcpy(place + sizeof(length), bytes.data(), bytes.size());
  return reinterpret_cast<std::uint64_t>(place);
}

std::string_view ListArena::list_of_bits(std::uint64_t bits) {
  const auto* place = reinterpret_cast<const char*>(bits);
  std::uint32_t length = 0;
  std::memcpy(&length, place, sizeof(length));
  return {place + sizeof(length), length};
}

Cell AnsweredTexts::cell(const StringRef& string) {
  InternedString* held = string.get();
  if (!held->answered) answered_.push_back(string);
  held->answered = true;
  return {bits_of_string(held), true};
}

void AnsweredTexts::release() {
  for (const StringRef& string : answered_) string.get()->answered = false;
  answered_.clear();
}

Cell ordered_cell(const AggregatePlan& plan, const Extremes& extremes, std::int64_t at_us) {
  if (!extremes.any) return {};
  const auto seconds_since = [at_us](std::int64_t time_us) {
    return real_cell(exact::ratio(exact::Int128{at_us} - time_us, exact::Int128{kSecondUs}));
  };
  switch (plan.kind) {
    case Aggregation::min:
      return {bits_of_key(extremes.least, plan.measure.storage), true};
    case Aggregation::max:
      return {bits_of_key(extremes.greatest, plan.measure.storage), true};
    case Aggregation::first:
      return {extremes.first, true};
    case Aggregation::since_first:
      return seconds_since(extremes.first_time);
    case Aggregation::since_last:
      return seconds_since(extremes.last_time);
    default:
      return {extremes.last, true};
  }
}

Cell collection_cell(const AggregatePlan& plan, const Collection& collection, AnsweredTexts& texts,
                     EvaluationCounts& counts) {
  Cell cell = exact_or_sketched(plan, collection, texts, counts);
  cell.approximate = collection.is_approximate();  // semantics: A4
  counts.approximate_answers += cell.approximate ? 1 : 0;
  return cell;
}

}  // namespace coeval::kernel
