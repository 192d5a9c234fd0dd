#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coeval::kernel {

/// Numbers by 64-bit value: one line of the cache a look-up, no stored bytes compared.
///
/// Memory: 32 to 64 bytes a value. Threading: any number may look up while nobody inserts.
class ValueNumbers {
 public:
  static constexpr std::int32_t kNone = INT32_MIN;  ///< no number

  std::int32_t find(std::int64_t value) const { return slots_[slot_of(value)].number; }
  /// Asks for what find() reads, ahead of time.
  void fetch(std::int64_t value) const { __builtin_prefetch(&slots_[first_slot(value)]); }
  /// Of a value that is not there yet; any number but kNone.
  void insert(std::int64_t value, std::int32_t number) {
    slots_[slot_of(value)] = {value, number};
    if (2 * ++size_ > slots_.size()) grow();
  }

 private:
  struct Slot {
    std::int64_t value = 0;
    std::int32_t number = kNone;
  };

  std::size_t first_slot(std::int64_t value) const {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{static_cast<std::uint64_t>(value) ^ 0xA0761D6478BD642F} *
                         std::uint64_t{0xE7037ED1A0B428DB};
    const auto mixed =
        static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    return static_cast<std::size_t>(mixed) & (slots_.size() - 1);
  }
  // That of the value, or the free one where it belongs: at least half of all are free.
  std::size_t slot_of(std::int64_t value) const {
    std::size_t slot = first_slot(value);
    while (slots_[slot].number != kNone && slots_[slot].value != value)
      slot = (slot + 1) & (slots_.size() - 1);
    return slot;
  }
  void grow() {
    std::vector<Slot> old(2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.number != kNone) slots_[slot_of(slot.value)] = slot;
  }

  std::vector<Slot> slots_ = std::vector<Slot>(64);  // a power of 2
  std::size_t size_ = 0;
};

}  // namespace coeval::kernel
