#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "plants.h"
#include "world.h"

namespace coeval::sim {

struct Order {
  std::uint64_t seed = 1, steps = 10'000;
  Plant plant = Plant::none;
  std::function<void(const std::string&)> trace;  ///< null = nobody wants to know
};

/// What was found, or that nothing was.
struct Outcome {
  std::uint64_t steps = 0, worlds = 0;
  Tally tally;
  std::string violation;  ///< empty when every invariant held; else what, where, and how to replay
};

/// Plays worlds one after the other until `steps` are done or an invariant is broken. The same
/// order gives the same outcome.
Outcome simulate(const Order& order);

}  // namespace coeval::sim
