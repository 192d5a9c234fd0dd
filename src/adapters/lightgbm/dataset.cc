#include "adapters/lightgbm/dataset.h"

#include <vector>

namespace coeval::adapters::lightgbm {
namespace {

struct RowRange {
  std::int64_t first, count;
};

/// The text of a model separates names by spaces and refuses the characters of JSON.
std::string plain_name(std::string name) {
  for (char& c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return name;
}

Status set_names(const CApi& api, const training::TrainingTable& table, Handle dataset) {
  std::vector<std::string> names;
  for (const std::string& name : table.names) names.push_back(plain_name(name));
  std::vector<const char*> pointers;
  for (const std::string& name : names) pointers.push_back(name.c_str());
  return api.check(
      api.LGBM_DatasetSetFeatureNames(dataset, pointers.data(), static_cast<int>(pointers.size())),
      "name the columns");
}

Result<DatasetHandle> make(const CApi& api, const training::TrainingTable& table, RowRange rows,
                           const std::string& parameters, Handle reference) {
  const float* values = table.values + static_cast<std::size_t>(rows.first) * table.width;
  Handle out = nullptr;
  COEVAL_TRY(api.check(
      api.LGBM_DatasetCreateFromMat(values, kFloat32, static_cast<std::int32_t>(rows.count),
                                    static_cast<std::int32_t>(table.width), 1, parameters.c_str(),
                                    reference, &out),
      "read the rows"));
  DatasetHandle dataset(api, out);
  std::vector<float> labels;
  labels.reserve(static_cast<std::size_t>(rows.count));
  for (std::int64_t row = rows.first; row < rows.first + rows.count; ++row)
    labels.push_back(table.numbers != nullptr ? static_cast<float>(table.numbers[row])
                                              : static_cast<float>(table.labels[row]));
  COEVAL_TRY(api.check(
      api.LGBM_DatasetSetField(out, "label", labels.data(), static_cast<int>(rows.count), kFloat32),
      "read the labels"));
  const auto groups = training::groups_of(table, rows.first > 0);
  if (!groups.empty()) {
    const std::vector<std::int32_t> sizes(groups.begin(), groups.end());
    COEVAL_TRY(api.check(api.LGBM_DatasetSetField(out, "group", sizes.data(),
                                                  static_cast<int>(sizes.size()), kInt32),
                         "read which rows are of a query"));
  }
  if (table.weights != nullptr)
    COEVAL_TRY(api.check(api.LGBM_DatasetSetField(out, "weight", table.weights + rows.first,
                                                  static_cast<int>(rows.count), kFloat32),
                         "read the weights"));
  return dataset;
}

}  // namespace

Result<DatasetHandle> make_training_data(const CApi& api, const training::TrainingTable& table,
                                         const std::string& parameters) {
  COEVAL_ASSIGN(DatasetHandle dataset,
                make(api, table, {0, table.train_rows}, parameters, nullptr));
  COEVAL_TRY(set_names(api, table, dataset.get()));
  return dataset;
}

Result<DatasetHandle> make_validation_data(const CApi& api, const training::TrainingTable& table,
                                           const std::string& parameters, Handle training) {
  return make(api, table, {table.train_rows, table.rows - table.train_rows}, parameters, training);
}

}  // namespace coeval::adapters::lightgbm
