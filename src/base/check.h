#pragma once

namespace coeval {

/// Prints the failed condition with its place and aborts. For our own bugs, never for input.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace coeval

/// Aborts when one of our own invariants is broken. Bad input is an Error, not a check.
#define COEVAL_CHECK(condition) \
  ((condition) ? void(0) : ::coeval::check_failed(#condition, __FILE__, __LINE__))
