#pragma once

#include <string>

namespace coeval::define {

/// The tables of functions as docs/language.md has them, in Markdown, by topic.
std::string function_reference();

}  // namespace coeval::define
