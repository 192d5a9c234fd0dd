#include "kernel/bucket_functions.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "base/check.h"
#include "data/hash.h"
#include "kernel/block_rows.h"
#include "kernel/total_order.h"

namespace coeval::kernel {

namespace {

using define::Expr;
using define::Op;

double real_constant(const Expr& literal) {
  if (const auto* integer = std::get_if<std::int64_t>(&literal.literal))
    return static_cast<double>(*integer);
  return std::get<double>(literal.literal);
}

std::int64_t integer_constant(const Expr& literal) {
  return std::get<std::int64_t>(literal.literal);
}

// The same bytes on every machine.
std::uint64_t hash_of(std::uint64_t value) {
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<char>(value >> 8 * i & 0xFFU);
  return data::xxh3_64({bytes.data(), bytes.size()});
}

std::uint64_t hash_of(double value) {
  if (value == 0) value = 0;  // −0 as well
  return hash_of(std::bit_cast<std::uint64_t>(canonical_value(value)));
}

Slice hash_bucket(const Expr& expr, const Slice& a, const BlockContext& block) {
  const auto buckets = static_cast<std::uint64_t>(integer_constant(*expr.args[1]));
  const auto bucket = [&](auto hash) {
    return sure_rows<std::int64_t>(a.valid, block, [&, hash](std::size_t i) {
      return static_cast<std::int64_t>(hash(i) % buckets);
    });
  };
  switch (lane_of(expr.args[0]->type)) {
    case Lane::boolean:
      return bucket([&](std::size_t i) { return hash_of(std::uint64_t{a.booleans[i]}); });
    case Lane::integer:
      return bucket(
          [&](std::size_t i) { return hash_of(static_cast<std::uint64_t>(a.integers[i])); });
    case Lane::real:
      return bucket([&](std::size_t i) { return hash_of(a.reals[i]); });
    default:
      return bucket([&](std::size_t i) { return data::xxh3_64(a.strings[i]); });
  }
}

template <class T, class Constant>
Slice bucketize(const Expr& expr, const T* values, const Slice& a, const BlockContext& block,
                Constant constant) {
  std::vector<T> boundaries;
  for (std::size_t i = 1; i < expr.args.size(); ++i) boundaries.push_back(constant(*expr.args[i]));
  return sure_rows<std::int64_t>(a.valid, block, [&](std::size_t i) {
    // A NaN is below no boundary.
    const auto above = std::ranges::upper_bound(boundaries, values[i]);
    return above - boundaries.begin();
  });
}

Slice width_bucket(const Expr& expr, const Slice& a, const BlockContext& block) {
  const double low = real_constant(*expr.args[1]), high = real_constant(*expr.args[2]);
  const std::int64_t parts = integer_constant(*expr.args[3]);
  return sure_rows<std::int64_t>(a.valid, block, [&](std::size_t i) {
    const double x = a.reals[i];
    if (x < low) return std::int64_t{0};
    if (!(x < high)) return parts + 1;
    const double place = (x - low) / (high - low) * static_cast<double>(parts);
    return std::min(static_cast<std::int64_t>(place), parts - 1) + 1;  // rounded up to the end
  });
}

}  // namespace

Slice bucket_function(const Expr& expr, const Slice& a, const BlockContext& block) {
  switch (expr.op) {
    case Op::fn_hash_bucket:
      return hash_bucket(expr, a, block);
    case Op::fn_bucketize:
      if (lane_of(expr.args[0]->type) == Lane::real)
        return bucketize(expr, a.reals, a, block, real_constant);
      return bucketize(expr, a.integers, a, block, integer_constant);
    default:
      COEVAL_CHECK(expr.op == Op::fn_width_bucket);
      return width_bucket(expr, a, block);
  }
}

}  // namespace coeval::kernel
