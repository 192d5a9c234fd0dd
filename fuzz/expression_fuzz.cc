// Any text as an expression over a row: an expression or errors. What is accepted has the same
// canonical text when it is read again, and the same bits for one row as for a thousand.
// (semantics: A6)

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "base/time_zone.h"
#include "data/column.h"
#include "define/expr.h"
#include "define/project.h"
#include "kernel/evaluate.h"
#include "kernel/random_expressions_for_tests.h"

namespace {

using namespace coeval;

constexpr std::int64_t kRows = 1'030;  // more than a block

struct World {
  define::Project project;
  data::Batch rows;
  std::vector<std::int64_t> at;

  World() {
    const auto zone = TimeZone::find("Europe/Berlin");
    if (!zone) std::abort();
    project.zone = *zone;
    std::mt19937_64 random(1);
    rows = kernel::testing::random_batch(random, kRows);
    for (std::int64_t row = 0; row < kRows; ++row)
      at.push_back(static_cast<std::int64_t>(random() >> 8));
  }
};

const World& world() {
  static const World world;
  return world;
}

bool same(const data::Column& a, std::int64_t i, const data::Column& b, std::int64_t j) {
  if (a.is_null(i) || b.is_null(j)) return a.is_null(i) == b.is_null(j);
  const data::Value x = a.value(i), y = b.value(j);
  if (const auto* real = std::get_if<double>(&x))
    return std::bit_cast<std::uint64_t>(*real) == std::bit_cast<std::uint64_t>(std::get<double>(y));
  return x == y;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto read = [&] {
    return define::compile_expression(text, world().rows.schema, true, "fuzz", &world().project);
  };
  const auto expr = read();
  if (!expr) {
    if (define::render(expr.error(), text, true).empty()) std::abort();
    return 0;
  }
  if (define::canonical(**expr) != define::canonical(**read())) std::abort();
  kernel::EvaluationCounts counts;
  const data::Column many = kernel::evaluate(**expr, world().rows, world().at, counts);
  if (many.size() != kRows || many.type() != (*expr)->type) std::abort();
  for (const std::int64_t row : {0, 1, 77, 500, 1'022, 1'023, 1'024, 1'029}) {
    const std::array<std::int64_t, 1> rows = {row};
    const std::array<std::int64_t, 1> at = {world().at[static_cast<std::size_t>(row)]};
    kernel::EvaluationCounts one_count;
    const data::Column one =
        kernel::evaluate(**expr, data::take(world().rows, rows), at, one_count);
    if (one.size() != 1 || !same(many, row, one, 0)) std::abort();
  }
  return 0;
}
