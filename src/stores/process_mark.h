#pragma once

#include <string>

namespace coeval::stores {

/// Names this process among all of this machine, also after its number was given to another:
/// boot, number, moment of its start. Linux. Empty where /proc cannot be read.
std::string process_mark();

/// Whether the process that a mark names lives. One of an earlier boot, or of another machine, does
/// not.
bool process_lives(const std::string& mark);

}  // namespace coeval::stores
