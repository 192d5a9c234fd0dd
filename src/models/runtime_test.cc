#include "models/runtime.h"

#include <doctest/doctest.h>

#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/contributions.h"
#include "models/test_files.h"

namespace coeval::models {
namespace {

LinearModel small_linear() {
  return *LinearModel::make({.link = LinearLink::logistic,
                             .intercept = 0.25,
                             .terms = {{.name = "distance",
                                        .mean = 2,
                                        .coefficient = 0.5,
                                        .coefficients = {},
                                        .missing = -1,
                                        .average = 0.125},
                                       {.name = "carrier",
                                        .categorical = true,
                                        .coefficients = {1, -2},
                                        .missing = 3,
                                        .average = 0.5}},
                             .fit = {}});
}

/// Margins are the sums of a row's cells.
class SumSession : public Session {
 public:
  std::size_t width() const override { return 2; }
  std::size_t outputs() const override { return 1; }
  std::size_t scores() const override { return 1; }
  std::size_t memory_bytes() const override { return 77; }
  Status predict(std::span<const float> rows, std::span<float> margins,
                 std::span<float> scores) const override {
    for (std::size_t i = 0; i < margins.size(); ++i) {
      margins[i] = rows[2 * i] + rows[2 * i + 1];
      if (margins[i] > 100) return fail(Code::bad_model, "the session stopped");
      scores[i] = 0.5f;
    }
    return {};
  }
};

Openers sum_opener() {
  return {.onnx = [](std::string_view) -> Result<std::shared_ptr<const Session>> {
    return std::make_shared<SumSession>();
  }};
}

const std::string kOnnxBytes("\x08\x09\x12\x00", 4);

}  // namespace

TEST_CASE("a model file is told by how it begins") {
  CHECK(format_of(test_data("v3_4.ubj")) == ModelFormat::xgboost_ubj);
  CHECK(format_of("{\"learner\":{}}") == ModelFormat::xgboost_json);
  CHECK(format_of("tree\nversion=v4\n") == ModelFormat::lightgbm);
  CHECK(format_of(small_linear().to_text()) == ModelFormat::linear);
  CHECK(format_of(kOnnxBytes) == ModelFormat::onnx);
  CHECK(std::string(file_name(ModelFormat::onnx)) == "model.onnx");
  CHECK(std::string(file_name(format_of(small_linear().to_text()))) == "model.linear.json");
}

TEST_CASE("a runtime answers as the model behind it") {
  const std::string bytes = test_data("v3_4.ubj");
  const auto forest = Forest::read(bytes);
  const auto runtime = Runtime::read(bytes);
  REQUIRE(forest.has_value());
  REQUIRE(runtime.has_value());
  CHECK(std::string(runtime->kind()) == "forest");
  CHECK(runtime->width() == forest->width());
  CHECK(runtime->memory_bytes() == forest->memory_bytes());
  const PredictedRows rows = predicted_rows("v3_4.rows");
  std::vector<float> margins(200), scores(200);
  REQUIRE(runtime->predict(rows.cells, margins, scores).has_value());
  CHECK(margins == rows.margins);
  CHECK(scores == rows.outputs);
}

TEST_CASE("a session is opened by whom cli names, and its errors arrive") {
  const auto without = Runtime::read(kOnnxBytes);
  REQUIRE(!without.has_value());
  CHECK(without.error().code == Code::missing_component);
  const auto runtime = Runtime::read(kOnnxBytes, sum_opener());
  REQUIRE(runtime.has_value());
  CHECK(std::string(runtime->kind()) == "onnx");
  CHECK(runtime->memory_bytes() == 77);
  float margin = 0, score = 0;
  REQUIRE(runtime->predict(std::array{1.5f, 2.0f}, {&margin, 1}, {&score, 1}).has_value());
  CHECK(margin == 3.5f);
  const Status failed = runtime->predict(std::array{99.0f, 2.0f}, {&margin, 1}, {&score, 1});
  REQUIRE(!failed.has_value());
  CHECK(failed.error().message == "the session stopped");
}

TEST_CASE("contributions of a linear model are exact, of an ONNX model refused") {
  const auto linear = Contributions::read(small_linear().to_text());
  REQUIRE(linear.has_value());
  CHECK(linear->width() == 2);
  CHECK(linear->outputs() == 1);
  std::array<double, 3> out{};
  linear->of(std::array{6.0f, 1.0f}, out);
  CHECK(out == std::array{2.0 - 0.125, -2.0 - 0.5, 0.25 + 0.125 + 0.5});
  CHECK(out[0] + out[1] + out[2] == small_linear().margin(std::array{6.0f, 1.0f}));
  CHECK(Contributions::read(kOnnxBytes).error().code == Code::unsupported);
}

}  // namespace coeval::models
