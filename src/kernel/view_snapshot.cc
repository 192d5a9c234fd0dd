// The bytes of a view's state. (semantics: A5)
//
// A view: text of what it depends on (windows, lateness, record layout), last known time, count of
// events dropped as late, count of entities; then the entities in the order of their keys' bytes.
// An entity: its key; whether events were folded, their tally and collections; count of events; the
// events by (event time, position). An event: event time as a difference to the one before (from
// the smallest int64), known time as a signed difference to it, words of bits, narrow and wide
// values as signed varints, reals as 8 bytes, strings that take part by their contents; and where
// events can be taken back, its name, and for how long it counted if it was.
//
// Only what is retained at the last known time is written, whether or not it was evicted or folded
// already, so that equal histories give equal bytes.
#include <algorithm>
#include <numeric>

#include "data/packed_list.h"
#include "data/row_codec.h"
#include "kernel/varint.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

namespace {

void append_record(std::string& out, const RecordLayout& layout, const std::byte* record,
                   std::int64_t before) {
  const auto time = static_cast<std::uint64_t>(event_time_of(record));
  put_varint(out, time - static_cast<std::uint64_t>(before));
  put_signed(out,
             static_cast<std::int64_t>(static_cast<std::uint64_t>(known_time_of(record)) - time));
  for (std::size_t i = 0; i < layout.words(); ++i)
    put_varint(out, load<std::uint32_t>(record + kFlagsAt + 4 * i));
  for (std::size_t i = 0; i < layout.narrow_count; ++i)
    put_signed(out, load<std::int32_t>(record + layout.narrow_at + 4 * i));
  for (std::size_t i = 0; i < layout.wide.size(); ++i)
    put_signed(out, load<std::int64_t>(record + layout.wide_at + 8 * i));
  for (std::size_t i = 0; i < layout.real.size(); ++i)
    data::put_u64(out, load<std::uint64_t>(record + layout.real_at + 8 * i));
  for (std::size_t i = 0; i < layout.strings.size(); ++i)
    if (bit_of(record, layout.strings[i].part_bit))
      data::put_text(out,
                     string_of_bits(load<std::uint64_t>(record + layout.strings_at + 8 * i))->text);
}

// Of events that can be taken back: their name, and 0, or 1 more than for how long they counted.
void append_fate(std::string& out, const RecordLayout& layout, const std::byte* record,
                 std::optional<std::int64_t> until) {
  data::put_u64(out, load<std::uint64_t>(record + layout.name_at));
  data::put_u64(out, load<std::uint64_t>(record + layout.name_at + 8));
  put_varint(out, until ? 1 + static_cast<std::uint64_t>(*until) -
                              static_cast<std::uint64_t>(known_time_of(record))
                        : 0);
}

bool take_words(std::string_view& bytes, const RecordLayout& layout, std::byte* record) {
  for (std::size_t i = 0; i < layout.words(); ++i) {
    std::uint64_t word = 0;
    if (!take_varint(bytes, word)) return false;
    const std::size_t bits = std::min<std::size_t>(32, layout.bit_count - 32 * i);
    if (word >> bits != 0) return false;
    store(record + kFlagsAt + 4 * i, static_cast<std::uint32_t>(word));
  }
  return bit_of(record, 0);
}

bool take_values(std::string_view& bytes, const RecordLayout& layout, std::byte* record) {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < layout.narrow_count; ++i) {
    if (!take_signed(bytes, value) || value != static_cast<std::int32_t>(value)) return false;
    store(record + layout.narrow_at + 4 * i, static_cast<std::int32_t>(value));
  }
  for (std::size_t i = 0; i < layout.wide.size(); ++i) {
    if (!take_signed(bytes, value)) return false;
    store(record + layout.wide_at + 8 * i, value);
  }
  for (std::size_t i = 0; i < layout.real.size(); ++i) {
    data::ByteReader reader(bytes);
    std::uint64_t bits = 0;
    if (!reader.u64(bits)) return false;
    bytes.remove_prefix(8);
    store(record + layout.real_at + 8 * i, bits);
  }
  return true;
}

bool take_text(std::string_view& bytes, std::string_view& text) {
  data::ByteReader reader(bytes);
  if (!reader.text(text)) return false;
  bytes.remove_prefix(bytes.size() - reader.remaining());
  return true;
}

// Each string gets a use, which is the record's.
bool take_strings(std::string_view& bytes, const RecordLayout& layout, StringTable& strings,
                  std::byte* record) {
  for (std::size_t i = 0; i < layout.strings.size(); ++i) {
    std::uint64_t bits = 0;
    if (bit_of(record, layout.strings[i].part_bit)) {
      std::string_view text;
      if (!take_text(bytes, text)) return false;
      const data::Type type = layout.strings[i].argument->type;
      if (data::is_list(type) && !data::is_packed_list(text, type)) return false;
      bits = bits_of_string(strings.take(text));
    }
    store(record + layout.strings_at + 8 * i, bits);
  }
  return true;
}

