// The examples of `coeval explain`: what they show as wrong gives the code, what they show as right
// checks.
#include <doctest/doctest.h>

#include <algorithm>

#include "base/explanation.h"
#include "define/definition_for_tests.h"

namespace coeval::define {
namespace {

constexpr const char* kDefinition = R"toml([project]
name = "flights"
zone = "UTC"
[source.flights]
path = "flights.parquet"
time = "date"
known = "date + minutes(40 + distance / 7.5)"
[source.flights.columns]
date = { type = "timestamp" }
origin = { type = "string", known = "date" }
distance = { type = "int32", known = "date", min = 0, max = 6000 }
delay = { type = "int32", min = -120, max = 3000 }
[view.origin]
from = "flights"
by = ["origin"]
windows = ["3h"]
late = "mean(delay >= 15)"
[model.late]
question = { from = "flights", at = "date" }
label = "delay >= 15"
inputs = ["weekday"]
split = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
)toml";

// The definition with the line of the same key as `right` replaced; empty when there is none.
std::string with_line(const std::string& right, const std::string& line) {
  const std::string text = kDefinition;
  const std::size_t end_of_key = right.find(" = ");
  if (end_of_key == std::string::npos) return {};
  const std::size_t at = text.find("\n" + right.substr(0, end_of_key + 3));
  if (at == std::string::npos) return {};
  return text.substr(0, at + 1) + line + text.substr(text.find('\n', at + 1));
}

TEST_CASE("examples of explanations do what they say") {
  int tried = 0;
  for (const auto& info : all_codes()) {
    const std::string example(explanation(info.code).example);
    const std::size_t arrow = example.find(" → ");
    if (arrow == std::string::npos) continue;
    const std::string wrong = example.substr(0, arrow);
    const std::string right = example.substr(arrow + std::string(" → ").size());
    // Others are told in words, or are about data.
    if (with_line(right, right).empty() || wrong.find(" = ") == std::string::npos) continue;
    CAPTURE(example);
    const auto errors = check_text(with_line(right, wrong), "coeval.toml").errors;
    const bool given =
        std::ranges::any_of(errors, [&](const Error& error) { return error.code == info.code; });
    CHECK_MESSAGE(given, (errors.empty() ? "no error" : one_line(errors.front())));
    for (const auto& error : check_text(with_line(right, right), "coeval.toml").errors)
      FAIL_CHECK(one_line(error));
    ++tried;
  }
  CHECK(tried >= 12);
}

}  // namespace
}  // namespace coeval::define
