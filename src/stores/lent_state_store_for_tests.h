#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stores/state_store.h"

namespace coeval::stores {

/// A store that outlives the servers that have it.
class LentStore final : public StateStore {
 public:
  explicit LentStore(StateStore& store) : store_(store) {}
  Result<std::optional<Position>> position() override { return store_.position(); }
  Status write(std::span<const StateUnit> units, Position position) override {
    return store_.write(units, position);
  }
  Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) override {
    return store_.read(keys);
  }
  Status scan(std::uint32_t part, const TakeUnit& take) override { return store_.scan(part, take); }
  Status verify() override { return store_.verify(); }
  Result<std::uint64_t> size_bytes() override { return store_.size_bytes(); }

 private:
  StateStore& store_;
};

}  // namespace coeval::stores
