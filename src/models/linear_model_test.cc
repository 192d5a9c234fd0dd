#include "models/linear_model.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"

namespace coeval::models {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

LinearParts sample() {
  LinearParts parts;
  parts.intercept = -0.5;
  parts.terms.push_back({.name = "distance",
                         .mean = 0.1,
                         .coefficient = 1.0 / 3,
                         .coefficients = {},
                         .missing = 0.75});
  parts.terms.push_back(
      {.name = "carrier", .categorical = true, .coefficients = {0.5, -0.25}, .missing = 2});
  parts.fit = {.l1 = 0, .l2 = 1e-4, .iterations = 7, .converged = true, .gap = 1e-12};
  return parts;
}

LinearModel model_of(LinearParts parts) {
  auto made = LinearModel::make(std::move(parts));
  REQUIRE_MESSAGE(made.has_value(), (made ? "" : one_line(made.error())));
  return *made;
}

Error error_of(const std::string& text) {
  const auto read = LinearModel::read(text);
  REQUIRE(!read.has_value());
  return read.error();
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE_MESSAGE(at != std::string::npos, what);
  return text.replace(at, what.size(), by);
}

}  // namespace

TEST_CASE("a margin is the intercept and each column's term, in order, in float64") {
  const LinearModel model = model_of(sample());
  const double third = 1.0 / 3;
  CHECK(model.margin(std::array{4.0f, 1.0f}) == (-0.5 + third * (4.0 - 0.1)) + -0.25);
  // semantics: missing is NaN; what is not finite cannot be weighed and counts the same
  for (const float missing : {kNan, kInfinity, -kInfinity})
    CHECK(model.margin(std::array{missing, missing}) == (-0.5 + 0.75) + 2);
}

TEST_CASE("a category that training never saw adds nothing") {
  const LinearModel model = model_of(sample());
  const double without = model.margin(std::array{4.0f, 2.0f});
  CHECK(without == -0.5 + 1.0 / 3 * (4.0 - 0.1));
  for (const float code : {-1.0f, 0.5f, 3.0f, 1e30f, -1e30f})
    CHECK(model.margin(std::array{4.0f, code}) == without);
  CHECK(model.margin(std::array{4.0f, -0.0f}) == model.margin(std::array{4.0f, 0.0f}));
}

TEST_CASE("the score is the logistic of the margin, within one step at either end") {
  const LinearModel model = model_of(sample());
  CHECK(model.transform(0) == 0.5);
  CHECK(model.transform(800) == 1);
  CHECK(model.transform(-800) == 0);
  for (const double margin : {-40.0, -3.0, -0.1, 1e-9, 0.7, 5.0, 35.0}) {
    const auto exact = 1 / (1 + std::exp(-static_cast<long double>(margin)));
    CHECK(std::abs(static_cast<double>(model.transform(margin) - exact)) <=
          4e-16 * static_cast<double>(exact));
  }
  LinearParts plain = sample();
  plain.link = LinearLink::identity;
  CHECK(model_of(plain).transform(-7.5) == -7.5);
}

TEST_CASE("one row alone and inside a block have the same bits, in both precisions") {
  const LinearModel model = model_of(sample());
  std::vector<float> rows;
  for (int i = 0; i < 100; ++i) {
    rows.push_back(i % 9 == 0 ? kNan : static_cast<float>(i) * 0.37f);
    rows.push_back(static_cast<float>(i % 4));
  }
  std::vector<float> margins(100), scores(100);
  std::vector<double> wide_margins(100), wide_scores(100);
  model.predict(rows, margins, scores);
  model.predict(rows, wide_margins, wide_scores);
  for (std::size_t i = 0; i < 100; ++i) {
    float margin = 0, score = 0;
    model.predict(std::span(rows).subspan(2 * i, 2), {&margin, 1}, {&score, 1});
    CHECK(std::bit_cast<std::uint32_t>(margin) == std::bit_cast<std::uint32_t>(margins[i]));
    CHECK(std::bit_cast<std::uint32_t>(score) == std::bit_cast<std::uint32_t>(scores[i]));
    CHECK(static_cast<float>(wide_margins[i]) == margins[i]);
    CHECK(static_cast<float>(wide_scores[i]) == scores[i]);
  }
}

TEST_CASE("a file reads back as the model it was written from") {
  const LinearModel model = model_of(sample());
  const std::string text = model.to_text();
  CHECK(is_linear_model(text));
  const auto read = LinearModel::read(text);
  REQUIRE_MESSAGE(read.has_value(), (read ? "" : one_line(read.error())));
  CHECK(read->parts() == model.parts());
  CHECK(read->to_text() == text);
}

TEST_CASE("a damaged file is refused by the name of what is wrong") {
  const std::string text = model_of(sample()).to_text();
  CHECK(error_of("{}").message.find("does not begin with") != std::string::npos);
  CHECK(error_of(text.substr(0, text.size() / 2)).code == Code::bad_model);
  CHECK(error_of(replaced(text, "\"version\":1", "\"version\":2")).code == Code::unsupported);
  const struct {
    const char *what, *by, *words;
  } damages[] = {
      {"logistic", "probit", "the link 'probit'"},
      {"\"intercept\":-0.5", "\"intercept\":\"NaN\"", "'intercept' is not a number"},
      {"\"intercept\":-0.5", "\"intercept\":1e300", "not finite or too large"},
      {"\"missing\":0.75", "\"missing\":1e201", "'distance' has a number"},
      {"[0.5,-0.25]", "[0.5,null]", "a coefficient of 'carrier'"},
      {"[0.5,-0.25]", "0.5", "'coefficients' of 'carrier'"},
      {"\"kind\":\"number\"", "\"kind\":\"word\"", "is of kind 'word'"},
      {"\"name\":\"carrier\"", "\"name\":\"distance\"", "two columns are named"},
      {"\"name\":\"carrier\"", "\"name\":\"\"", "has no name"},
      {"\"converged\":true", "\"converged\":1", "'converged'"},
      {"\"iterations\":7", "\"iterations\":-7", "'iterations'"},
  };
  for (const auto& damage : damages) {
    const Error error = error_of(replaced(text, damage.what, damage.by));
    CHECK(error.code == Code::bad_model);
    CHECK_MESSAGE(error.message.find(damage.words) != std::string::npos, error.message);
  }
}

}  // namespace coeval::models
