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
class SavedState final : public UnitSink {
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

  void restore(const std::vector<NamedPart>& parts) const {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      StatePart& part = *parts[i].part;
      REQUIRE(part.begin_restore(saved_summaries_[i]));
      const auto units = saved_.find(static_cast<std::uint32_t>(i));
      if (units != saved_.end())
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

}  // namespace coeval::kernel::testing
