#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace coeval::adapters::onnxruntime {

/// ONNX Runtime's C interface, as far as it is used here, declared by us: the wheel has no header.
/// The library hands out one table of functions, to which later versions only append, so that a
/// function is its place in the table. Checked by tests that open and run models of other makers.
/// Source: ONNX Runtime 1.32.0, include/onnxruntime/core/session/onnxruntime_c_api.h.
using Handle = void*;
/// What most functions return: null, or a status that tells the reason and must be released.
using StatusHandle = void*;

inline constexpr int kTensorOfFloat32 = 1, kTensorOfFloat64 = 11;

enum class Place : std::size_t {
  GetErrorMessage = 2,
  CreateEnv = 3,
  CreateSessionFromArray = 8,
  Run = 9,
  CreateSessionOptions = 10,
  SetSessionExecutionMode = 13,
  DisableMemPattern = 17,
  SetSessionLogSeverityLevel = 22,
  SetSessionGraphOptimizationLevel = 23,
  SetIntraOpNumThreads = 24,
  SetInterOpNumThreads = 25,
  CreateTensorWithDataAsOrtValue = 49,
  GetTensorMutableData = 51,
  GetTensorElementType = 60,
  GetTensorShapeElementCount = 64,
  GetTensorTypeAndShape = 65,
  CreateCpuMemoryInfo = 69,
  ReleaseEnv = 92,
  ReleaseStatus = 93,
  ReleaseMemoryInfo = 94,
  ReleaseSession = 95,
  ReleaseValue = 96,
  ReleaseTensorTypeAndShapeInfo = 99,
  ReleaseSessionOptions = 100,
};

/// The library, loaded and with an environment; it stays loaded until the process ends.
/// Threading: const, safe from any thread.
class Library {
 public:
  /// Loads `folder`/onnxruntime/lib/libonnxruntime.so. Errors: missing_component.
  static Result<std::shared_ptr<const Library>> load(const std::string& folder);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// Calls a function that returns a status. Errors: bad_model with the library's own reason.
  template <class... Arguments>
  Status call(Place place, Arguments... arguments) const {
    using Function = StatusHandle(Arguments...);
    return check(reinterpret_cast<Function*>(function(place))(arguments...));
  }
  void release(Place place, Handle handle) const;

  const std::string& version() const { return version_; }  ///< "1.32.0"
  Handle environment() const { return environment_; }

 private:
  Library() = default;
  void* function(Place place) const { return table_[static_cast<std::size_t>(place)]; }
  Status check(StatusHandle status) const;

  void* const* table_ = nullptr;
  Handle environment_ = nullptr;
  std::string version_;
};

/// Something that the library made, released with the function at `place`.
class Owned {
 public:
  Owned(const Library& library, Place place) : library_(&library), place_(place) {}
  ~Owned() {
    if (handle_ != nullptr) library_->release(place_, handle_);
  }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  Handle get() const { return handle_; }
  Handle* out() { return &handle_; }  ///< where the library puts it, once

 private:
  const Library* library_;
  Place place_;
  Handle handle_ = nullptr;
};

}  // namespace coeval::adapters::onnxruntime
