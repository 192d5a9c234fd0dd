#include "adapters/xgboost/c_api.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

namespace coeval::adapters::xgboost {
namespace {

constexpr int kMajor = 3, kOldestMinor = 4;
constexpr const char* kAdvice = "run `./dev setup`, which installs xgboost-cpu 3.4.1";

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
  COEVAL_RESOLVE(XGBoostVersion);
  COEVAL_RESOLVE(XGBGetLastError);
  COEVAL_RESOLVE(XGBRegisterLogCallback);
  COEVAL_RESOLVE(XGDMatrixCreateFromDense);
  COEVAL_RESOLVE(XGProxyDMatrixCreate);
  COEVAL_RESOLVE(XGProxyDMatrixSetDataDense);
  COEVAL_RESOLVE(XGQuantileDMatrixCreateFromCallback);
  COEVAL_RESOLVE(XGDMatrixSetInfoFromInterface);
  COEVAL_RESOLVE(XGDMatrixSetStrFeatureInfo);
  COEVAL_RESOLVE(XGDMatrixFree);
  COEVAL_RESOLVE(XGBoosterCreate);
  COEVAL_RESOLVE(XGBoosterSetParam);
  COEVAL_RESOLVE(XGBoosterSetStrFeatureInfo);
  COEVAL_RESOLVE(XGBoosterUpdateOneIter);
  COEVAL_RESOLVE(XGBoosterEvalOneIter);
  COEVAL_RESOLVE(XGBoosterSlice);
  COEVAL_RESOLVE(XGBoosterSaveModelToBuffer);
  COEVAL_RESOLVE(XGBoosterLoadModelFromBuffer);
  COEVAL_RESOLVE(XGBoosterPredictFromDense);
  COEVAL_RESOLVE(XGBoosterFree);
  return api;
}

#undef COEVAL_RESOLVE

/// XGBoost's reason without the "[time] file:line: " before it and the stack after it.
std::string reason_of(std::string text) {
  if (const auto stack = text.find("\nStack trace"); stack != std::string::npos) text.erase(stack);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.starts_with('[')) {
    const auto place = text.find(": ");
    if (place != std::string::npos) text.erase(0, place + 2);
  }
  return text;
}

/// The version is asked for before any other name is resolved: another line may lack some of them,
/// and "is 1.7.4" says more than "lacks XGProxyDMatrixCreate".
Result<std::string> supported_version(void* library, const std::string& path) {
  using Version = void(int*, int*, int*);
  auto* version = reinterpret_cast<Version*>(::dlsym(library, "XGBoostVersion"));
  if (version == nullptr) {
    return fail(Code::missing_component, path + " is not an XGBoost library", kAdvice);
  }
  int major = 0, minor = 0, patch = 0;
  version(&major, &minor, &patch);
  std::string text =
      std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  // An older library opens a newer model without an error and predicts wrongly.
  if (major != kMajor || minor < kOldestMinor) {
    return fail(Code::missing_component,
                path + " is XGBoost " + text + ", needed is " + std::to_string(kMajor) + "." +
                    std::to_string(kOldestMinor) + " or a later 3.x",
                kAdvice);
  }
  return text;
}

}  // namespace

Status CApi::check(int returned, const std::string& doing) const {
  if (returned == 0) return {};
  return fail(Code::training_failed,
              "xgboost failed to " + doing + ": " + reason_of(XGBGetLastError()),
              "check the model's parameters and its inputs");
}

// The order is that of native_models.md: waiting threads must sleep, not spin; the system's OpenMP
// runtime comes first and globally, so that all libraries of this process share one pool. It may be
// absent: then the wheel's own runtime is used. Nothing is ever unloaded, for OpenMP's threads live
// on.
Result<CApi> load_c_api(const std::string& library_folder) {
  const std::string path = library_folder + "/xgboost/lib/libxgboost.so";
  if (!std::filesystem::exists(path)) {
    return fail(Code::missing_component, "XGBoost is not installed: no file " + path, kAdvice);
  }
  ::setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  ::dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(Code::missing_component, "XGBoost cannot be loaded: " + last_dl_error(), kAdvice);
  }
  COEVAL_ASSIGN(std::string version, supported_version(library, path));
  Resolver resolve(library);
  CApi api = resolve_all(resolve);
  if (!resolve.missing().empty()) {
    return fail(Code::missing_component, path + " lacks the function " + resolve.missing(),
                kAdvice);
  }
  api.version = std::move(version);
  return api;
}

}  // namespace coeval::adapters::xgboost
