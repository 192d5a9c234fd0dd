#include "kernel/block_loops.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/rounds_for_tests.h"
#include "kernel/block_bits.h"

namespace coeval::kernel {
namespace {

using define::Op;

constexpr Op kArithmetic[] = {Op::add, Op::subtract, Op::multiply, Op::divide};
constexpr Op kComparisons[] = {Op::equal,      Op::not_equal, Op::less,
                               Op::less_equal, Op::greater,   Op::greater_equal};
constexpr Op kSigns[] = {Op::negate, Op::fn_abs};
constexpr Op kFunctions[] = {Op::fn_sqrt, Op::fn_floor, Op::fn_ceil, Op::fn_trunc};

double any_real(std::mt19937_64& random) {
  using Limits = std::numeric_limits<double>;
  constexpr double kEdges[] = {0.0,
                               -0.0,
                               Limits::infinity(),
                               -Limits::infinity(),
                               Limits::quiet_NaN(),
                               Limits::denorm_min(),
                               -3e-310,
                               Limits::min(),
                               Limits::max(),
                               -Limits::max(),
                               0x1p52,
                               -0x1.fffffffffffffp51,
                               0x1p53,
                               0.5,
                               -0.5,
                               -1.5};
  switch (random() % 4) {
    case 0:
      return kEdges[random() % std::size(kEdges)];
    case 1:
      return std::bit_cast<double>(random());  // of any size; now and then a NaN with a payload
    case 2:
      return static_cast<double>(static_cast<std::int64_t>(random() % 41) - 20) / 4;
    default:
      return std::bit_cast<double>(0x7FF0000000000001 | (random() & 0x800FFFFFFFFFFFFF));  // NaN
  }
}

// `wild` says whether sums and products of them may overflow.
std::int64_t any_integer(std::mt19937_64& random, bool wild) {
  constexpr std::int64_t kEdges[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, INT64_MAX - 1,
                                     INT32_MIN, INT32_MAX,     -1,        0};
  constexpr std::int64_t kBounds[] = {INT32_MIN, INT32_MAX, -1, 0, 1};
  if (!wild)
    return random() % 4 == 0 ? kBounds[random() % std::size(kBounds)]
                             : static_cast<std::int32_t>(random());
  switch (random() % 3) {
    case 0:
      return kEdges[random() % std::size(kEdges)];
    case 1:
      return static_cast<std::int64_t>(random());
    default:
      return static_cast<std::int64_t>(random() % 41) - 20;
  }
}

// Values that begin anywhere in their cache line, with nothing to read behind them.
template <class T, class Make>
std::vector<T> values(std::size_t offset, std::size_t rows, Make make) {
  std::vector<T> out(offset);
  for (std::size_t i = 0; i < rows; ++i) out.push_back(make());
  out.shrink_to_fit();
  return out;
}

std::uint64_t key(double x) {
  return std::isnan(x) ? 0x7FF8000000000000 : std::bit_cast<std::uint64_t>(x);
}
std::uint64_t key(std::int64_t x) { return static_cast<std::uint64_t>(x); }
std::uint64_t key(std::uint8_t x) { return x; }

// Arrays of one length that begin at their own offsets, and the loops to compare.
struct Case {
  const BlockLoops& found;
  std::size_t rows;
  std::size_t offset;
  std::vector<double> a, b;
  std::vector<std::int64_t> m, n;
  std::vector<std::int32_t> narrow;
  std::vector<float> floats;
  std::vector<std::uint8_t> choose;

  const double* x() const { return a.data() + offset; }
  const double* y() const { return b.data() + offset / 2; }
  const std::int64_t* i() const { return m.data() + offset; }
  const std::int64_t* j() const { return n.data() + offset / 2; }

