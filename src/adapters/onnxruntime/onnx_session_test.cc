#include "adapters/onnxruntime/onnx_session.h"

#include <doctest/doctest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "adapters/onnxruntime/library_for_tests.h"
#include "models/test_files.h"

namespace coeval::adapters {
namespace {

std::string file(const std::string& name) { return models::test_data("onnx_" + name + ".onnx"); }

std::shared_ptr<const models::Session> session(const std::string& name) {
  auto opened = open_onnx(onnxruntime_folder(), file(name));
  REQUIRE_MESSAGE(opened.has_value(), (opened ? "" : one_line(opened.error())));
  return *opened;
}

struct Answers {
  std::vector<float> margins, scores;
};

Answers predict(const models::Session& model, std::span<const float> rows) {
  Answers answers;
  answers.margins.resize(rows.size() / model.width());
  answers.scores.resize(answers.margins.size());
  const Status done = model.predict(rows, answers.margins, answers.scores);
  REQUIRE_MESSAGE(done.has_value(), (done ? "" : one_line(done.error())));
  return answers;
}

Error refusal(const std::string& bytes) {
  const auto opened = open_onnx(onnxruntime_folder(), bytes);
  REQUIRE(!opened.has_value());
  return opened.error();
}

/// Rows of three cells and what scikit-learn says of each.
struct PredictedRows {
  std::vector<float> cells, scores;
};
PredictedRows logistic_rows() {
  std::istringstream words(models::test_data("onnx_logistic.rows"));
  PredictedRows rows;
  std::string word;
  for (std::size_t i = 0; words >> word; ++i) {
    std::uint32_t bits = 0;
    std::from_chars(word.data(), word.data() + word.size(), bits, 16);
    (i % 4 < 3 ? rows.cells : rows.scores).push_back(std::bit_cast<float>(bits));
  }
  REQUIRE(rows.scores.size() == 100);
  return rows;
}

bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

}  // namespace

TEST_CASE("a pipeline of scikit-learn answers as scikit-learn does, missing cells too") {
  const auto model = session("logistic");
  const PredictedRows rows = logistic_rows();
  CHECK(model->width() == 3);
  CHECK(model->outputs() == 1);
  CHECK(model->scores() == 1);
  const Answers answers = predict(*model, rows.cells);
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    const double expected = static_cast<double>(rows.scores[i]);
    CHECK(static_cast<double>(answers.scores[i]) == doctest::Approx(expected).epsilon(1e-6));
    // Probabilities alone have their logit as the margin.
    const double p = static_cast<double>(answers.scores[i]);
    CHECK(static_cast<double>(answers.margins[i]) ==
          doctest::Approx(std::log(p / (1 - p))).epsilon(1e-6));
  }
}

TEST_CASE("an output named margin is the margin") {
  const std::vector<float> rows = {1, 2, 3, 0, 0, 0, -1, 0.5f, 2};
  const Answers answers = predict(*session("margin"), rows);
  CHECK(answers.margins == std::vector<float>{-1.5f, 0, -1});
  CHECK(answers.scores[1] == 0.5f);
}

TEST_CASE("a model of a fixed number of rows answers each row") {
  const std::vector<float> rows = {1, 2, 3, 0, 0, 0, -1, 0.5f, 2, 4, 1, 0, 2, 2, 2};
  const Answers fixed = predict(*session("fixed_rows"), rows);
  const Answers any = predict(*session("margin"), rows);
  CHECK(fixed.margins == any.margins);
  CHECK(fixed.scores.size() == 5);
}

TEST_CASE("a row's answer does not depend on its neighbours, though the model's operators do") {
  const auto model = session("neighbours");
  const std::vector<float> rows = {1, 0, 0, 2, 0, 0, 4, 0, 0};
  const Answers together = predict(*model, rows);
  for (std::size_t i = 0; i < 3; ++i) {
    const Answers alone = predict(*model, std::span(rows).subspan(3 * i, 3));
    CHECK(same_bits(alone.scores[0], together.scores[i]));
    CHECK(same_bits(alone.margins[0], together.margins[i]));
    CHECK(alone.scores[0] == 1);
  }
}

TEST_CASE("scores of 0 and 1 have a finite margin") {
  const auto model = session("function");  // twice the margin
  const Answers answers = predict(*model, std::vector<float>{0, 0, 0, 0.5f, 0, 0});
  CHECK(answers.scores == std::vector<float>{0, 1});
  CHECK(std::isfinite(answers.margins[0]));
  CHECK(answers.margins[0] < -80);
  CHECK(answers.margins[1] > 15);
}

TEST_CASE("a row without a finite score is an error that says what to do") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto model = session("margin");
  float margin = 0, score = 0;
  const Status done = model->predict(std::vector<float>{nan, 0, 0}, {&margin, 1}, {&score, 1});
  REQUIRE(!done.has_value());
  CHECK(done.error().code == Code::bad_model);
  CHECK_MESSAGE(done.error().message.contains("no finite score"), done.error().message);
  CHECK(done.error().advice.contains("imputer"));
}

TEST_CASE("what ONNX Runtime refuses is told in its words") {
  const Error unknown = refusal(file("unknown_operator"));
  CHECK(unknown.code == Code::bad_model);
  CHECK_MESSAGE(unknown.message.contains("No Op registered for Reluu"), unknown.message);
  const Error newer = refusal(file("new_opset"));
  CHECK_MESSAGE(newer.message.contains("Opset 99 is under development"), newer.message);
  CHECK_MESSAGE(newer.message.starts_with("ONNX Runtime 1.32.0: ONNX Runtime only"), newer.message);
}

TEST_CASE("a shape that the file hides shows when the first row goes through") {
  const Error shape = refusal(file("wrong_shape"));
  CHECK(shape.code == Code::unsupported);
  CHECK_MESSAGE(shape.message.contains("3 numbers for 1 rows"), shape.message);
}

TEST_CASE("what we refuse never reaches the library: it is not even loaded") {
  const auto opener = onnx_opener("/nowhere");
  CHECK(opener(file("zipmap")).error().code == Code::unsupported);
  CHECK(opener(file("external_data")).error().code == Code::unsupported);
  CHECK(opener("no model").error().code == Code::bad_model);
}

TEST_CASE("a library that is not installed says how to get it") {
  const auto opened = open_onnx("/nowhere", file("margin"));
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code == Code::missing_component);
  CHECK(opened.error().advice.contains("./dev setup"));
}

TEST_CASE("a file cut off anywhere is an error") {
  const std::string whole = file("logistic");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    CHECK(!open_onnx(onnxruntime_folder(), whole.substr(0, size)).has_value());
}

}  // namespace coeval::adapters
