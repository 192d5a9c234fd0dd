#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace coeval::quality {

/// Which states of a deterministic automaton accept the same texts. `next` holds for each state one
/// state for each of `symbols` symbols, `accepting` whether a text may end there.
/// Returns for each state the number of its class; which number a class has is not said.
/// Complexity: states × symbols × log(states).
/// Source: J. Hopcroft, An n log n algorithm for minimizing states in a finite automaton, 1971.
std::vector<std::uint32_t> equal_states(std::span<const std::uint32_t> next, std::size_t symbols,
                                        std::span<const std::uint8_t> accepting);

}  // namespace coeval::quality
