#include "quality/state_classes.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace coeval::quality {
namespace {

using States = std::vector<std::uint32_t>;

// Two states differ if one accepts and the other does not, or a symbol leads to two that differ.
std::vector<std::vector<bool>> by_brute_force(const States& next, std::size_t symbols,
                                              const std::vector<std::uint8_t>& accepting) {
  const std::size_t states = accepting.size();
  std::vector<std::vector<bool>> differ(states, std::vector<bool>(states));
  for (std::size_t i = 0; i < states; ++i)
    for (std::size_t j = 0; j < states; ++j) differ[i][j] = accepting[i] != accepting[j];
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t i = 0; i < states; ++i)
      for (std::size_t j = 0; j < states; ++j)
        for (std::size_t s = 0; s < symbols && !differ[i][j]; ++s)
          if (differ[next[i * symbols + s]][next[j * symbols + s]]) differ[i][j] = changed = true;
  }
  return differ;
}

TEST_CASE("states are of one class iff they accept the same texts") {
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    const std::size_t states = 1 + random() % 30, symbols = 1 + random() % 3;
    // Few targets and few accepting states make many states alike.
    const std::size_t targets = 1 + random() % states;
    States next(states * symbols);
    for (auto& to : next) to = static_cast<std::uint32_t>(random() % targets);
    std::vector<std::uint8_t> accepting(states);
    for (auto& is : accepting) is = random() % 4 == 0;
    const States classes = equal_states(next, symbols, accepting);
    const auto differ = by_brute_force(next, symbols, accepting);
    CAPTURE(seed);
    for (std::size_t i = 0; i < states; ++i)
      for (std::size_t j = 0; j < states; ++j) REQUIRE((classes[i] != classes[j]) == differ[i][j]);
  }
}

}  // namespace
}  // namespace coeval::quality
