#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "stores/state_store.h"

// What every StateStore must do, as checks that any test can run over its own way to make one.
namespace coeval::stores {

/// How the suite makes stores. `reopen` closes one and opens what it left; a store without a disk
/// gives itself back.
struct StateStoreMaker {
  std::function<std::unique_ptr<StateStore>()> make;
  std::function<std::unique_ptr<StateStore>(std::unique_ptr<StateStore>)> reopen;
};

using StateContent = std::map<std::pair<std::uint32_t, std::string>, std::string>;

/// All units of parts 0 … 4, which must come in the order of their keys.
inline StateContent content_of(StateStore& store) {
  StateContent content;
  for (std::uint32_t part = 0; part < 5; ++part) {
    std::optional<std::string> before;
    const Status scanned = store.scan(part, [&](const StateUnit& unit) -> Status {
      CHECK(unit.part == part);
      CHECK((!before || *before < unit.key));
      before = std::string(unit.key);
      content[{part, std::string(unit.key)}] = *unit.bytes;
      return {};
    });
    CHECK_MESSAGE(scanned.has_value(), (scanned ? std::string() : one_line(scanned.error())));
  }
  return content;
}

inline std::optional<std::string> read_one(StateStore& store, std::uint32_t part,
                                           std::string_view key) {
  const UnitKey keys[] = {{part, key}};
  const auto found = store.read(keys);
  REQUIRE(found.has_value());
  REQUIRE(found->size() == 1);
  return (*found)[0];
}

inline void check_fresh_store(const StateStoreMaker& maker) {
  const auto store = maker.make();
  CHECK(store->position().value() == std::nullopt);
  CHECK(content_of(*store).empty());
  CHECK(read_one(*store, 0, "k") == std::nullopt);
  CHECK(store->read({}).value().empty());
}

inline void check_units_of_any_kind(const StateStoreMaker& maker) {
  auto store = maker.make();
  const std::string large(3'000'000, 'x'), zero(1, '\0'), high("\xff\xff", 2);
  const StateUnit units[] = {
      {0, "", "key of nothing"}, {0, zero, zero},   {0, high, "high"},    {1, "k", ""},
      {1, "large", large},       {256, "k", "far"}, {0, "k", "replaced"}, {0, "k", "the newest"}};
  REQUIRE(store->write(units, Position{0}));
  store = maker.reopen(std::move(store));
  CHECK(store->position().value() == Position{0});
  CHECK(read_one(*store, 0, "") == "key of nothing");
  CHECK(read_one(*store, 0, zero) == zero);
  CHECK(read_one(*store, 0, high) == "high");
  CHECK(read_one(*store, 0, "k") == "the newest");
  CHECK(read_one(*store, 1, "k") == "");
  CHECK(read_one(*store, 1, "large") == large);
  CHECK(read_one(*store, 256, "k") == "far");
  CHECK(read_one(*store, 2, "k") == std::nullopt);
  const UnitKey keys[] = {{1, "none"}, {0, "k"}, {0, "k"}, {256, "k"}};
  const std::vector<std::optional<std::string>> expected = {std::nullopt, "the newest",
                                                            "the newest", "far"};
  CHECK(store->read(keys).value() == expected);
  CHECK(store->size_bytes().has_value());
}

inline void check_positions(const StateStoreMaker& maker) {
  auto store = maker.make();
  const StateUnit one[] = {{0, "k", "one"}}, two[] = {{0, "k", "two"}};
  REQUIRE(store->write(one, Position{7}));
  CHECK(store->write(two, Position{6}).error().code == Code::out_of_range);
  CHECK(read_one(*store, 0, "k") == "one");
  REQUIRE(store->write(two, Position{7}));
  REQUIRE(store->write({}, Position{9}));
  store = maker.reopen(std::move(store));
  CHECK(store->position().value() == Position{9});
  CHECK(read_one(*store, 0, "k") == "two");
  const StateUnit forbidden[] = {{0, "k", "three"}, {StateStore::kNoPart, "k", "x"}};
  CHECK(store->write(forbidden, Position{10}).error().code == Code::out_of_range);
  CHECK(read_one(*store, 0, "k") == "two");
  CHECK(store->position().value() == Position{9});
}

inline void check_scan_ends_with_its_error(const StateStoreMaker& maker) {
  const auto store = maker.make();
  const StateUnit units[] = {{3, "a", "1"}, {3, "b", "2"}, {3, "c", "3"}};
  REQUIRE(store->write(units, Position{1}));
  int seen = 0;
  const Status scanned = store->scan(3, [&](const StateUnit&) -> Status {
    return ++seen < 2 ? Status() : fail(Code::cycle, "enough");
  });
  REQUIRE(!scanned);
  CHECK(scanned.error().code == Code::cycle);
  CHECK(seen == 2);
}

/// Random batches beside a plain map, with restarts.
inline void check_against_a_map(const StateStoreMaker& maker) {
  std::mt19937_64 random(51);
  auto store = maker.make();
  StateContent expected;
  for (std::uint64_t position = 1; position <= 60; ++position) {
    std::vector<std::pair<std::string, std::optional<std::string>>> made;
    std::vector<std::uint32_t> parts;
    for (std::size_t i = random() % 40; i > 0; --i) {
      parts.push_back(static_cast<std::uint32_t>(random() % 4));
      std::string key(random() % 4, static_cast<char>('a' + random() % 3));
      std::optional<std::string> bytes;
      if (random() % 3 != 0) bytes = std::string(random() % 300, static_cast<char>(random()));
      made.emplace_back(std::move(key), std::move(bytes));
    }
    std::vector<StateUnit> units;
    for (std::size_t i = 0; i < made.size(); ++i) {
      units.push_back({parts[i], made[i].first, made[i].second});
      if (made[i].second)
        expected[{parts[i], made[i].first}] = *made[i].second;
      else
        expected.erase({parts[i], made[i].first});
    }
    REQUIRE(store->write(units, Position{position}));
    if (random() % 8 == 0) store = maker.reopen(std::move(store));
    CHECK(store->position().value() == Position{position});
    CHECK((content_of(*store) == expected));
  }
}

inline void check_reads_beside_writes(const StateStoreMaker& maker) {
  const auto store = maker.make();
  constexpr int kWrites = 60, kKeys = 50;
  std::vector<std::string> keys;
  std::vector<UnitKey> asked;
  for (int i = 0; i < kKeys; ++i) keys.push_back("k" + std::to_string(i));
  for (const std::string& key : keys) asked.push_back({1, key});
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (int i = 1; i <= kWrites; ++i) {
      const std::string bytes = std::string(200, 'x') + std::to_string(i);
      std::vector<StateUnit> units;
      for (const std::string& key : keys) units.push_back({1, key, bytes});
      if (!store->write(units, Position{static_cast<std::uint64_t>(i)})) return;
      written = i;
    }
  });
  int newest = 0, rounds = 0;
  bool sound = true;
  while (newest < kWrites && sound && ++rounds < 1'000'000) {
    const int before = written;
    const auto found = store->read(asked);
    if (!found) break;
    for (const auto& unit : *found) {
      if (!unit && before == 0) continue;
      const int number = unit && unit->size() > 200 ? std::stoi(unit->substr(200)) : -1;
      sound = sound && number >= before && number <= kWrites;
      newest = std::max(newest, number);
    }
  }
  writer.join();
  CHECK(sound);
  CHECK(newest == kWrites);
}

inline void check_state_store_conformance(const StateStoreMaker& maker) {
  SUBCASE("a fresh store has nothing") { check_fresh_store(maker); }
  SUBCASE("units of any kind are kept byte for byte") { check_units_of_any_kind(maker); }
  SUBCASE("positions do not go back, and a refused write does nothing") { check_positions(maker); }
  SUBCASE("a scan ends with the error of who takes") { check_scan_ends_with_its_error(maker); }
  SUBCASE("reads beside writes give what was before or after") { check_reads_beside_writes(maker); }
  SUBCASE("batches do what they do to a map, over restarts") { check_against_a_map(maker); }
}

}  // namespace coeval::stores
