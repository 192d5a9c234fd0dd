#include <map>
#include <mutex>
#include <utility>

#include "stores/state_store.h"

namespace coeval::stores {

namespace {

/// The state without a disk. It never fails.
class MemoryState final : public StateStore {
 public:
  Result<std::optional<Position>> position() override { return position_; }

  Status write(std::span<const StateUnit> units, Position position) override {
    COEVAL_TRY(check_write(units, position, position_));
    const std::scoped_lock lock(mutex_);
    for (const StateUnit& unit : units) {
      Key key(unit.part, unit.key);
      if (unit.bytes)
        units_.insert_or_assign(std::move(key), std::string(*unit.bytes));
      else
        units_.erase(key);
    }
    position_ = position;
    return {};
  }

  Result<std::vector<std::optional<std::string>>> read(std::span<const UnitKey> keys) override {
    std::vector<std::optional<std::string>> found;
    const std::scoped_lock lock(mutex_);
    for (const UnitKey& key : keys) {
      const auto unit = units_.find({key.part, std::string(key.key)});
      found.push_back(unit == units_.end() ? std::nullopt : std::optional(unit->second));
    }
    return found;
  }

  Status scan(std::uint32_t part, const TakeUnit& take) override {
    for (auto unit = units_.lower_bound({part, {}});
         unit != units_.end() && unit->first.first == part; ++unit)
      COEVAL_TRY(take({part, unit->first.second, unit->second}));
    return {};
  }

  Result<std::uint64_t> size_bytes() override {
    std::uint64_t bytes = 0;
    for (const auto& [key, unit] : units_) bytes += key.second.size() + unit.size();
    return bytes;
  }

 private:
  using Key = std::pair<std::uint32_t, std::string>;
  std::mutex mutex_;  // of units, between read() and write()
  std::map<Key, std::string> units_;
  std::optional<Position> position_;
};

}  // namespace

Status check_write(std::span<const StateUnit> units, Position position,
                   const std::optional<Position>& present) {
  if (present && position < *present)
    return fail(Code::out_of_range, "the state is at log position " +
                                        std::to_string(present->value) + " and cannot go back to " +
                                        std::to_string(position.value));
  for (const StateUnit& unit : units)
    if (unit.part == StateStore::kNoPart)
      return fail(Code::out_of_range,
                  "no part of a state has the number " + std::to_string(StateStore::kNoPart));
  return {};
}

std::unique_ptr<StateStore> make_memory_state() { return std::make_unique<MemoryState>(); }

}  // namespace coeval::stores
