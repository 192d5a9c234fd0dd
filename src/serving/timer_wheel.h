#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace coeval::serving {

/// Coarse timers for many connections: scheduling is a push, and a tick looks at one slot only.
///
/// A timer fires at or up to one tick after its time, or early when it lies beyond the wheel's
/// horizon; schedule() says when. The owner compares its own deadline and schedules again. Timers
/// are never cancelled: an owner ignores those it no longer needs. So a deadline that moves with
/// every request costs nothing.
class TimerWheel {
 public:
  static constexpr std::size_t kSlots = 512;

  TimerWheel(double tick_s, double now_s) : tick_s_(tick_s), begin_s_(now_s) {}

  /// Returns the moment from which on advance() will fire it.
  double schedule(std::uint64_t id, double at_s) {
    const double ticks = (at_s - begin_s_) / tick_s_;
    const std::uint64_t due = ticks <= 0 ? 0 : static_cast<std::uint64_t>(ticks) + 1;
    const std::uint64_t tick = std::clamp(due, done_ + 1, done_ + kSlots - 1);
    slots_[tick % kSlots].push_back(id);
    return begin_s_ + static_cast<double>(tick) * tick_s_;
  }

  /// Calls fire(id) for every timer that is due. `fire` may schedule.
  template <class Fire>
  void advance(double now_s, Fire fire) {
    const auto now = static_cast<std::uint64_t>((now_s - begin_s_) / tick_s_);
    // After a long pause one turn empties every slot.
    if (now > done_ + kSlots) done_ = now - kSlots;
    while (done_ < now) {
      std::vector<std::uint64_t> due;
      due.swap(slots_[++done_ % kSlots]);
      for (const std::uint64_t id : due) fire(id);
    }
  }

  double tick_s() const { return tick_s_; }

 private:
  double tick_s_, begin_s_;
  std::uint64_t done_ = 0;  // ticks that have been looked at
  std::array<std::vector<std::uint64_t>, kSlots> slots_;
};

}  // namespace coeval::serving
