#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exact/distinct_count.h"
#include "quality/number_profile.h"
#include "quality/text_shapes.h"

namespace coeval::quality {

/// The profile of texts; see ColumnProfile, whose other half it is. Texts are told apart by 128
/// bits of their hash (XXH3), and kept as far as kProfileTextBytes.
class TextProfile {
 public:
  /// Adds a text `times` > 0 times; settle() must follow the last one before anything else is
  /// asked.
  void add(std::string_view text, std::int64_t times = 1);
  void settle();
  void merge(const TextProfile& other);

  std::int64_t count() const;
  void summarise(ColumnSummary& summary) const;
  /// All texts with their counts, by text; nothing beyond kMostCounted.
  std::optional<std::vector<ProfileValue>> values() const;

  void append_bytes(std::string& out) const;
  bool read_bytes(std::string_view& bytes);

 private:
  struct Entry {
    exact::Key128 hash;
    std::int64_t count = 0;
    std::int64_t length = 0;  ///< in code points
    std::string text;         ///< its first bytes
  };
  /// What is kept beyond kMostCounted distinct texts, and made of entries for a summary.
  struct Spread {
    exact::DistinctCount<exact::Key128> distinct{kMostCounted};
    NumberProfile<std::int64_t> lengths;
    TextShapes shapes;
    // What is not yet in `lengths` and `distinct`, which take blocks.
    std::vector<std::int64_t> waiting;
    std::vector<exact::Key128> hashes;
    void add(exact::Key128 hash, std::int64_t length, std::string_view text, std::int64_t times);
    void settle();
  };
  Entry& find_or_place(exact::Key128 hash);
  void grow();
  void count(exact::Key128 hash, std::int64_t length, std::string_view text, std::int64_t times);
  void spread_out();
  std::vector<const Entry*> ascending() const;

  std::vector<Entry> entries_;         // empty when spread_ is there
  std::vector<std::uint32_t> places_;  // of an entry, from 1; a power of two
  std::unique_ptr<Spread> spread_;
};

}  // namespace coeval::quality
