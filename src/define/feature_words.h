#pragma once

#include <string>

#include "define/project.h"

namespace coeval::define {

/// The words of an expression, one space between them, constants replaced by their values; empty
/// when it has none, which checking the expression reports. (semantics: D1)
std::string spaced_words(const std::string& expression, const Project& project);

}  // namespace coeval::define
