#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace coeval::adapters::lightgbm {

/// LightGBM's C interface, as far as it is used here, declared by us: the wheel has no header.
/// Checked by tests that train, save, load and predict. Every function that returns int returns 0,
/// or -1 with the reason in LGBM_GetLastError. Source: LightGBM 4.7.0, include/LightGBM/c_api.h.
using Handle = void*;

/// Types of arrays that are handed over, and what a prediction is of.
inline constexpr int kFloat32 = 0, kInt32 = 2, kScores = 0, kMargins = 1;

struct CApi {
  const char* (*LGBM_GetLastError)();
  int (*LGBM_RegisterLogCallback)(void (*callback)(const char*));
  int (*LGBM_SetMaxThreads)(int threads);

  /// `reference` has the bins to be used; null computes them. Parameters are "key=value key=value".
  int (*LGBM_DatasetCreateFromMat)(const void* values, int type, std::int32_t rows,
                                   std::int32_t columns, int row_major, const char* parameters,
                                   Handle reference, Handle* out);
  int (*LGBM_DatasetSetField)(Handle dataset, const char* field, const void* values, int count,
                              int type);
  int (*LGBM_DatasetSetFeatureNames)(Handle dataset, const char** names, int count);
  int (*LGBM_DatasetFree)(Handle dataset);

  int (*LGBM_BoosterCreate)(Handle dataset, const char* parameters, Handle* out);
  int (*LGBM_BoosterLoadModelFromString)(const char* text, int* iterations, Handle* out);
  int (*LGBM_BoosterAddValidData)(Handle booster, Handle dataset);
  /// `finished` becomes 1 when no leaf can be split any more.
  int (*LGBM_BoosterUpdateOneIter)(Handle booster, int* finished);
  int (*LGBM_BoosterGetEvalCounts)(Handle booster, int* count);
  /// Dataset 0 is the training data, 1 the first one that was added.
  int (*LGBM_BoosterGetEval)(Handle booster, int dataset, int* count, double* out);
  /// Of `iterations` from `begin`; 0 or below = all. `size` counts the NUL.
  int (*LGBM_BoosterSaveModelToString)(Handle booster, int begin, int iterations, int importance,
                                       std::int64_t room, std::int64_t* size, char* out);
  /// How many numbers a prediction of `rows` rows has.
  int (*LGBM_BoosterCalcNumPredict)(Handle booster, int rows, int kind, int begin, int iterations,
                                    std::int64_t* size);
  int (*LGBM_BoosterPredictForMat)(Handle booster, const void* values, int type, std::int32_t rows,
                                   std::int32_t columns, int row_major, int kind, int begin,
                                   int iterations, const char* parameters, std::int64_t* size,
                                   double* out);
  int (*LGBM_BoosterFree)(Handle booster);

  std::string version;  ///< "4.7.0"

  /// 0 → success; else training_failed with LightGBM's own reason.
  Status check(int returned, const std::string& doing) const;
};

/// Loads the library and resolves the names above. Errors: missing_component.
Result<CApi> load_c_api(const std::string& library_folder);

}  // namespace coeval::adapters::lightgbm