bool take_record(std::string_view& bytes, const RecordLayout& layout, StringTable& strings,
                 std::int64_t before, std::byte* record) {
  std::uint64_t step = 0;
  std::int64_t lag = 0;
  if (!take_varint(bytes, step) || !take_signed(bytes, lag)) return false;
  const std::uint64_t room =
      static_cast<std::uint64_t>(INT64_MAX) - static_cast<std::uint64_t>(before);
  if (step > room) return false;
  const std::uint64_t time = static_cast<std::uint64_t>(before) + step;
  store(record, time);
  store(record + 8, time + static_cast<std::uint64_t>(lag));
  return take_words(bytes, layout, record) && take_values(bytes, layout, record) &&
         take_strings(bytes, layout, strings, record);
}

bool take_u64(std::string_view& bytes, std::uint64_t& value) {
  data::ByteReader reader(bytes);
  if (!reader.u64(value)) return false;
  bytes.remove_prefix(8);
  return true;
}

bool take_fate(std::string_view& bytes, const RecordLayout& layout, std::byte* record,
               std::optional<std::int64_t>& until) {
  std::uint64_t high = 0, low = 0, counted = 0;
  if (!take_u64(bytes, high) || !take_u64(bytes, low) || !take_varint(bytes, counted)) return false;
  store(record + layout.name_at, high);
  store(record + layout.name_at + 8, low);
  const std::int64_t known = known_time_of(record);
  if (counted > 0) until = saturating_add(known, static_cast<std::int64_t>(counted - 1));
  return counted == 0 || (*until >= known && *until != INT64_MAX);
}

}  // namespace

bool ViewState::append_entity(std::string& out, std::int32_t number) const {
  const std::size_t before = out.size();
  data::put_text(out, keys_.key(number));
  if (append_unit(out, number, last_known_)) return true;
  out.resize(before);
  return false;
}

bool ViewState::append_unit(std::string& out, std::int32_t number, std::int64_t last_known) const {
  const Entity& e = entity(number);
  FoldedEvents base(layout_);
  bool folded = e.base != nullptr;
  if (folded) base = *e.base;
  std::string records;
  std::uint64_t count = 0;
  std::int64_t before = INT64_MIN;
  if (layout_.replaceable)
    for (const auto& [event, until] : held_events(number)) {
      const std::byte* record = event.data();
      if (is_expired(record, last_known) || is_settled(until, last_known)) continue;
      append_record(records, layout_, record, before);
      append_fate(records, layout_, record,
                  until == kNotTakenBack ? std::nullopt : std::optional(until));
      before = event_time_of(record);
      ++count;
    }
  std::vector<std::byte> unpacked(layout_.stride);
  const std::byte* record = unpacked.data();
  Chunk* chunk = layout_.replaceable ? nullptr : e.first();
  for (; chunk != nullptr; chunk = next_chunk(chunk))
    for (std::uint32_t slot = chunk->begin; slot < chunk->end; ++slot) {
      chunk->unpack(packing_, slot, unpacked.data());
      if (is_expired(record, last_known)) {
        if (all_time_) base.add(layout_, record);
        folded = folded || all_time_;
        continue;
      }
      append_record(records, layout_, record, before);
      before = event_time_of(record);
      ++count;
    }
  if (count == 0 && !folded) return false;
  data::put_u8(out, folded ? 1 : 0);
  if (folded) {
    base.tally.append_bytes(out);
    for (const auto& collection : base.collections) collection.append_bytes(out);
  }
  put_varint(out, count);
  out += records;
  return true;
}

void ViewState::serialize(std::string& out) const {
  std::vector<std::int32_t> order(static_cast<std::size_t>(entities_));
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int32_t a, std::int32_t b) { return keys_.key(a) < keys_.key(b); });
  std::string body;
  std::uint64_t count = 0;
  for (const std::int32_t number : order) count += append_entity(body, number) ? 1 : 0;
  data::put_text(out, signature_);
  data::put_u64(out, static_cast<std::uint64_t>(last_known_));
  data::put_u64(out, static_cast<std::uint64_t>(dropped_late_));
  data::put_u64(out, count);
  out += body;
}

