#pragma once

#include <cstddef>
#include <cstdint>

#include "kernel/record_layout.h"

namespace coeval::kernel {

struct TileNode;

/// What of a record a chunk holds besides its times: the bits but bit 0, which is set in every
/// record, in whole bytes; the narrow slots; the slots of eight bytes, one behind the other.
class Packing {
 public:
  explicit Packing(const RecordLayout& layout);

  std::size_t record_bytes() const { return record_bytes_; }
  std::size_t payload_bytes() const { return flag_bytes_ + 4 * narrow_count_ + 8 * slots_; }
  void pack(const std::byte* record, std::byte* to) const;
  void unpack(const std::byte* from, std::byte* record) const {
    std::byte* flags = record + kFlagsAt;
    if (flag_bytes_ <= 1)
      store(flags, flag_bytes_ == 0 ? 1u : load<std::uint8_t>(from) << 1 | 1u);
    else
      unpack_flags(from, flags);
    from += flag_bytes_;
    for (std::size_t i = 0; i < narrow_count_; ++i, from += 4)
      store(flags + word_bytes_ + 4 * i, load<std::uint32_t>(from));
    for (std::size_t i = 0; i < slots_; ++i, from += 8)
      store(record + wide_at_ + 8 * i, load<std::uint64_t>(from));
  }

  /// How long after its event time an event of this view is usually known: that of the first event
  /// held. Where it always is, known times take no memory.
  std::int64_t usual_lag_us = 0;

 private:
  void unpack_flags(const std::byte* from, std::byte* flags) const;

  std::size_t record_bytes_, word_bytes_, flag_bytes_, narrow_count_, wide_at_, slots_;
};

/// How the times of a chunk's events are written: 6 bytes of event time since a base time, or all
/// 8; then known time − event time − the usual lag in 0, 4, 6 or 8 bytes.
struct TimeForm {
  std::uint8_t time_bytes = 6, lag_bytes = 0;
  std::size_t bytes() const { return std::size_t{time_bytes} + lag_bytes; }
};

/// A run of one entity's events in one piece of memory, packed, sorted by (event time, position).
/// The events follow the header; those at slots [begin, end) are held.
///
/// An entity of few events has one chunk, which grows by a sixteenth; one of more than kMaxCapacity
/// has a ChunkTree of them.
struct Chunk {
  static constexpr std::uint32_t kMaxCapacity = 128;

  TileNode* parent = nullptr;  ///< null where it is the entity's only one
  std::int64_t base_us = 0;
  std::uint8_t begin = 0, end = 0, capacity = 0;
  std::uint8_t form_number = 0;
  std::uint32_t stride = 0;

  std::byte* at(std::uint32_t slot) {
    return reinterpret_cast<std::byte*>(this) + sizeof(Chunk) + std::size_t{slot} * stride;
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(end - begin); }
  TimeForm form() const {
    return {static_cast<std::uint8_t>(form_number >> 4),
            static_cast<std::uint8_t>(form_number & 15)};
  }
  std::int64_t time(std::uint32_t slot) {
    const std::byte* from = at(slot);
    if (form_number >> 4 == 8) [[unlikely]]
      return load<std::int64_t>(from);
    return base_us + static_cast<std::int64_t>(load<std::uint32_t>(from) |
                                               std::uint64_t{load<std::uint16_t>(from + 4)} << 32);
  }
  std::int64_t first_time() { return time(begin); }
  std::int64_t last_time() { return time(end - 1u); }
  std::int64_t known(const Packing& packing, std::uint32_t slot);
  /// Writes the whole record.
  void unpack(const Packing& packing, std::uint32_t slot, std::byte* record) {
    const std::int64_t happened = time(slot);
    store(record, happened);
    const bool usual = (form_number & 15) == 0;
    store(record + 8,
          usual ? static_cast<std::int64_t>(static_cast<std::uint64_t>(happened) +
                                            static_cast<std::uint64_t>(packing.usual_lag_us))
                : known(packing, slot));
    packing.unpack(at(slot) + form().bytes(), record);
  }
  /// Begins to fetch all events that are held.
  void fetch() {
    constexpr std::size_t kLine = 64;
    const std::byte* const last = at(end);
    for (const std::byte* from = at(begin); from < last; from += kLine) __builtin_prefetch(from);
  }

  /// Whether a record's times can be written in this chunk's form.
  bool takes(const Packing& packing, const std::byte* record) const;
  /// Puts a record into a slot below the capacity, whatever was there; its times must be taken.
  void put(const Packing& packing, std::uint32_t slot, const std::byte* record);
  /// Makes place at a slot by moving those behind it; there must be room at the end.
  void open(std::uint32_t slot);
  /// Closes the place of a slot.
  void close(std::uint32_t slot);
  /// Moves the held events to the front.
  void compact();

  /// An empty chunk for at least so many events whose times are written in one form since one base;
  /// no more than fit in what the allocator gives anyway.
  static Chunk* make(const Packing& packing, std::uint32_t capacity, TimeForm form,
                     std::int64_t base_us);
  /// The same for a chunk's events and one record more, which may need another form.
  static Chunk* make_for(const Packing& packing, std::uint32_t capacity, Chunk* like,
                         const std::byte* record);
  /// Appends the events of slots [from, to) of another chunk.
  void append(const Packing& packing, Chunk& other, std::uint32_t from, std::uint32_t to);
  static void free(Chunk* chunk);
};

/// A place between two events of an entity: the events before it are those before slot `slot` of
/// `chunk`, and all of the chunks before.
struct Cursor {
  Chunk* chunk = nullptr;
  std::uint32_t slot = 0;
  friend bool operator==(Cursor, Cursor) = default;
};

/// The slot of the first event of a time after (upper) or not before (lower) the one given.
std::uint32_t upper_slot(Chunk& chunk, std::int64_t time);
std::uint32_t lower_slot(Chunk& chunk, std::int64_t time);

}  // namespace coeval::kernel
