#include "kernel/chunk.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "kernel/saturate.h"

namespace coeval::kernel {

namespace {

constexpr std::int64_t kSpan = std::int64_t{1} << 48;  // of times in six bytes: 8.9 years

void store48(std::byte* to, std::uint64_t value) {
  store(to, static_cast<std::uint32_t>(value));
  store(to + 4, static_cast<std::uint16_t>(value >> 32));
}

bool fits_signed(std::int64_t value, int bits) {
  const std::int64_t most = (std::int64_t{1} << (bits - 1)) - 1;
  return value >= -most - 1 && value <= most;
}

// What is written of the known time.
std::int64_t lag_of(const Packing& packing, std::int64_t time, std::int64_t known) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(known) -
                                   static_cast<std::uint64_t>(time) -
                                   static_cast<std::uint64_t>(packing.usual_lag_us));
}

std::uint8_t bytes_for_lag(std::int64_t lag) {
  if (lag == 0) return 0;
  if (fits_signed(lag, 32)) return 4;
  return fits_signed(lag, 48) ? 6 : 8;
}

bool takes_time(const TimeForm& form, std::int64_t base, std::int64_t time) {
  if (form.time_bytes == 8) return true;
  return time >= base && saturating_subtract(time, base) < kSpan;
}

// A base from which there is room on both sides, most of it in front.
std::int64_t base_before(std::int64_t time) { return saturating_subtract(time, kSpan / 4); }

}  // namespace

Packing::Packing(const RecordLayout& layout)
    : record_bytes_(layout.stride),
      word_bytes_(4 * layout.words()),
      flag_bytes_((layout.bit_count + 6) / 8),
      narrow_count_(layout.narrow_count),
      wide_at_(layout.wide_at),
      slots_((layout.stride - layout.wide_at) / 8) {}

void Packing::pack(const std::byte* record, std::byte* to) const {
  const std::byte* flags = record + kFlagsAt;
  for (std::size_t i = 0; i < flag_bytes_; ++i) {
    std::byte bits = flags[i] >> 1;
    if (i + 1 < word_bytes_) bits |= flags[i + 1] << 7;
    to[i] = bits;
  }
  to += flag_bytes_;
  const std::byte* narrow = flags + word_bytes_;
  for (std::size_t i = 0; i < narrow_count_; ++i)
    store(to + 4 * i, load<std::uint32_t>(narrow + 4 * i));
  to += 4 * narrow_count_;
  for (std::size_t i = 0; i < slots_; ++i)
    store(to + 8 * i, load<std::uint64_t>(record + wide_at_ + 8 * i));
}

void Packing::unpack_flags(const std::byte* from, std::byte* flags) const {
  std::byte before{0x80};
  for (std::size_t i = 0; i < word_bytes_; ++i) {
    const std::byte bits = i < flag_bytes_ ? from[i] : std::byte{0};
    flags[i] = bits << 1 | before >> 7;
    before = bits;
  }
}

std::int64_t Chunk::known(const Packing& packing, std::uint32_t slot) {
  const TimeForm times = form();
  const std::byte* from = at(slot) + times.time_bytes;
  std::int64_t lag = 0;
  if (times.lag_bytes == 4) lag = load<std::int32_t>(from);
  if (times.lag_bytes == 6)
    lag = static_cast<std::int64_t>(std::uint64_t{load<std::uint32_t>(from)} << 16 |
                                    std::uint64_t{load<std::uint16_t>(from + 4)} << 48) >>
          16;
  if (times.lag_bytes == 8) lag = load<std::int64_t>(from);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(time(slot)) +
                                   static_cast<std::uint64_t>(lag) +
                                   static_cast<std::uint64_t>(packing.usual_lag_us));
}

bool Chunk::takes(const Packing& packing, const std::byte* record) const {
  const std::int64_t time = event_time_of(record);
  return takes_time(form(), base_us, time) &&
         bytes_for_lag(lag_of(packing, time, known_time_of(record))) <= form().lag_bytes;
}

