#include "stores/faulty_state_store.h"
#include "stores/state_store_conformance.h"

namespace coeval::stores {

namespace {

const StateStoreMaker kInMemory = {make_memory_state, [](auto store) { return store; }};

}  // namespace

TEST_CASE("the state in memory keeps the contract of StateStore") {
  check_state_store_conformance(kInMemory);
}

TEST_CASE("a decorated store that has no faults keeps the contract") {
  check_state_store_conformance(
      {[] { return std::make_unique<FaultyStateStore>(make_memory_state()); }, kInMemory.reopen});
}

TEST_CASE("faults come when they were asked for, and a failed write may have been done") {
  FaultyStateStore store(make_memory_state());
  const StateUnit one[] = {{0, "k", "one"}}, two[] = {{0, "k", "two"}};
  store.faults().writes_left = 1;
  REQUIRE(store.write(one, Position{1}));
  CHECK(store.write(two, Position{2}).error().code == Code::io);
  CHECK(read_one(store, 0, "k") == "one");
  store.faults().failed_writes_count = true;
  CHECK(!store.write(two, Position{2}));
  CHECK(read_one(store, 0, "k") == "two");
  CHECK(store.position().value() == Position{2});
  store.faults() = {.reads_left = 1, .code = Code::snapshot_corrupt};
  CHECK(read_one(store, 0, "k") == "two");
  const UnitKey keys[] = {{0, "k"}};
  CHECK(store.read(keys).error().code == Code::snapshot_corrupt);
  CHECK(!store.scan(0, [](const StateUnit&) { return Status(); }));
}

}  // namespace coeval::stores
