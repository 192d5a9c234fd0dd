#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "stores/state_store.h"

namespace coeval::stores {

/// What goes wrong, and when. Change it at any time.
struct StateFaults {
  static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t writes_left = kNever;  ///< writes that still succeed
  bool failed_writes_count = false;    ///< one that fails has been done all the same
  std::uint64_t reads_left = kNever;   ///< reads and scans that still succeed
  Code code = Code::io;
};

/// Decorates a store with faults.
class FaultyStateStore final : public StateStore {
 public:
  explicit FaultyStateStore(std::unique_ptr<StateStore> under) : under_(std::move(under)) {}
  StateFaults& faults() { return faults_; }

  Result<std::optional<Position>> position() override { return under_->position(); }
  Status write(std::span<const StateUnit> units, Position position) override {
    if (pass(faults_.writes_left)) return under_->write(units, position);
    if (faults_.failed_writes_count) static_cast<void>(under_->write(units, position));
    return fault("write");
  }
  Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) override {
    if (!pass(faults_.reads_left)) return fault("read");
    return under_->read(keys);
  }
  Status scan(std::uint32_t part, const TakeUnit& take) override {
    if (!pass(faults_.reads_left)) return fault("read");
    return under_->scan(part, take);
  }
  Status verify() override {
    if (!pass(faults_.reads_left)) return fault("read");
    return under_->verify();
  }
  Result<std::uint64_t> size_bytes() override { return under_->size_bytes(); }

 private:
  static bool pass(std::uint64_t& left) {
    if (left == StateFaults::kNever) return true;
    return left > 0 && left-- > 0;
  }
  std::unexpected<Error> fault(const std::string& what) const {
    return fail(faults_.code, "cannot " + what + " the state: a fault that was asked for");
  }

  std::unique_ptr<StateStore> under_;
  StateFaults faults_;
};

}  // namespace coeval::stores