void Chunk::put(const Packing& packing, std::uint32_t slot, const std::byte* record) {
  const TimeForm times = form();
  std::byte* to = at(slot);
  const std::int64_t time = event_time_of(record);
  if (times.time_bytes == 8)
    store(to, time);
  else
    store48(to, static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(base_us));
  const std::int64_t lag = lag_of(packing, time, known_time_of(record));
  to += times.time_bytes;
  if (times.lag_bytes == 4) store(to, static_cast<std::int32_t>(lag));
  if (times.lag_bytes == 6) store48(to, static_cast<std::uint64_t>(lag));
  if (times.lag_bytes == 8) store(to, lag);
  packing.pack(record, to + times.lag_bytes);
}

void Chunk::open(std::uint32_t slot) {
  std::byte* place = at(slot);
  if (slot != end) std::memmove(place + stride, place, std::size_t{end - slot} * stride);
  ++end;
}

void Chunk::close(std::uint32_t slot) {
  std::byte* place = at(slot);
  std::memmove(place, place + stride, std::size_t{end - slot - 1} * stride);
  --end;
}

void Chunk::compact() {
  std::memmove(at(0), at(begin), std::size_t{size()} * stride);
  end = static_cast<std::uint8_t>(size());
  begin = 0;
}

Chunk* Chunk::make(const Packing& packing, std::uint32_t capacity, TimeForm form,
                   std::int64_t base_us) {
  constexpr std::size_t kUnit = 16, kOfAllocator = 8;  // what glibc gives, and keeps for itself
  const std::size_t stride = form.bytes() + packing.payload_bytes();
  const std::size_t wanted = sizeof(Chunk) + capacity * stride;
  const std::size_t given = (wanted + kOfAllocator + kUnit - 1) / kUnit * kUnit - kOfAllocator;
  if (stride > 0)
    capacity = static_cast<std::uint32_t>(
        std::min<std::size_t>(kMaxCapacity, (given - sizeof(Chunk)) / stride));
  auto* chunk = new (::operator new(sizeof(Chunk) + capacity * stride)) Chunk();
  chunk->base_us = base_us;
  chunk->capacity = static_cast<std::uint8_t>(capacity);
  chunk->form_number = static_cast<std::uint8_t>(form.time_bytes << 4 | form.lag_bytes);
  chunk->stride = static_cast<std::uint32_t>(stride);
  return chunk;
}

Chunk* Chunk::make_for(const Packing& packing, std::uint32_t capacity, Chunk* like,
                       const std::byte* record) {
  const std::int64_t time = event_time_of(record);
  const bool empty = like == nullptr || like->size() == 0;
  TimeForm form = empty ? TimeForm{} : like->form();
  std::int64_t base = empty ? base_before(time) : like->base_us;
  form.lag_bytes =
      std::max(form.lag_bytes, bytes_for_lag(lag_of(packing, time, known_time_of(record))));
  if (!takes_time(form, base, time)) {
    const std::int64_t first = std::min(time, like->first_time());
    const std::int64_t last = std::max(time, like->last_time());
    base = base_before(first);
    if (!takes_time(form, base, first) || !takes_time(form, base, last)) form.time_bytes = 8;
  }
  return make(packing, capacity, form, base);
}

void Chunk::append(const Packing& packing, Chunk& other, std::uint32_t from, std::uint32_t to) {
  if (form_number == other.form_number && base_us == other.base_us) {
    std::memcpy(at(end), other.at(from), std::size_t{to - from} * stride);
    end = static_cast<std::uint8_t>(end + (to - from));
    return;
  }
  std::vector<std::byte> record(packing.record_bytes());
  for (std::uint32_t slot = from; slot < to; ++slot) {
    other.unpack(packing, slot, record.data());
    put(packing, end++, record.data());
  }
}

void Chunk::free(Chunk* chunk) { ::operator delete(chunk); }

// Most events arrive in order, so the search looks at the last one first.
std::uint32_t upper_slot(Chunk& chunk, std::int64_t time) {
  std::uint32_t low = chunk.begin, high = chunk.end;
  if (low == high || chunk.last_time() <= time) return high;
  while (high - low > 4) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (chunk.time(middle) <= time)
      low = middle + 1;
    else
      high = middle;
  }
  while (high > low && chunk.time(high - 1) > time) --high;
  return high;
}

std::uint32_t lower_slot(Chunk& chunk, std::int64_t time) {
  if (time == INT64_MIN || (chunk.size() > 0 && chunk.first_time() >= time)) return chunk.begin;
  return upper_slot(chunk, time - 1);
}

}  // namespace coeval::kernel
