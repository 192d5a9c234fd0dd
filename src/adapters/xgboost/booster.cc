#include "adapters/xgboost/booster.h"

#include <charconv>
#include <limits>

#include "adapters/xgboost/matrix.h"

namespace coeval::adapters::xgboost {

Result<Booster> Booster::create(const CApi& api, const std::vector<Handle>& matrices) {
  Handle handle = nullptr;
  COEVAL_TRY(
      api.check(api.XGBoosterCreate(matrices.data(), matrices.size(), &handle), "start a model"));
  return Booster(api, handle);
}

Result<Booster> Booster::load(const CApi& api, std::string_view bytes, int threads) {
  COEVAL_ASSIGN(Booster booster, create(api, {}));
  COEVAL_TRY(api.check(api.XGBoosterLoadModelFromBuffer(booster.get(), bytes.data(), bytes.size()),
                       "read the model"));
  COEVAL_TRY(booster.set("nthread", std::to_string(threads)));
  return booster;
}

Status Booster::set(const std::string& name, const std::string& value) {
  return api_->check(api_->XGBoosterSetParam(get(), name.c_str(), value.c_str()),
                     "set " + name + " = " + value);
}

Status Booster::update(int round, Handle matrix) {
  return api_->check(api_->XGBoosterUpdateOneIter(get(), round, matrix),
                     "train round " + std::to_string(round + 1));
}

Result<double> Booster::evaluate(int round, Handle matrix) const {
  const char* name = "validation";
  const char* line = nullptr;
  COEVAL_TRY(api_->check(api_->XGBoosterEvalOneIter(get(), round, &matrix, &name, 1, &line),
                         "evaluate round " + std::to_string(round + 1)));
  return last_metric(line);
}

Result<Booster> Booster::first_rounds(int rounds) const {
  Handle sliced = nullptr;
  COEVAL_TRY(api_->check(api_->XGBoosterSlice(get(), 0, rounds, 1, &sliced),
                         "cut the model to " + std::to_string(rounds) + " rounds"));
  return Booster(*api_, sliced);
}

Result<std::string> Booster::save() const {
  Length length = 0;
  const char* bytes = nullptr;
  COEVAL_TRY(
      api_->check(api_->XGBoosterSaveModelToBuffer(get(), R"({"format":"ubj"})", &length, &bytes),
                  "save the model"));
  return std::string(bytes, length);
}

Result<std::vector<float>> Booster::predict(const float* values, std::int64_t rows,
                                            std::size_t width, bool margin) const {
  if (rows == 0) return std::vector<float>();
  const std::string array = array_json(values, rows, width);
  const std::string config =
      std::string(R"({"type":)") + (margin ? "1" : "0") +
      R"(,"training":false,"iteration_begin":0,"iteration_end":0,"strict_shape":true,)"
      R"("missing":NaN,"cache_id":0})";
  const Length* shape = nullptr;
  Length dimensions = 0;
  const float* out = nullptr;
  COEVAL_TRY(api_->check(api_->XGBoosterPredictFromDense(get(), array.c_str(), config.c_str(),
                                                         nullptr, &shape, &dimensions, &out),
                         "score the rows"));
  Length count = 1;
  for (Length i = 0; i < dimensions; ++i) count *= shape[i];
  return std::vector<float>(out, out + count);
}

double last_metric(std::string_view line) {
  const auto colon = line.rfind(':');
  double value = std::numeric_limits<double>::quiet_NaN();
  if (colon == std::string_view::npos) return value;
  std::from_chars(line.data() + colon + 1, line.data() + line.size(), value);
  return value;
}

}  // namespace coeval::adapters::xgboost
