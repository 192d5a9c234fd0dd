#pragma once

#include <array>
#include <functional>
#include <string_view>

#include "kernel/kernel.h"

namespace coeval::kernel::testing {

/// Now the usual shape, now one in which an entity of three events is hot, so that tests of few
/// events reach every form of the state. By some text of the test's definition.
inline StateShape shape_for(std::string_view text) {
  constexpr std::array kShapes = {StateShape{}, StateShape{2, 1, 3, 1},
                                  StateShape{3, 1'000'000, 2, 2}, StateShape{8, 4, 1'000'000, 8},
                                  StateShape{2, 2, 1, 4}};
  return kShapes[std::hash<std::string_view>()(text) % kShapes.size()];
}

}  // namespace coeval::kernel::testing
