#pragma once

namespace coeval {

/// How often a test with random input is repeated. Under a sanitizer, which takes ten times as long
/// a round, a fifth: it looks for broken memory; whether answers are right is the release build's
/// question.
template <class Count>
constexpr Count test_rounds(Count in_release) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return in_release / 5;
#else
  return in_release;
#endif
}

}  // namespace coeval
