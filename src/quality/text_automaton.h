#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace coeval::quality {

/// A pattern as a minimal deterministic automaton over bytes. It says of every text, well-formed or
/// not, what RE2::FullMatch says with RE2's default options, at two table look-ups a byte.
/// Threading: const, safe from any thread.
class TextAutomaton {
 public:
  /// `pattern` must be one that RE2 accepts. Nothing for one that needs more than 16,384 states,
  /// 4 MiB of table or some hundred milliseconds to compile: RE2 is asked then.
  static std::optional<TextAutomaton> compile(std::string_view pattern);

  bool matches(std::string_view text) const {
    const std::uint32_t* const rows = rows_.data();
    std::uint32_t row = start_;
    for (const char c : text) {
      row = rows[row + class_of_[static_cast<unsigned char>(c)]];
      if (row == kDead) return false;
    }
    return rows[row + classes_] != 0;
  }
  std::size_t state_count() const { return rows_.size() / (classes_ + 1); }

 private:
  static constexpr std::uint32_t kDead = 0;  ///< the row from which nothing is accepted
  TextAutomaton() = default;
  friend class AutomatonBuilder;
  std::array<std::uint8_t, 256> class_of_{};  ///< bytes that no state tells apart are of one class
  std::uint32_t classes_ = 0;
  std::uint32_t start_ = kDead;
  /// A row for each state: for each class where the state's row begins that it leads to, then
  /// whether the text may end here.
  std::vector<std::uint32_t> rows_;
};

}  // namespace coeval::quality
