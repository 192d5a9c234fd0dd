#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace coeval::adapters::xgboost {

/// XGBoost's C interface, as far as it is used here, declared by us: the wheel has no header.
/// Checked by a test that trains a known model to known bytes. Every function that returns int
/// returns 0, or -1 with the reason in XGBGetLastError. Source: xgboost 3.4.1,
/// include/xgboost/c_api.h.
using Handle = void*;
using Length = std::uint64_t;

struct CApi {
  void (*XGBoostVersion)(int* major, int* minor, int* patch);
  const char* (*XGBGetLastError)();
  int (*XGBRegisterLogCallback)(void (*callback)(const char*));

  int (*XGDMatrixCreateFromDense)(const char* array, const char* config, Handle* out);
  int (*XGProxyDMatrixCreate)(Handle* out);
  int (*XGProxyDMatrixSetDataDense)(Handle proxy, const char* array);
  /// The order is reset, then next. next returns 1 for a batch, 0 at the end.
  int (*XGQuantileDMatrixCreateFromCallback)(Handle iterator, Handle proxy, Handle reference,
                                             void (*reset)(Handle), int (*next)(Handle),
                                             const char* config, Handle* out);
  int (*XGDMatrixSetInfoFromInterface)(Handle matrix, const char* field, const char* array);
  int (*XGDMatrixSetStrFeatureInfo)(Handle matrix, const char* field, const char** values,
                                    Length count);
  int (*XGDMatrixFree)(Handle matrix);

  int (*XGBoosterCreate)(const Handle* matrices, Length count, Handle* out);
  int (*XGBoosterSetParam)(Handle booster, const char* name, const char* value);
  int (*XGBoosterSetStrFeatureInfo)(Handle booster, const char* field, const char** values,
                                    Length count);
  int (*XGBoosterUpdateOneIter)(Handle booster, int round, Handle matrix);
  int (*XGBoosterEvalOneIter)(Handle booster, int round, Handle* matrices, const char** names,
                              Length count, const char** out);
  int (*XGBoosterSlice)(Handle booster, int begin, int end, int step, Handle* out);
  int (*XGBoosterSaveModelToBuffer)(Handle booster, const char* config, Length* length,
                                    const char** out);
  int (*XGBoosterLoadModelFromBuffer)(Handle booster, const void* bytes, Length length);
  int (*XGBoosterPredictFromDense)(Handle booster, const char* array, const char* config,
                                   Handle proxy, const Length** shape, Length* dimensions,
                                   const float** out);
  int (*XGBoosterFree)(Handle booster);

  std::string version;  ///< "3.4.1"

  /// 0 → success; else training_failed with XGBoost's own reason.
  Status check(int returned, const std::string& doing) const;
};

/// Loads the library and resolves the names above. Errors: missing_component.
Result<CApi> load_c_api(const std::string& library_folder);

}  // namespace coeval::adapters::xgboost
