#include "serving/timer_wheel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

namespace coeval::serving {
namespace {

TEST_CASE("a timer fires once, not before its time and at most two ticks after it") {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> delay(0, 4), step(0, 0.05);
  TimerWheel wheel(0.01, 100);
  std::map<std::uint64_t, double> due;
  double now = 100;
  std::uint64_t next = 0;
  double longest_step = 0;
  while (now < 130) {
    if (now < 120) {
      due[next] = now + delay(random);
      CHECK(wheel.schedule(next, due[next]) >= due[next]);
      ++next;
    }
    const double moved = step(random);
    longest_step = std::max(longest_step, moved);
    now += moved;
    wheel.advance(now, [&](std::uint64_t id) {
      REQUIRE(due.contains(id));
      CHECK(due[id] <= now);
      CHECK(now - due[id] <= 2 * 0.01 + longest_step);
      due.erase(id);
    });
  }
  CHECK(next > 100);
  CHECK(due.empty());
}

TEST_CASE("a timer beyond the horizon fires early and can be scheduled again") {
  TimerWheel wheel(1, 0);
  const double far = 3 * static_cast<double>(TimerWheel::kSlots);
  wheel.schedule(1, far);
  int looked = 0;
  double fired_at = 0;
  for (double now = 0; now < far + 10; now += 1) {
    wheel.advance(now, [&](std::uint64_t id) {
      ++looked;
      if (now >= far)
        fired_at = now;
      else
        wheel.schedule(id, far);
    });
  }
  CHECK(fired_at >= far);
  CHECK(fired_at <= far + 2);
  CHECK(looked <= 5);
}

TEST_CASE("a pause longer than the wheel loses no timer") {
  TimerWheel wheel(0.01, 0);
  for (std::uint64_t id = 0; id < 100; ++id) wheel.schedule(id, static_cast<double>(id) * 0.05);
  int fired = 0;
  wheel.advance(1e6, [&](std::uint64_t) { ++fired; });
  CHECK(fired == 100);
}

}  // namespace
}  // namespace coeval::serving
