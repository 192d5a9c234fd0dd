#include "serving/request_keys.h"

#include <doctest/doctest.h>

#include "stores/request_record.h"

namespace coeval::serving {
namespace {

constexpr data::Hash128 kBody{1, 2};

data::Hash128 key(std::uint64_t number) { return {number, 7}; }

TEST_CASE("a key is known for a day of known time") {
  RequestKeys keys;
  keys.add(key(1), {kBody, Position{5}, 1000});
  REQUIRE(keys.find(key(1), 1000).has_value());
  CHECK(keys.find(key(1), 1000)->position == Position{5});
  CHECK(keys.find(key(1), 1000)->body == kBody);
  CHECK(keys.find(key(1), 1000 + kDayUs).has_value());
  CHECK_FALSE(keys.find(key(1), 1001 + kDayUs).has_value());
  CHECK_FALSE(keys.find(key(2), 1000).has_value());
  keys.add(key(2), {kBody, Position{6}, 1001 + kDayUs});
  CHECK(keys.size() == 1);
}

TEST_CASE("of too many keys the oldest are forgotten, and a key that was used again is not old") {
  RequestKeys keys(3);
  for (std::uint64_t i = 0; i < 3; ++i) keys.add(key(i), {kBody, Position{i}, 0});
  keys.add(key(0), {{3, 4}, Position{3}, 0});
  keys.add(key(9), {kBody, Position{4}, 0});
  CHECK(keys.size() == 3);
  CHECK(keys.find(key(0), 0)->body == data::Hash128{3, 4});
  CHECK_FALSE(keys.find(key(1), 0).has_value());
  CHECK(keys.find(key(2), 0).has_value());
  for (std::uint64_t i = 10; i < 100'000; ++i) keys.add(key(i), {kBody, Position{i}, 0});
  CHECK(keys.size() == 3);
}

TEST_CASE("keys before any known time, and at the end of time, are kept") {
  RequestKeys keys;
  keys.add(key(1), {kBody, Position{0}, INT64_MIN});
  CHECK(keys.find(key(1), INT64_MIN).has_value());
  keys.add(key(2), {kBody, Position{1}, INT64_MAX});
  CHECK(keys.find(key(2), INT64_MAX).has_value());
}

TEST_CASE("a record of the log is a key") {
  RequestKeys keys;
  const std::string payload = stores::encode(stores::RequestRecord{0, key(4), kBody, 200, "{}"});
  keys.add(stores::Record{Position{8}, stores::RecordKind::request, KnownTime{50}, 0, 0, payload});
  REQUIRE(keys.find(key(4), 50).has_value());
  CHECK(keys.find(key(4), 50)->position == Position{8});
}

TEST_CASE("source and key, body and moment, do not run into one another") {
  CHECK(RequestKeys::key_hash("ab", "c") != RequestKeys::key_hash("a", "bc"));
  CHECK(RequestKeys::key_hash("a", "b") == RequestKeys::key_hash("a", "b"));
  CHECK(RequestKeys::body_hash("x", {}) != RequestKeys::body_hash("y", {}));
  CHECK(RequestKeys::body_hash("x", {}) != RequestKeys::body_hash("x", 0));
  CHECK(RequestKeys::body_hash("x", 1) != RequestKeys::body_hash("x", 0));
}

}  // namespace
}  // namespace coeval::serving
