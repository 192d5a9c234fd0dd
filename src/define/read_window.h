#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "define/diagnostics.h"
#include "define/document.h"
#include "define/project.h"

namespace coeval::define {

/// A window as written: "3h", "all", "7d offset 7d", "today", "this_week", "this_month". `what` is
/// "view 'origin'". Errors: bad_window; leak for an offset into the future.
std::optional<Window> read_window(const TomlValue& value, const std::string& what,
                                  Diagnostics& errors);

/// A length of time in µs, from `least` to 100 years. `what` is "a window". Errors: bad_window.
std::optional<std::int64_t> read_duration(const TomlValue& value, std::string_view text,
                                          const std::string& what, std::int64_t least,
                                          Diagnostics& errors);

/// Whether two windows hold the same events at every T.
bool same_meaning(const Window& a, const Window& b);
/// By length, "all" last; then by offset and period. (semantics: D1)
bool window_before(const Window& a, const Window& b);

}  // namespace coeval::define
