#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/state_part.h"

namespace coeval::kernel::testing {

/// A state as it was saved: the newest bytes of every unit that was ever captured.
class SavedState final : public UnitSink, public UnitSource {
 public:
  void take_unit(std::uint32_t part, std::string_view key,
                 std::optional<std::string_view> bytes) override {
    auto& unit = taken_[part][std::string(key)];
    unit = bytes ? std::optional(std::string(*bytes)) : std::nullopt;
    ++taken_count_;
  }

  void begin(const std::vector<NamedPart>& parts) {
    summaries_.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
      summaries_.push_back(parts[i].part->summary());
      parts[i].part->freeze(*this, static_cast<std::uint32_t>(i));
    }
  }
  /// Whether nothing is left.
  bool step(const std::vector<NamedPart>& parts, std::size_t bytes) {
    for (const NamedPart& part : parts)
      if (!part.part->capture(bytes)) return false;
    return true;
  }
  void end(const std::vector<NamedPart>& parts, bool kept) {
    for (const NamedPart& part : parts) part.part->settle(kept);
    if (kept) {
      saved_summaries_ = summaries_;
      for (auto& [part, units] : taken_)
        for (auto& [key, bytes] : units) {
          if (bytes)
            saved_[part][key] = *bytes;
          else
            saved_[part].erase(key);
        }
    }
    taken_.clear();
  }

  Result<std::vector<std::optional<std::string>>> read_units(
      std::uint32_t part, std::span<const std::string_view> keys) override {
    if (reads_fail) return fail(Code::io, "cannot read: a fault that was asked for");
    std::vector<std::optional<std::string>> found;
    for (const std::string_view key : keys) {
      const auto unit = saved_[part].find(std::string(key));
      found.push_back(unit == saved_[part].end() ? std::nullopt : std::optional(unit->second));
      if (found.back()) ++read_count;
      if (found.back() && cut_units) found.back()->pop_back();
    }
    return found;
  }
  bool reads_fail = false, cut_units = false;
  std::size_t read_count = 0;

  /// Without the units of the first `paged` parts.
  void restore(const std::vector<NamedPart>& parts, std::size_t paged = 0) const {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      StatePart& part = *parts[i].part;
      REQUIRE(part.begin_restore(saved_summaries_[i]));
      const auto units = saved_.find(static_cast<std::uint32_t>(i));
      if (i >= paged && units != saved_.end())
        for (const auto& [key, bytes] : units->second) REQUIRE(part.restore_unit(key, bytes));
      part.end_restore();
    }
  }
  bool any() const { return !saved_summaries_.empty(); }
  std::size_t units() const {
    std::size_t count = 0;
    for (const auto& [part, units] : saved_) count += units.size();
    return count;
  }
  std::size_t taken_count() const { return taken_count_; }

 private:
  using Units = std::map<std::string, std::optional<std::string>>;
  std::map<std::uint32_t, Units> taken_;
  std::map<std::uint32_t, std::map<std::string, std::string>> saved_;
  std::vector<std::string> summaries_, saved_summaries_;
  std::size_t taken_count_ = 0;
};

inline std::vector<NamedPart> tracked(std::vector<NamedPart> parts) {
  for (const NamedPart& part : parts) part.part->track_changes();
  return parts;
}

/// Views over the source of names_for_tests.h.
inline const std::string kTwoViews = R"toml([view.a]
from = "s"
by = ["k"]
windows = ["10min", "1h", "all"]
lateness = "40min"
rows = "count()"
sum_x = "sum(x)"
newest = "last(w)"
kinds = "distinct(w)"
usual = "mode(w)"
[view.b]
from = "s"
by = ["n"]
windows = ["10min", "30min offset 20min"]
lateness = "5min"
rows = "count()"
least = "min(w)"
spread = "var(x)"
)toml";

}  // namespace coeval::kernel::testing
