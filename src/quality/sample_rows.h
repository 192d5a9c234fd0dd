#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace coeval::quality {

/// A row that broke a rule, as a report shows it.
struct SampleRow {
  std::string origin;      ///< file, or "http"
  std::int64_t place = 0;  ///< 0-based row, or 1-based line of text formats; −1: of no one row
  std::string observed;    ///< "delay must be at least -120, found -185"
  std::string raw;         ///< the row; personal columns masked by whoever adds it
  friend bool operator==(const SampleRow&, const SampleRow&) = default;
};

/// "a.csv:17", or the origin alone.
std::string place_text(const SampleRow& row);

/// At most `kMost` rows of each rule: those whose place has the smallest hash, keyed by the rule's
/// name. So the sample is a function of the set of rows, not of their order, of threads or of how
/// they were divided, and two rules do not show the same rows only.
/// Threading: one thread; merge() joins what several have.
class SampleRows {
 public:
  static constexpr std::size_t kMost = 20;

  /// Whether a row would be kept: ask before its texts are made.
  bool wants(const std::string& rule, const std::string& origin, std::int64_t place) const;
  void add(const std::string& rule, SampleRow row);
  void merge(const SampleRows& other);
  /// By hash ascending; empty for a rule that nothing broke.
  std::vector<SampleRow> of(const std::string& rule) const;

 private:
  std::map<std::string, std::multimap<std::uint64_t, SampleRow>> rows_;
};

}  // namespace coeval::quality
