#include "adapters/xgboost/matrix.h"

namespace coeval::adapters::xgboost {
namespace {

std::string address(const void* data) {
  return std::to_string(reinterpret_cast<std::uintptr_t>(data));
}

// XGBoost itself rounds them to float32.
std::string labels_json(const RowRange& rows) {
  const bool of_numbers = rows.numbers != nullptr;
  return R"({"data":[)" + (of_numbers ? address(rows.numbers) : address(rows.labels)) +
         R"(,true],"shape":[)" + std::to_string(rows.rows) + R"(],"typestr":")" +
         (of_numbers ? "<f8" : "|u1") + R"(","version":3})";
}

std::string weights_json(const RowRange& rows) {
  return R"({"data":[)" + address(rows.weights) + R"(,true],"shape":[)" +
         std::to_string(rows.rows) + R"(],"typestr":"<f4","version":3})";
}

/// Labels, and weights where there are any.
Status set_targets(const CApi& api, Handle matrix, const RowRange& rows) {
  COEVAL_TRY(
      api.check(api.XGDMatrixSetInfoFromInterface(matrix, "label", labels_json(rows).c_str()),
                "read the labels"));
  if (!rows.groups.empty()) {
    const std::string groups = R"({"data":[)" + address(rows.groups.data()) +
                               R"(,true],"shape":[)" + std::to_string(rows.groups.size()) +
                               R"(],"typestr":"<u4","version":3})";
    COEVAL_TRY(api.check(api.XGDMatrixSetInfoFromInterface(matrix, "group", groups.c_str()),
                         "read which rows are of a query"));
  }
  if (rows.weights == nullptr) return {};
  return api.check(api.XGDMatrixSetInfoFromInterface(matrix, "weight", weights_json(rows).c_str()),
                   "read the weights");
}

/// Hands all rows to XGBoost as one batch, as often as it asks from the start.
struct OneBatch {
  const CApi& api;
  Handle proxy;
  const RowRange& rows;
  const FeatureInfo& features;
  bool given = false;
  Status status;

  static void reset(Handle self) { static_cast<OneBatch*>(self)->given = false; }

  static int next(Handle self) {
    auto& batch = *static_cast<OneBatch*>(self);
    if (batch.given || !batch.status) return 0;
    batch.given = true;
    batch.status = batch.give();
    return batch.status ? 1 : 0;
  }

 private:
  Status give() {
    const std::string values = array_json(rows.values, rows.rows, rows.width);
    COEVAL_TRY(api.check(api.XGProxyDMatrixSetDataDense(proxy, values.c_str()), "read the rows"));
    COEVAL_TRY(set_targets(api, proxy, rows));
    return features.set_on_matrix(api, proxy);
  }
};

}  // namespace

FeatureInfo::FeatureInfo(const training::TrainingTable& table) {
  for (const std::string& name : table.names) names_.push_back(name.c_str());
  for (const bool categorical : table.categorical) types_.push_back(categorical ? "c" : "float");
}

Status FeatureInfo::set_on_matrix(const CApi& api, Handle matrix) const {
  const std::string doing = "name the columns";
  COEVAL_TRY(api.check(
      api.XGDMatrixSetStrFeatureInfo(matrix, "feature_name", names_.data(), names_.size()), doing));
  return api.check(
      api.XGDMatrixSetStrFeatureInfo(matrix, "feature_type", types_.data(), types_.size()), doing);
}

Status FeatureInfo::set_on_booster(const CApi& api, Handle booster) const {
  const std::string doing = "name the model's inputs";
  COEVAL_TRY(api.check(
      api.XGBoosterSetStrFeatureInfo(booster, "feature_name", names_.data(), names_.size()),
      doing));
  return api.check(
      api.XGBoosterSetStrFeatureInfo(booster, "feature_type", types_.data(), types_.size()), doing);
}

RowRange training_rows(const training::TrainingTable& table) {
  return {table.values,
          table.labels,
          table.numbers,
          table.weights,
          table.train_rows,
          table.width,
          training::groups_of(table, false)};
}

RowRange validation_rows(const training::TrainingTable& table) {
  return {table.values + static_cast<std::size_t>(table.train_rows) * table.width,
          table.labels == nullptr ? nullptr : table.labels + table.train_rows,
          table.numbers == nullptr ? nullptr : table.numbers + table.train_rows,
          table.weights == nullptr ? nullptr : table.weights + table.train_rows,
          table.rows - table.train_rows,
          table.width,
          training::groups_of(table, true)};
}

std::string array_json(const float* values, std::int64_t rows, std::size_t width) {
  return R"({"data":[)" + address(values) + R"(,true],"shape":[)" + std::to_string(rows) + "," +
         std::to_string(width) + R"(],"typestr":"<f4","version":3})";
}

Result<MatrixHandle> make_binned_matrix(const CApi& api, const RowRange& rows,
                                        const FeatureInfo& features, int bins, int threads) {
  Handle proxy = nullptr;
  COEVAL_TRY(api.check(api.XGProxyDMatrixCreate(&proxy), "make a matrix"));
  const MatrixHandle owned_proxy(api, proxy);
  OneBatch batch{.api = api, .proxy = proxy, .rows = rows, .features = features, .status = {}};
  const std::string config = R"({"missing":NaN,"nthread":)" + std::to_string(threads) +
                             R"(,"max_bin":)" + std::to_string(bins) + "}";
  Handle out = nullptr;
  const int returned = api.XGQuantileDMatrixCreateFromCallback(
      &batch, proxy, nullptr, &OneBatch::reset, &OneBatch::next, config.c_str(), &out);
  COEVAL_TRY(batch.status);
  COEVAL_TRY(api.check(returned, "bin the training rows"));
  return MatrixHandle(api, out);
}

Result<MatrixHandle> make_plain_matrix(const CApi& api, const RowRange& rows,
                                       const FeatureInfo& features, int threads) {
  const std::string values = array_json(rows.values, rows.rows, rows.width);
  const std::string config = R"({"missing":NaN,"nthread":)" + std::to_string(threads) + "}";
  Handle out = nullptr;
  COEVAL_TRY(api.check(api.XGDMatrixCreateFromDense(values.c_str(), config.c_str(), &out),
                       "read the validation rows"));
  MatrixHandle matrix(api, out);
  COEVAL_TRY(set_targets(api, out, rows));
  COEVAL_TRY(features.set_on_matrix(api, out));
  return matrix;
}

}  // namespace coeval::adapters::xgboost