  // `run(loops, out)` for both; where it refuses, what it has left is not looked at.
  template <class T, class Run>
  void same(Run run) const {
    constexpr T kFence = 42;
    std::vector<T> by_plain(offset + rows + 1, kFence), by_found(by_plain);
    const bool sure = run(plain_loops(), by_plain.data() + offset);
    const bool found_sure = run(found, by_found.data() + offset);
    REQUIRE((sure || !found_sure));  // what does not fit is never overlooked
    REQUIRE(by_found.back() == kFence);
    for (std::size_t row = 0; found_sure && row < offset + rows; ++row)
      REQUIRE(key(by_found[row]) == key(by_plain[row]));
  }
};

// What is void in loops becomes "sure".
template <class Run>
bool done(Run run) {
  run();
  return true;
}

void check_reals(const Case& c) {
  for (const Op op : kArithmetic)
    c.same<double>([&](const BlockLoops& loops, double* out) {
      return done([&] { loops.real_arithmetic(op, c.x(), c.y(), out, c.rows); });
    });
  for (const Op op : kSigns)
    c.same<double>([&](const BlockLoops& loops, double* out) {
      return done([&] { loops.real_sign(op, c.x(), out, c.rows); });
    });
  for (const Op op : kFunctions)
    c.same<double>([&](const BlockLoops& loops, double* out) {
      return done([&] { loops.real_function(op, c.x(), out, c.rows); });
    });
  for (const Op op : kComparisons)
    c.same<std::uint8_t>([&](const BlockLoops& loops, std::uint8_t* out) {
      return done([&] { loops.compare_reals(op, c.x(), c.y(), out, c.rows); });
    });
  for (const bool greatest : {false, true})
    c.same<double>([&](const BlockLoops& loops, double* out) {
      return done([&] { loops.extreme_reals(greatest, c.x(), c.y(), out, c.rows); });
    });
  std::vector<double> canonical(c.rows);
  c.found.canonical(c.x(), canonical.data(), c.rows);
  for (std::size_t row = 0; row < c.rows; ++row)
    REQUIRE(std::bit_cast<std::uint64_t>(canonical[row]) == key(c.x()[row]));
  REQUIRE(c.found.any_zero(c.x(), c.rows) == plain_loops().any_zero(c.x(), c.rows));
}

void check_integers(const Case& c) {
  for (const Op op : {Op::add, Op::subtract, Op::multiply})
    c.same<std::int64_t>([&](const BlockLoops& loops, std::int64_t* out) {
      return loops.integer_arithmetic(op, c.i(), c.j(), out, c.rows);
    });
  for (const Op op : kSigns)
    c.same<std::int64_t>([&](const BlockLoops& loops, std::int64_t* out) {
      return loops.integer_sign(op, c.i(), out, c.rows);
    });
  for (const Op op : kComparisons)
    c.same<std::uint8_t>([&](const BlockLoops& loops, std::uint8_t* out) {
      return done([&] { loops.compare_integers(op, c.i(), c.j(), out, c.rows); });
    });
  for (const bool greatest : {false, true})
    c.same<std::int64_t>([&](const BlockLoops& loops, std::int64_t* out) {
      return done([&] { loops.extreme_integers(greatest, c.i(), c.j(), out, c.rows); });
    });
  c.same<std::int64_t>([&](const BlockLoops& loops, std::int64_t* out) {
    return done([&] { loops.select(c.choose.data(), c.i(), c.j(), out, c.rows); });
  });
}

void check_casts(const Case& c) {
  c.same<double>([&](const BlockLoops& loops, double* out) {
    return done([&] { loops.integers_to_reals(c.i(), out, c.rows); });
  });
  c.same<std::int64_t>([&](const BlockLoops& loops, std::int64_t* out) {
    return done([&] { loops.int32_to_integers(c.narrow.data() + c.offset, out, c.rows); });
  });
  c.same<double>([&](const BlockLoops& loops, double* out) {
    return done([&] { loops.int32_to_reals(c.narrow.data() + c.offset, out, c.rows); });
  });
  c.same<double>([&](const BlockLoops& loops, double* out) {
    return done([&] { loops.float32_to_reals(c.floats.data() + c.offset, out, c.rows); });
  });
}

Case random_case(const BlockLoops& loops, std::mt19937_64& random) {
  const std::size_t rows = random() % 200, offset = random() % 9;
  // Numbers that may not fit: none, in each row, or in a row now and then, which none else hides.
  constexpr std::uint64_t kNever = 0;
  const std::uint64_t every = std::array<std::uint64_t, 3>{kNever, 1, 100}[random() % 3];
  const auto real = [&] { return any_real(random); };
  const auto integer = [&] {
    return any_integer(random, every != kNever && random() % every == 0);
  };
  return {loops,
          rows,
          offset,
          values<double>(offset, rows, real),
          values<double>(offset / 2, rows, real),
          values<std::int64_t>(offset, rows, integer),
          values<std::int64_t>(offset / 2, rows, integer),
          values<std::int32_t>(offset, rows, [&] { return static_cast<std::int32_t>(random()); }),
          values<float>(offset, rows, [&] { return static_cast<float>(any_real(random)); }),
          values<std::uint8_t>(0, rows, [&] { return static_cast<std::uint8_t>(random() % 2); })};
}

TEST_CASE("every instruction set gives the bits of the plain loops") {
  std::mt19937_64 random(11);
  for (const BlockLoops* loops : all_loops()) {
    INFO(std::string(loops->name));
    for (int round = 0; round < test_rounds(2000); ++round) {
      const Case c = random_case(*loops, random);
      check_reals(c);
      check_integers(c);
      check_casts(c);
    }
  }
}

TEST_CASE("vectors of factors and sums that fit are not refused") {
  const std::vector<std::int64_t> a(100, INT32_MIN), b(100, INT32_MAX);
  std::vector<std::int64_t> out(100);
  for (const BlockLoops* loops : all_loops()) {
    INFO(std::string(loops->name));
    for (const Op op : {Op::add, Op::subtract, Op::multiply})
      CHECK(loops->integer_arithmetic(op, a.data(), b.data(), out.data(), 100));
    CHECK(out[57] == std::int64_t{INT32_MIN} * INT32_MAX);
    CHECK(loops->integer_sign(Op::negate, a.data(), out.data(), 100));
  }
}

TEST_CASE("bits become bytes and bytes bits, from any row on") {
  std::mt19937_64 random(12);
  for (int round = 0; round < test_rounds(3000); ++round) {
    const std::size_t first = random() % 20, rows = random() % 100;
    std::vector<std::uint8_t> bits(16, 0xFF), bytes(rows), set(16), cleared(16, 0xFF);
    if (round % 3 == 1) bits[random() % 16] = 0xFB;
    if (round % 3 == 2)
      std::ranges::generate(bits, [&] { return static_cast<std::uint8_t>(random()); });
    const bool all = bytes_of_bits(bits.data(), first, bytes.data(), rows);
    set_bits(bytes.data(), set.data(), first, rows);
    clear_bits(bytes.data(), cleared.data(), first, rows);
    REQUIRE(all == (std::ranges::count(bytes, 1) == std::ssize(bytes)));
    for (std::size_t row = 0; row < 128; ++row) {
      const bool inside = row >= first && row < first + rows;
      const bool bit = (bits[row / 8] >> row % 8 & 1) != 0;
      if (inside) REQUIRE(bytes[row - first] == (bit ? 1 : 0));
      REQUIRE(bit_at(set.data(), row) == (inside && bit));
      REQUIRE(bit_at(cleared.data(), row) == (!inside || bit));
    }
  }
}

TEST_CASE("the quickest loops are those of a known instruction set, or plain") {
  CHECK(all_loops().front() == &plain_loops());
  CHECK(std::ranges::find(all_loops(), &quickest_loops()) != all_loops().end());
}

}  // namespace
}  // namespace coeval::kernel
