#pragma once

// For tests and benchmarks only: LightGBM's own library, through its C API, as the oracle.
// Prototypes are ours; the library comes with `./dev setup`.

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace coeval::models {

/// The loaded library. Throws std::runtime_error with LightGBM's message on any failure.
class LightgbmOracle {
 public:
  using Handle = void*;
  static constexpr const char* kName = "LightGBM";
  enum Kind { kScores = 0, kMargins = 1, kContributions = 3 };

  static std::string library_path() {
    if (const char* path = std::getenv("COEVAL_LIGHTGBM_LIBRARY")) return path;
    return std::string(COEVAL_SOURCE_DIR) + "/third_party/lightgbm/lightgbm/lib/lib_lightgbm.so";
  }
  /// Whether `./dev setup` has been here at all: then the library must load.
  static bool is_expected() {
    return std::getenv("COEVAL_LIGHTGBM_LIBRARY") != nullptr ||
           std::filesystem::exists(std::string(COEVAL_SOURCE_DIR) + "/third_party");
  }

  LightgbmOracle() {
    setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
    dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
    library_ = dlopen(library_path().c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library_ == nullptr)
      throw std::runtime_error(std::string("cannot load LightGBM: ") + dlerror());
    load(last_error_, "LGBM_GetLastError");
    load(dataset_from_matrix_, "LGBM_DatasetCreateFromMat");
    load(dataset_set_field_, "LGBM_DatasetSetField");
    load(dataset_free_, "LGBM_DatasetFree");
    load(create_, "LGBM_BoosterCreate");
    load(load_, "LGBM_BoosterLoadModelFromString");
    load(free_, "LGBM_BoosterFree");
    load(update_, "LGBM_BoosterUpdateOneIter");
    load(save_, "LGBM_BoosterSaveModelToString");
    load(predict_, "LGBM_BoosterPredictForMat");
  }

  Handle make_dataset(std::span<const float> rows, std::size_t width, std::span<const float> labels,
                      const std::string& parameters) const {
    Handle dataset = nullptr;
    const std::size_t count = rows.size() / width;
    check(dataset_from_matrix_(rows.data(), kFloat32, static_cast<std::int32_t>(count),
                               static_cast<std::int32_t>(width), 1, parameters.c_str(), nullptr,
                               &dataset));
    check(dataset_set_field_(dataset, "label", labels.data(), static_cast<int>(count), kFloat32));
    return dataset;
  }
  /// Rows of each query, for ranking.
  void set_groups(Handle dataset, std::span<const std::int32_t> sizes) const {
    check(dataset_set_field_(dataset, "group", sizes.data(), static_cast<int>(sizes.size()), 2));
  }

  Handle train(Handle dataset, const std::string& parameters, int rounds) const {
    Handle booster = nullptr;
    check(create_(dataset, parameters.c_str(), &booster));
    int finished = 0;
    for (int i = 0; i < rounds && finished == 0; ++i) check(update_(booster, &finished));
    return booster;
  }

  std::string save(Handle booster) const {
    std::string text(std::size_t{1} << 26, '\0');
    std::int64_t size = 0;
    check(save_(booster, 0, -1, 0, static_cast<std::int64_t>(text.size()), &size, text.data()));
    text.resize(static_cast<std::size_t>(size) - 1);  // without its NUL
    return text;
  }

  Handle load_booster(const std::string& text) const {
    Handle booster = nullptr;
    int iterations = 0;
    check(load_(text.c_str(), &iterations, &booster));
    return booster;
  }

  std::vector<double> predict(Handle booster, std::span<const float> rows, std::size_t width,
                              Kind kind, std::size_t a_row) const {
    const std::size_t count = rows.size() / width;
    std::vector<double> out(count * a_row);
    std::int64_t size = 0;
    check(predict_(booster, rows.data(), kFloat32, static_cast<std::int32_t>(count),
                   static_cast<std::int32_t>(width), 1, kind, 0, -1, "num_threads=1", &size,
                   out.data()));
    if (size != static_cast<std::int64_t>(out.size()))
      throw std::runtime_error("LightGBM answers with another number of values");
    return out;
  }

  void free_dataset(Handle dataset) const { check(dataset_free_(dataset)); }
  void free_booster(Handle booster) const { check(free_(booster)); }

 private:
  static constexpr int kFloat32 = 0;

  template <class F>
  void load(F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(library_, name));
    if (function == nullptr) throw std::runtime_error(std::string("LightGBM lacks ") + name);
  }
  void check(int status) const {
    if (status != 0) throw std::runtime_error(last_error_());
  }

  void* library_ = nullptr;
  const char* (*last_error_)() = nullptr;
  int (*dataset_from_matrix_)(const void*, int, std::int32_t, std::int32_t, int, const char*,
                              const Handle, Handle*) = nullptr;
  int (*dataset_set_field_)(Handle, const char*, const void*, int, int) = nullptr;
  int (*dataset_free_)(Handle) = nullptr;
  int (*create_)(const Handle, const char*, Handle*) = nullptr;
  int (*load_)(const char*, int*, Handle*) = nullptr;
  int (*free_)(Handle) = nullptr;
  int (*update_)(Handle, int*) = nullptr;
  int (*save_)(Handle, int, int, int, std::int64_t, std::int64_t*, char*) = nullptr;
  int (*predict_)(Handle, const void*, int, std::int32_t, std::int32_t, int, int, int, int,
                  const char*, std::int64_t*, double*) = nullptr;
};

}  // namespace coeval::models