bool ViewState::take_events(std::string_view& bytes, std::int32_t number, Expired expired) {
  Entity& e = entity(number);
  std::uint64_t count = 0;
  if (!take_varint(bytes, count) || count > bytes.size()) return false;
  std::vector<std::byte> record(layout_.stride);
  std::int64_t before = INT64_MIN, known_before = INT64_MIN;
  const auto expected =
      static_cast<std::uint32_t>(std::clamp<std::uint64_t>(count, 1, shape_.chunk_events));
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!take_record(bytes, layout_, strings_, before, record.data())) return false;
    const std::int64_t time = event_time_of(record.data()), known = known_time_of(record.data());
    // Known times go up with positions, which order events of equal event time.
    if (known > last_known_ || (i > 0 && time == before && known < known_before)) return false;
    std::optional<std::int64_t> until;
    if (layout_.replaceable) {
      if (!take_fate(bytes, layout_, record.data(), until)) return false;
      store(record.data() + layout_.sequence_at, next_sequence_++);
    }
    if (until && *until > last_known_) return false;
    if (is_expired(record.data(), last_known_) || (until && is_settled(*until, last_known_))) {
      if (expired == Expired::refused) return false;
      give_up(e, record.data());
    } else if (until) {
      keep_taken_back(number, {*until, record});
    } else {
      insert(e, record.data(), expected);
      ++events_;
    }
    before = time;
    known_before = known;
  }
  return count > 0 || e.base != nullptr;
}

// What eviction would have done to an event, and the time to what was taken back.
void ViewState::give_up(Entity& e, const std::byte* record) {
  if (all_time_ && !layout_.replaceable) {
    if (e.base == nullptr) e.base = make_base();
    e.base->add(layout_, record);
  }
  release_strings(record);
}

// Whether sums may go on from here: counters are not negative, and nothing is near the end of its
// range, where no history can have brought it.
bool ViewState::is_plausible(const Tally& base) const {
  constexpr std::int64_t kFar = std::int64_t{1} << 62;
  for (std::size_t i = 0; i < base.linear.size(); ++i)
    if (base.linear[i] > kFar || base.linear[i] < (i < layout_.bit_count ? 0 : -kFar)) return false;
  for (std::size_t i = 0; i < base.powers.size(); ++i)
    if (base.powers[i].count() !=
        base.linear[static_cast<std::size_t>(layout_.powers[i].measure.part_bit)])
      return false;
  const exact::Int128 far = static_cast<exact::Int128>(kFar) << 64;
  return std::ranges::all_of(base.wide,
                             [far](exact::Int128 sum) { return sum < far && sum > -far; });
}

bool ViewState::take_entity(std::string_view& bytes, std::string_view& key_before, bool first) {
  std::string_view key;
  if (!take_text(bytes, key) || (!first && key <= key_before)) return false;
  key_before = key;
  const std::int32_t number = keys_.intern(key);
  add_entities();
  before_change(entity(number), number);
  return take_unit(bytes, number, Expired::refused);
}

bool ViewState::take_unit(std::string_view& bytes, std::int32_t number, Expired expired) {
  if (bytes.empty()) return false;
  const char folded = bytes.front();
  bytes.remove_prefix(1);
  if (folded != 0 && (folded != 1 || !all_time_)) return false;
  if (folded == 1 && !take_base(bytes, entity(number))) return false;
  return take_events(bytes, number, expired);
}

bool ViewState::take_base(std::string_view& bytes, Entity& e) {
  e.base = make_base();
  const Tally& tally = e.base->tally;
  if (!e.base->tally.read_bytes(bytes) || !is_plausible(tally)) return false;
  for (auto& collection : e.base->collections) {
    const auto bit = static_cast<std::size_t>(collection.plan().counted_bit);
    if (!collection.read_bytes(bytes, tally.linear[bit], strings_)) return false;
  }
  return true;
}

bool ViewState::restore(std::string_view& bytes) {
  clear();
  std::string_view signature, key;
  std::uint64_t last_known = 0, dropped = 0, count = 0;
  bool good = take_text(bytes, signature) && signature == signature_ &&
              take_u64(bytes, last_known) && take_u64(bytes, dropped) &&
              static_cast<std::int64_t>(dropped) >= 0 && take_u64(bytes, count) &&
              count <= bytes.size();
  last_known_ = static_cast<std::int64_t>(last_known);
  dropped_late_ = static_cast<std::int64_t>(dropped);
  for (std::uint64_t i = 0; good && i < count; ++i) good = take_entity(bytes, key, i == 0);
  order_taken_back();
  if (!good) clear();
  return good;
}

void ViewState::order_taken_back() {
  for (auto& [number, events] : taken_back_)
    std::ranges::stable_sort(events, {}, &TakenBack::until_us);
  std::ranges::sort(leaving_);
}

}  // namespace coeval::kernel
