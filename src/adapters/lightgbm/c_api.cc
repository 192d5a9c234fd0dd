#include "adapters/lightgbm/c_api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace coeval::adapters::lightgbm {
namespace {

constexpr const char* kAdvice = "run `./dev setup`, which installs lightgbm 4.7.0";
/// The library has no function that tells its version; this is the one that is pinned.
constexpr const char* kVersion = "4.7.0";

std::string last_dl_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown reason";
}

/// Resolves one function; remembers the first name that is missing.
class Resolver {
 public:
  explicit Resolver(void* library) : library_(library) {}

  template <class F>
  void operator()(F*& function, const char* name) {
    function = reinterpret_cast<F*>(::dlsym(library_, name));
    if (function == nullptr && missing_.empty()) missing_ = name;
  }
  const std::string& missing() const { return missing_; }

 private:
  void* library_;
  std::string missing_;
};

#define COEVAL_RESOLVE(name) resolve(api.name, #name)

CApi resolve_all(Resolver& resolve) {
  CApi api{};
  COEVAL_RESOLVE(LGBM_GetLastError);
  COEVAL_RESOLVE(LGBM_RegisterLogCallback);
  COEVAL_RESOLVE(LGBM_SetMaxThreads);
  COEVAL_RESOLVE(LGBM_DatasetCreateFromMat);
  COEVAL_RESOLVE(LGBM_DatasetSetField);
  COEVAL_RESOLVE(LGBM_DatasetSetFeatureNames);
  COEVAL_RESOLVE(LGBM_DatasetFree);
  COEVAL_RESOLVE(LGBM_BoosterCreate);
  COEVAL_RESOLVE(LGBM_BoosterLoadModelFromString);
  COEVAL_RESOLVE(LGBM_BoosterAddValidData);
  COEVAL_RESOLVE(LGBM_BoosterUpdateOneIter);
  COEVAL_RESOLVE(LGBM_BoosterGetEvalCounts);
  COEVAL_RESOLVE(LGBM_BoosterGetEval);
  COEVAL_RESOLVE(LGBM_BoosterSaveModelToString);
  COEVAL_RESOLVE(LGBM_BoosterCalcNumPredict);
  COEVAL_RESOLVE(LGBM_BoosterPredictForMat);
  COEVAL_RESOLVE(LGBM_BoosterFree);
  return api;
}

#undef COEVAL_RESOLVE

}  // namespace

Status CApi::check(int returned, const std::string& doing) const {
  if (returned == 0) return {};
  return fail(Code::training_failed,
              "lightgbm failed to " + doing + ": " + std::string(LGBM_GetLastError()),
              "check the model's parameters and its inputs");
}

// The order is that of native_models.md: waiting threads must sleep, not spin; the system's OpenMP
// runtime, which this library needs, is shared by all libraries of this process. Nothing is ever
// unloaded, for OpenMP's threads live on.
Result<CApi> load_c_api(const std::string& library_folder) {
  const std::string path = library_folder + "/lightgbm/lib/lib_lightgbm.so";
  if (!std::filesystem::exists(path)) {
    return fail(Code::missing_component, "LightGBM is not installed: no file " + path, kAdvice);
  }
  ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  ::dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(Code::missing_component, "LightGBM cannot be loaded: " + last_dl_error(), kAdvice);
  }
  Resolver resolve(library);
  CApi api = resolve_all(resolve);
  if (!resolve.missing().empty()) {
    return fail(Code::missing_component, path + " lacks the function " + resolve.missing(),
                kAdvice);
  }
  api.version = kVersion;
  return api;
}

}  // namespace coeval::adapters::lightgbm
