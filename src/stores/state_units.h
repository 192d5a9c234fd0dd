#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::stores {

/// A unit of a state under its key, as it is kept outside the process: the bytes of an entity, a
/// name, the rows of a lookup's key. Without bytes it is no more.
struct StateUnit {
  std::uint32_t part = 0;  ///< which part of the state it belongs to
  std::string_view key;
  std::optional<std::string_view> bytes;
};
using TakeUnit = std::function<Status(const StateUnit&)>;

/// Units of one part, one behind the other: a piece of a snapshot's file.
class UnitFrame {
 public:
  explicit UnitFrame(std::uint32_t part = 0) : part_(part) {}
  /// What was written by another frame; whether it can be read is said by each().
  UnitFrame(std::uint32_t part, std::string bytes) : part_(part), bytes_(std::move(bytes)) {}

  void append(std::string_view key, std::optional<std::string_view> bytes);
  std::uint32_t part() const { return part_; }
  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  /// Calls `take` for each unit. Errors: those of `take`; snapshot_corrupt.
  Status each(const TakeUnit& take) const;

 private:
  std::uint32_t part_;
  std::string bytes_;
};

}  // namespace coeval::stores
