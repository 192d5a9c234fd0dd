#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "quality/profile_summary.h"

namespace coeval::quality {

/// How many texts look like what: shapes with their counts, at the finest level that has at most
/// kMostShapes of them. A coarser shape is made from the finer one alone, so that the counts are a
/// function of the multiset of texts.
///
/// A shape says for each of the first 32 characters whether it is a letter, a digit, white space or
/// itself; one more sign says that there are further ones. At level `runs`, a run of one sign is
/// the sign and ⁺; at level `classes` only which classes occur is left: at most 256.
class TextShapes {
 public:
  void add(std::string_view text, std::int64_t times);
  void merge(const TextShapes& other);

  ShapeLevel level() const { return level_; }
  std::int64_t distinct() const { return static_cast<std::int64_t>(shapes_.size()); }
  /// By count descending, then shape; spelled for people.
  std::vector<ProfilePattern> most_frequent(std::size_t most) const;

  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  void count(std::string_view shape, std::int64_t times);
  void coarsen();

  static constexpr std::size_t kMostSigns = 33;
  struct Place {
    std::array<char, kMostSigns> signs{};
    std::uint8_t size = 0;
    std::int64_t* count = nullptr;
  };
  ShapeLevel level_ = ShapeLevel::characters;
  std::map<std::string, std::int64_t, std::less<>> shapes_;  // by their signs
  std::vector<Place> places_;  // where shapes that were seen lately are counted
};

}  // namespace coeval::quality
