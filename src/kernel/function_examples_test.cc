#include <doctest/doctest.h>

#include "define/functions.h"
#include "kernel/evaluate.h"

namespace coeval::kernel {
namespace {

// A value as the reference writes it.
std::string written(const data::Value& value, data::Type type) {
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  return data::to_text(value, type);
}

TEST_CASE("each function's example has the value that the reference states") {
  data::Batch one_row;
  one_row.rows = 1;
  for (const auto& function : define::functions()) {
    CAPTURE(function.example);
    const auto expr =
        define::compile_expression(std::string(function.example), one_row.schema, false, "example");
    REQUIRE(expr);
    EvaluationCounts counts;
    const data::Column column = evaluate(**expr, one_row, {}, counts);
    CHECK(written(column.value(0), (*expr)->type) == function.expected);
    CHECK(counts == EvaluationCounts{});
  }
}

}  // namespace
}  // namespace coeval::kernel
