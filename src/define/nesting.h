#pragma once

#include <optional>
#include <string_view>

namespace coeval::define {

/// Line of the first dotted TOML key with more than kMaxKeyParts parts, if there is one. The TOML
/// library bounds nested values but not dotted keys, each part of which becomes a table inside a
/// table; a million of them would overflow the stack when they are freed.
///
/// Right for every prefix of a file that is valid TOML: it follows strings and comments.
std::optional<int> line_of_deep_key(std::string_view toml);

inline constexpr int kMaxKeyParts = 32;

}  // namespace coeval::define
