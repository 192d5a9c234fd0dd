#include "serving/counters.h"

#include <algorithm>
#include <charconv>

namespace coeval::serving {
namespace {

/// The entry of a map by a key that is a view, made when absent.
template <class Map>
typename Map::mapped_type& entry(Map& map, std::string_view key) {
  const auto found = map.find(key);
  if (found != map.end()) return found->second;
  return map.emplace(std::string(key), typename Map::mapped_type{}).first->second;
}

std::string number(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end.ptr};
}

void append_total(std::string& out, std::string_view name, std::string_view help,
                  std::uint64_t value) {
  append_metric_head(out, name, "counter", help);
  append_sample(out, name, {}, static_cast<double>(value));
}

}  // namespace

void append_metric_head(std::string& out, std::string_view name, std::string_view type,
                        std::string_view help) {
  out.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
  out.append(name).append(" ").append(type).append("\n");
}

std::string metric_label(std::string_view name, std::string_view value) {
  std::string label(name);
  label += "=\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') label += '\\';
    if (c == '\n') {
      label += "\\n";
    } else {
      label += c;
    }
  }
  return label += '"';
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, double value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(number(value)).append("\n");
}

void LatencyHistogram::observe(double seconds) {
  const auto bucket = std::ranges::lower_bound(kBounds, seconds) - kBounds.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_s_ += seconds;
}

void LatencyHistogram::append(std::string& out, std::string_view name,
                              std::string_view labels) const {
  const std::string prefix = labels.empty() ? std::string() : std::string(labels) + ",";
  const std::string base(name);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i];
    const std::string bound = i < kBounds.size() ? number(kBounds[i]) : "+Inf";
    append_sample(out, base + "_bucket", prefix + metric_label("le", bound),
                  static_cast<double>(total));
  }
  append_sample(out, base + "_sum", labels, sum_s_);
  append_sample(out, base + "_count", labels, static_cast<double>(total));
}

void Counters::request(std::string_view route, int status, double seconds) {
  PerRoute& counts = entry(routes_, route);
  ++counts.by_status[status];
  counts.latency.observe(seconds);
}

void Counters::events(std::string_view source, std::int64_t accepted, std::int64_t quarantined) {
  PerSource& counts = entry(sources_, source);
  counts.accepted += accepted;
  counts.quarantined += quarantined;
}

void Counters::names(std::string_view source, const kernel::Amendments::Counts& said) {
  kernel::Amendments::Counts& counts = entry(names_, source);
  counts.duplicates += said.duplicates;
  counts.corrections += said.corrections;
  counts.deletions += said.deletions;
  counts.unmatched += said.unmatched;
}

void Counters::warned(std::string_view source, std::string_view rule, std::int64_t count) {
  entry(entry(warned_, source), rule) += count;
}

void Counters::append_warned(std::string& out) const {
  if (warned_.empty()) return;
  append_metric_head(out, "coeval_events_warned_total", "counter",
                     "Rows that broke a rule of severity warn.");
  for (const auto& [source, rules] : warned_)
    for (const auto& [rule, count] : rules)
      append_sample(out, "coeval_events_warned_total",
                    metric_label("source", source) + "," + metric_label("rule", rule),
                    static_cast<double>(count));
}

void Counters::append_names(std::string& out) const {
  if (names_.empty()) return;
  using Counts = kernel::Amendments::Counts;
  const auto append_all = [&](std::string_view name, std::string_view help,
                              std::int64_t Counts::* count) {
    append_metric_head(out, name, "counter", help);
    for (const auto& [source, counts] : names_)
      append_sample(out, name, metric_label("source", source), static_cast<double>(counts.*count));
  };
  append_all("coeval_events_duplicate_total", "Events whose id was used shortly before.",
             &Counts::duplicates);
  append_all("coeval_events_correcting_total", "Events that replace another.",
             &Counts::corrections);
  append_all("coeval_events_deleting_total", "Events that only take another back.",
             &Counts::deletions);
  append_all("coeval_events_unmatched_total",
             "Corrections and deletions that found no event that counts.", &Counts::unmatched);
}

void Counters::predictions(std::string_view model, int version, std::int64_t count) {
  entry(models_, model)[version] += count;
}

void Counters::refused(std::string_view model, int version, std::int64_t count) {
  if (count > 0) entry(refused_, model)[version] += count;
}

void Counters::append(std::string& out) const {
  append_metric_head(out, "coeval_requests_total", "counter", "Answered requests.");
  for (const auto& [route, counts] : routes_) {
    for (const auto& [status, count] : counts.by_status) {
      append_sample(
          out, "coeval_requests_total",
          metric_label("route", route) + "," + metric_label("status", std::to_string(status)),
          static_cast<double>(count));
    }
  }
  append_metric_head(out, "coeval_request_seconds", "histogram",
                     "From a whole request to its answer, commit included.");
  for (const auto& [route, counts] : routes_) {
    counts.latency.append(out, "coeval_request_seconds", metric_label("route", route));
  }
  append_metric_head(out, "coeval_events_accepted_total", "counter", "Events taken into the log.");
  for (const auto& [source, counts] : sources_) {
    append_sample(out, "coeval_events_accepted_total", metric_label("source", source),
                  static_cast<double>(counts.accepted));
  }
  append_metric_head(out, "coeval_events_quarantined_total", "counter",
                     "Rows kept out, with a reason.");
  for (const auto& [source, counts] : sources_) {
    append_sample(out, "coeval_events_quarantined_total", metric_label("source", source),
                  static_cast<double>(counts.quarantined));
  }
  append_names(out);
  append_warned(out);
  append_metric_head(out, "coeval_predictions_total", "counter", "Predictions served and logged.");
  for (const auto& [model, versions] : models_) {
    for (const auto& [version, count] : versions) {
      append_sample(
          out, "coeval_predictions_total",
          metric_label("model", model) + "," + metric_label("version", std::to_string(version)),
          static_cast<double>(count));
    }
  }
  append_metric_head(out, "coeval_predictions_refused_total", "counter",
                     "Questions without an answer, since a feature was stale.");
  for (const auto& [model, versions] : refused_) {
    for (const auto& [version, count] : versions) {
      append_sample(
          out, "coeval_predictions_refused_total",
          metric_label("model", model) + "," + metric_label("version", std::to_string(version)),
          static_cast<double>(count));
    }
  }
  append_total(out, "coeval_commit_failures_total", "Rounds whose log could not be written.",
               commit_failures);
  append_total(out, "coeval_requests_repeated_total",
               "Requests that had been taken before, by their Idempotency-Key.", requests_repeated);
  append_total(out, "coeval_snapshots_total", "Snapshots of the state written.", snapshots);
  append_total(out, "coeval_snapshot_failures_total", "Snapshots that could not be written.",
               snapshot_failures);
  append_total(out, "coeval_connections_accepted_total", "Connections accepted.",
               connections_accepted);
  append_total(out, "coeval_connections_refused_total", "Connections refused at the limit.",
               connections_refused);
  append_metric_head(out, "coeval_connections_open", "gauge", "Connections open now.");
  append_sample(out, "coeval_connections_open", {}, static_cast<double>(connections_open));
}

}  // namespace coeval::serving
