#include "kernel/tally.h"

#include <algorithm>
#include <bit>

#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

std::int64_t key_of(std::uint64_t bits, Storage storage) {
  return storage == Storage::real ? order_key(std::bit_cast<double>(bits))
                                  : static_cast<std::int64_t>(bits);
}

bool take_u64(std::string_view& bytes, std::uint64_t& value) {
  data::ByteReader reader(bytes);
  if (!reader.u64(value)) return false;
  bytes.remove_prefix(8);
  return true;
}

bool take_i64(std::string_view& bytes, std::int64_t& value) {
  std::uint64_t bits = 0;
  if (!take_u64(bytes, bits)) return false;
  value = static_cast<std::int64_t>(bits);
  return true;
}

void append(std::string& out, const Extremes& extremes) {
  data::put_u8(out, extremes.any ? 1 : 0);
  if (!extremes.any) return;
  for (const std::int64_t v :
       {extremes.least, extremes.greatest, extremes.first_time, extremes.last_time})
    data::put_u64(out, static_cast<std::uint64_t>(v));
  data::put_u64(out, extremes.first);
  data::put_u64(out, extremes.last);
}

bool take(std::string_view& bytes, Extremes& extremes) {
  if (bytes.empty()) return false;
  const char any = bytes.front();
  bytes.remove_prefix(1);
  if (any != 0 && any != 1) return false;
  extremes.any = any == 1;
  if (!extremes.any) return true;
  return take_i64(bytes, extremes.least) && take_i64(bytes, extremes.greatest) &&
         take_i64(bytes, extremes.first_time) && take_i64(bytes, extremes.last_time) &&
         take_u64(bytes, extremes.first) && take_u64(bytes, extremes.last);
}

}  // namespace

Tally::Tally(const RecordLayout& layout)
    : linear(layout.linear()),
      wide(layout.summed_wide),
      reals(layout.summed_real),
      extremes(layout.ordered.size()),
      powers(layout.powers.begin(), layout.powers.end()) {}

void include(Extremes& extremes, const RecordLayout& layout, const Measure& measure,
             const std::byte* record) {
  if (!bit_of(record, measure.part_bit)) return;
  const std::uint64_t bits = value_bits(layout, measure, record);
  const std::int64_t time = event_time_of(record);
  const std::int64_t key = key_of(bits, measure.storage);
  if (!extremes.any) {
    extremes = {true, key, key, time, time, bits, bits};
    return;
  }
  extremes.least = std::min(extremes.least, key);
  extremes.greatest = std::max(extremes.greatest, key);
  if (time < extremes.first_time) {
    extremes.first_time = time;
    extremes.first = bits;
  }
  if (time >= extremes.last_time) {
    extremes.last_time = time;
    extremes.last = bits;
  }
}

void clear(const RecordLayout& layout, TallyParts tally) {
  std::fill_n(tally.linear, layout.linear(), 0);
  std::fill_n(tally.wide, layout.summed_wide, 0);
  std::fill_n(tally.reals, layout.summed_real, exact::ExactSum());
  std::fill_n(tally.extremes, layout.ordered.size(), Extremes{});
  for (std::size_t i = 0; i < layout.powers.size(); ++i)
    tally.powers[i] = PowerSum(layout.powers[i]);
}

void add(const RecordLayout& layout, TallyParts tally, const std::byte* record) {
  count_record(layout, tally.linear, record, 1);
  for (std::size_t i = 0; i < layout.summed_wide; ++i)
    tally.wide[i] += load<std::int64_t>(record + layout.wide_at + 8 * i);
  for (std::size_t i = 0; i < layout.summed_real; ++i)
    tally.reals[i].add(load<double>(record + layout.real_at + 8 * i));
  add_extremes(layout, tally.extremes, record);
  for (std::size_t i = 0; i < layout.powers.size(); ++i)
    tally.powers[i].change(layout, layout.powers[i], record, 1);
}

void add_extremes(const RecordLayout& layout, Extremes* extremes, const std::byte* record) {
  for (std::size_t i = 0; i < layout.ordered.size(); ++i)
    include(extremes[i], layout, layout.ordered[i], record);
}

void merge(const RecordLayout& layout, TallyParts into, TallyParts later) {
  for (std::size_t i = 0; i < layout.linear(); ++i) into.linear[i] += later.linear[i];
  for (std::size_t i = 0; i < layout.summed_wide; ++i) into.wide[i] += later.wide[i];
  for (std::size_t i = 0; i < layout.summed_real; ++i) into.reals[i].merge(later.reals[i]);
  merge_extremes(layout, into.extremes, later.extremes);
  for (std::size_t i = 0; i < layout.powers.size(); ++i) into.powers[i].combine(later.powers[i], 1);
}

void merge_extremes(const RecordLayout& layout, Extremes* into, const Extremes* later) {
  for (std::size_t i = 0; i < layout.ordered.size(); ++i) merge(into[i], later[i]);
}

TallyTable::TallyTable(const RecordLayout& layout, std::size_t count)
    : linear_each_(layout.linear()),
      wide_each_(layout.summed_wide),
      reals_each_(layout.summed_real),
      extremes_each_(layout.ordered.size()),
      powers_each_(layout.powers.size()),
      linear_(count * linear_each_),
      wide_(count * wide_each_),
      reals_(count * reals_each_),
      extremes_(count * extremes_each_),
      powers_(count * powers_each_) {}

void Tally::append_bytes(std::string& out) const {
  for (const std::int64_t v : linear) data::put_u64(out, static_cast<std::uint64_t>(v));
  for (const exact::Int128 v : wide) {
    data::put_u64(out, static_cast<std::uint64_t>(v));
    data::put_u64(out, static_cast<std::uint64_t>(v >> 64));
  }
  for (const auto& sum : reals) sum.append_bytes(out);
  for (const auto& value : extremes) append(out, value);
  for (const auto& sum : powers) sum.append_bytes(out);
}

bool Tally::read_bytes(std::string_view& bytes) {
  for (auto& v : linear)
    if (!take_i64(bytes, v)) return false;
  for (auto& v : wide) {
    std::uint64_t low = 0, high = 0;
    if (!take_u64(bytes, low) || !take_u64(bytes, high)) return false;
    __extension__ using Unsigned = unsigned __int128;
    v = static_cast<exact::Int128>(Unsigned{high} << 64 | low);
  }
  for (auto& sum : reals)
    if (!sum.read_bytes(bytes)) return false;
  for (auto& value : extremes)
    if (!take(bytes, value)) return false;
  for (auto& sum : powers)
    if (!sum.read_bytes(bytes)) return false;
  return true;
}

void merge(Extremes& into, const Extremes& later) {
  if (!later.any) return;
  if (!into.any) {
    into = later;
    return;
  }
  into.least = std::min(into.least, later.least);
  into.greatest = std::max(into.greatest, later.greatest);
  if (later.first_time < into.first_time) {
    into.first_time = later.first_time;
    into.first = later.first;
  }
  if (later.last_time >= into.last_time) {
    into.last_time = later.last_time;
    into.last = later.last;
  }
}

std::uint64_t bits_of_key(std::int64_t key, Storage storage) {
  if (storage != Storage::real) return static_cast<std::uint64_t>(key);
  return std::bit_cast<std::uint64_t>(number_of_order_key(key));
}

}  // namespace coeval::kernel
