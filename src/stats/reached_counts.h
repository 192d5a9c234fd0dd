#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace coeval::stats {

/// Counts, for each of some edges, the values that have reached it: v >= edge. A NaN has reached
/// none.
///
/// Threading: const, safe from any thread. Complexity: a comparison and a subtraction a value and
/// edge, four (or what a vector of the CPU holds) at a time.
class ReachedCounts {
 public:
  explicit ReachedCounts(std::span<const double> edges);
  /// Number of edges.
  std::size_t size() const { return size_; }
  /// Adds to `reached`, which has size() numbers.
  void add(std::span<const double> values, std::span<std::int64_t> reached) const;

  /// So many edges are compared with a value while it is in a register.
  static constexpr std::size_t kGroup = 7;
  using Group = std::array<double, kGroup>;

 private:
  std::vector<Group> groups_;  // the last filled up with NaN
  std::size_t size_;
};

/// The loop of it for one instruction set: every one counts the same.
struct ReachedLoop {
  const char* name;
  void (*add)(const double* values, std::size_t size, const ReachedCounts::Group& edges,
              std::int64_t* reached);
};
/// All that this CPU can run, the plain one, which is the oracle, first and the quickest second.
std::span<const ReachedLoop> reached_loops();

}  // namespace coeval::stats
