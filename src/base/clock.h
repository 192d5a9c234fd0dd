#pragma once

#include <cstdint>

namespace coeval {

/// Source of "now". Code that decides anything by time takes one of these, so that tests and the
/// simulator own time.
class Clock {
 public:
  virtual ~Clock() = default;
  /// µs since the epoch, UTC. May stand still; callers that need order use a position.
  virtual std::int64_t now_us() = 0;
};

/// The machine's real-time clock.
class SystemClock final : public Clock {
 public:
  std::int64_t now_us() override;
};

/// A clock that is moved by hand.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t us = 0) : us_(us) {}
  std::int64_t now_us() override { return us_; }
  void set(std::int64_t us) { us_ = us; }
  void advance_to(std::int64_t us) { us_ = us > us_ ? us : us_; }

 private:
  std::int64_t us_;
};

/// Monotonic seconds for measuring durations; the epoch is arbitrary.
double monotonic_seconds();

}  // namespace coeval
