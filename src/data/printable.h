#pragma once

#include <string>
#include <string_view>

namespace coeval::data {

/// Text as it may go to a terminal: what that would obey, or what is no UTF-8, stands there as
/// "\x1b". Control characters but the tab, and marks that turn the direction of text, are obeyed.
std::string printable(std::string_view text);
/// The same of several lines: their ends stay.
std::string printable_lines(std::string_view text);

}  // namespace coeval::data
