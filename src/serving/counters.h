#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "kernel/amendments.h"

namespace coeval::serving {

/// Durations in fixed buckets, as Prometheus reads them.
class LatencyHistogram {
 public:
  /// Upper bounds in seconds; one more bucket takes the rest.
  static constexpr std::array<double, 16> kBounds = {
      0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
      0.025,   0.05,   0.1,     0.25,   0.5,   1,      2.5,   5};
  void observe(double seconds);
  /// Appends the lines of one histogram; `labels` without braces, may be empty.
  void append(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double sum_s_ = 0;
};

/// Everything the server counts. Threading: one thread.
class Counters {
 public:
  /// One answered request. `route` is the route's pattern, so the number of series is bounded.
  void request(std::string_view route, int status, double seconds);
  void events(std::string_view source, std::int64_t accepted, std::int64_t quarantined);
  /// Rows that stay and broke a rule which only warns.
  void warned(std::string_view source, std::string_view rule, std::int64_t count);
  /// What the names of a source's events said. (semantics: T7)
  void names(std::string_view source, const kernel::Amendments::Counts& said);
  void predictions(std::string_view model, int version, std::int64_t count);
  /// Questions that got no answer because a feature was stale. (semantics: D5)
  void refused(std::string_view model, int version, std::int64_t count);

  std::uint64_t commit_failures = 0;
  std::uint64_t requests_repeated = 0;  ///< answered again, by their Idempotency-Key
  std::uint64_t snapshots = 0, snapshot_failures = 0;
  std::uint64_t connections_accepted = 0, connections_refused = 0;
  std::int64_t connections_open = 0;

  /// Prometheus text of all of the above.
  void append(std::string& out) const;

 private:
  struct PerRoute {
    std::map<int, std::uint64_t> by_status;
    LatencyHistogram latency;
  };
  struct PerSource {
    std::int64_t accepted = 0, quarantined = 0;
  };
  void append_names(std::string& out) const;
  void append_warned(std::string& out) const;
  std::map<std::string, PerRoute, std::less<>> routes_;
  std::map<std::string, PerSource, std::less<>> sources_;
  std::map<std::string, kernel::Amendments::Counts, std::less<>> names_;  // by source
  std::map<std::string, std::map<std::string, std::int64_t, std::less<>>, std::less<>> warned_;
  std::map<std::string, std::map<int, std::int64_t>, std::less<>> models_, refused_;
};

/// "# HELP" and "# TYPE" lines.
void append_metric_head(std::string& out, std::string_view name, std::string_view type,
                        std::string_view help);
/// name="value" with the escapes of the exposition format.
std::string metric_label(std::string_view name, std::string_view value);
/// One sample; `labels` without braces, may be empty.
void append_sample(std::string& out, std::string_view name, std::string_view labels, double value);

}  // namespace coeval::serving
