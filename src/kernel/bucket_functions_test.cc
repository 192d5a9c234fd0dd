#include "kernel/bucket_functions.h"

#include <doctest/doctest.h>

#include <limits>

#include "kernel/evaluated_for_tests.h"

namespace coeval::kernel {
namespace {

using data::Type;
using data::Value;
using testing::batch_of;
using testing::evaluated;
using testing::value_of;

Value n(std::int64_t value) { return Value{value}; }

// XXH3-64, seed 0, by the xxhash Python package 3.5.0 over struct.pack.
TEST_CASE("buckets are XXH3-64 of the bytes, as any other program computes them") {
  CHECK(value_of("hash_bucket('', 1000000000)") == n(0x2D06800538D394C2 % 1'000'000'000));
  CHECK(value_of("hash_bucket('abc', 1000000000)") == n(0x78AF5F94892F3950 % 1'000'000'000));
  CHECK(value_of("hash_bucket(1, 1000000000)") == n(0x2FBC593564DB792E % 1'000'000'000));
  CHECK(value_of("hash_bucket(-7, 1000000000)") == n(0xCDEDDD5C08597FB4 % 1'000'000'000));
  CHECK(value_of("hash_bucket(0.5, 1000000000)") == n(0x5DA9C77A7C72DE31 % 1'000'000'000));
  CHECK(value_of("hash_bucket(cast('nan' as float64), 1000000000)") ==
        n(0x0AA61DCFA381C167 % 1'000'000'000));
}

TEST_CASE("equal values fall into equal buckets, whatever their type's width") {
  EvaluationCounts counts;
  const auto bucket = [&](Type type, const Value& value) {
    return evaluated("hash_bucket(x, 1000000000)", batch_of(type, {value}), counts).integer(0);
  };
  CHECK(bucket(Type::int32, std::int64_t{-7}) == bucket(Type::int64, std::int64_t{-7}));
  CHECK(bucket(Type::float32, 0.5) == bucket(Type::float64, 0.5));
  CHECK(bucket(Type::float64, 0.0) == bucket(Type::float64, -0.0));
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(bucket(Type::float64, nan) == bucket(Type::float64, -nan));
  CHECK(bucket(Type::int64, std::int64_t{1}) != bucket(Type::float64, 1.0));
  CHECK(bucket(Type::boolean, true) == bucket(Type::int64, std::int64_t{1}));
  CHECK(evaluated("hash_bucket(x, 8)", batch_of(Type::string, {Value{}}), counts).is_null(0));
}

// By numpy 2.4.6: numpy.digitize(x, [1, 5, 10]).
TEST_CASE("bucketize is numpy.digitize") {
  const data::Batch batch = batch_of(
      Type::float64, {-1.0, 1.0, 4.999, 5.0, 10.0, 11.0, std::numeric_limits<double>::quiet_NaN(),
                      -std::numeric_limits<double>::infinity()});
  EvaluationCounts counts;
  const data::Column found = evaluated("bucketize(x, 1, 5, 10)", batch, counts);
  const std::vector<std::int64_t> expected = {0, 1, 1, 2, 3, 3, 3, 0};
  for (std::int64_t row = 0; row < batch.rows; ++row)
    CHECK(found.integer(row) == expected[static_cast<std::size_t>(row)]);
  // Integers are compared as integers: as float64 these two are one.
  const data::Batch large = batch_of(Type::int64, {(std::int64_t{1} << 53) + 1});
  CHECK(evaluated("bucketize(x, 9007199254740992, 9007199254740994)", large, counts).value(0) ==
        n(1));
  CHECK(value_of("bucketize(null, 1, 5)") == Value{});
}

TEST_CASE("width_bucket gives what PostgreSQL's manual and the standard say") {
  CHECK(value_of("width_bucket(5.35, 0.024, 10.06, 5)") == n(3));  // the manual's example
  CHECK(value_of("width_bucket(0, 0, 10, 5)") == n(1));
  CHECK(value_of("width_bucket(-0.1, 0, 10, 5)") == n(0));
  CHECK(value_of("width_bucket(10, 0, 10, 5)") == n(6));
  CHECK(value_of("width_bucket(9.999999999999998, 0, 10, 5)") == n(5));
  CHECK(value_of("width_bucket(cast('nan' as float64), 0, 10, 5)") == n(6));
  CHECK(value_of("width_bucket(cast('-inf' as float64), 0, 10, 5)") == n(0));
  // The quotient rounds up to the end, the bucket does not.
  CHECK(value_of("width_bucket(0.29999999999999993, 0, 0.3, 3)") == n(3));
}

}  // namespace
}  // namespace coeval::kernel
