#pragma once

// For tests and benchmarks only: XGBoost's own library, through its C API, as the oracle.
// Prototypes are ours; the library comes with `./dev setup`.

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace coeval::models {

/// The loaded library. Throws std::runtime_error with XGBoost's message on any failure.
class XgboostOracle {
 public:
  using Handle = void*;
  static constexpr const char* kName = "XGBoost";

  static std::string library_path() {
    if (const char* path = std::getenv("COEVAL_XGBOOST_LIBRARY")) return path;
    return std::string(COEVAL_SOURCE_DIR) + "/third_party/xgboost/xgboost/lib/libxgboost.so";
  }
  /// Whether `./dev setup` has been here at all: then the library must load.
  static bool is_expected() {
    return std::getenv("COEVAL_XGBOOST_LIBRARY") != nullptr ||
           std::filesystem::exists(std::string(COEVAL_SOURCE_DIR) + "/third_party");
  }

  XgboostOracle() {
    setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
    dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
    library_ = dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr)
      throw std::runtime_error(std::string("cannot load XGBoost: ") + dlerror());
    load(last_error_, "XGBGetLastError");
    load(matrix_from_dense_, "XGDMatrixCreateFromDense");
    load(matrix_free_, "XGDMatrixFree");
    load(matrix_set_info_, "XGDMatrixSetInfoFromInterface");
    load(matrix_set_features_, "XGDMatrixSetStrFeatureInfo");
    load(create_, "XGBoosterCreate");
    load(free_, "XGBoosterFree");
    load(set_param_, "XGBoosterSetParam");
    load(set_attribute_, "XGBoosterSetAttr");
    load(update_, "XGBoosterUpdateOneIter");
    load(save_, "XGBoosterSaveModelToBuffer");
    load(load_, "XGBoosterLoadModelFromBuffer");
    load(predict_matrix_, "XGBoosterPredictFromDMatrix");
    load(predict_dense_, "XGBoosterPredictFromDense");
  }

  /// An array as XGBoost's JSON array interface: rows × width float32.
  static std::string array_json(std::span<const float> values, std::size_t width) {
    const std::size_t rows = values.size() / width;
    return R"({"data":[)" + std::to_string(reinterpret_cast<std::uintptr_t>(values.data())) +
           R"(,true],"shape":[)" + std::to_string(rows) + "," + std::to_string(width) +
           R"(],"typestr":"<f4","version":3})";
  }

  /// `types` has one of "q" (number) or "c" (category code) for each column.
  Handle make_matrix(std::span<const float> rows, std::span<const float> labels,
                     const std::vector<const char*>& types, std::size_t targets = 1) const {
    Handle matrix = nullptr;
    check(matrix_from_dense_(array_json(rows, types.size()).c_str(),
                             R"({"missing":NaN,"nthread":1})", &matrix));
    check(matrix_set_info_(matrix, "label", array_json(labels, targets).c_str()));
    auto names = types;
    check(matrix_set_features_(matrix, "feature_type", names.data(), names.size()));
    return matrix;
  }

  /// Rows of each query, for ranking.
  void set_groups(Handle matrix, std::span<const std::uint32_t> sizes) const {
    const std::string json =
        R"({"data":[)" + std::to_string(reinterpret_cast<std::uintptr_t>(sizes.data())) +
        R"(,true],"shape":[)" + std::to_string(sizes.size()) + R"(],"typestr":"<u4","version":3})";
    check(matrix_set_info_(matrix, "group", json.c_str()));
  }

  using Parameters = std::vector<std::pair<std::string, std::string>>;

  Handle train(Handle matrix, const Parameters& parameters, int rounds) const {
    Handle booster = nullptr;
    check(create_(&matrix, 1, &booster));
    check(set_param_(booster, "nthread", "1"));
    for (const auto& [key, value] : parameters) {
      check(set_param_(booster, key.c_str(), value.c_str()));
    }
    for (int round = 0; round < rounds; ++round) check(update_(booster, round, matrix));
    return booster;
  }

  /// `format` is ubj or json.
  std::string save(Handle booster, const std::string& format = "ubj") const {
    std::uint64_t size = 0;
    const char* bytes = nullptr;
    check(save_(booster, (R"({"format":")" + format + R"("})").c_str(), &size, &bytes));
    return std::string(bytes, size);
  }

  Handle load_booster(const std::string& bytes) const {
    Handle booster = nullptr;
    check(create_(nullptr, 0, &booster));
    check(load_(booster, bytes.data(), bytes.size()));
    check(set_param_(booster, "nthread", "1"));
    return booster;
  }

  void set_attribute(Handle booster, const char* key, const char* value) const {
    check(set_attribute_(booster, key, value));
  }

  /// In-place prediction. The answer lives until the next call.
  std::span<const float> predict(Handle booster, const std::string& array,
                                 const char* config) const {
    const std::uint64_t* shape = nullptr;
    std::uint64_t dimensions = 0;
    const float* answer = nullptr;
    check(predict_dense_(booster, array.c_str(), config, nullptr, &shape, &dimensions, &answer));
    std::size_t size = 1;
    for (std::uint64_t i = 0; i < dimensions; ++i) size *= shape[i];
    return {answer, size};
  }
  /// Prediction of a matrix, which also gives contributions.
  std::span<const float> predict_matrix(Handle booster, Handle matrix, const char* config) const {
    const std::uint64_t* shape = nullptr;
    std::uint64_t dimensions = 0;
    const float* answer = nullptr;
    check(predict_matrix_(booster, matrix, config, &shape, &dimensions, &answer));
    std::size_t size = 1;
    for (std::uint64_t i = 0; i < dimensions; ++i) size *= shape[i];
    return {answer, size};
  }
  /// type 1 = margin, 0 = output, 2 = contributions (of a matrix alone); `end` 0 = all trees.
  static std::string config(int type, int end = 0) {
    return R"({"type":)" + std::to_string(type) +
           R"(,"training":false,"iteration_begin":0,"iteration_end":)" + std::to_string(end) +
           R"(,"strict_shape":false,"missing":NaN})";
  }

  void free_matrix(Handle matrix) const { check(matrix_free_(matrix)); }
  void free_booster(Handle booster) const { check(free_(booster)); }

 private:
  template <class F>
  void load(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(library_, name));
    if (function == nullptr) throw std::runtime_error(std::string("XGBoost lacks ") + name);
  }
  void check(int status) const {
    if (status != 0) throw std::runtime_error(last_error_());
  }

  void* library_ = nullptr;
  const char* (*last_error_)() = nullptr;
  int (*matrix_from_dense_)(const char*, const char*, Handle*) = nullptr;
  int (*matrix_free_)(Handle) = nullptr;
  int (*matrix_set_info_)(Handle, const char*, const char*) = nullptr;
  int (*matrix_set_features_)(Handle, const char*, const char**, std::uint64_t) = nullptr;
  int (*create_)(const Handle*, std::uint64_t, Handle*) = nullptr;
  int (*free_)(Handle) = nullptr;
  int (*set_param_)(Handle, const char*, const char*) = nullptr;
  int (*set_attribute_)(Handle, const char*, const char*) = nullptr;
  int (*update_)(Handle, int, Handle) = nullptr;
  int (*save_)(Handle, const char*, std::uint64_t*, const char**) = nullptr;
  int (*load_)(Handle, const void*, std::uint64_t) = nullptr;
  int (*predict_matrix_)(Handle, Handle, const char*, const std::uint64_t**, std::uint64_t*,
                         const float**) = nullptr;
  int (*predict_dense_)(Handle, const char*, const char*, Handle, const std::uint64_t**,
                        std::uint64_t*, const float**) = nullptr;
};

}  // namespace coeval::models
