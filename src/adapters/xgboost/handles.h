#pragma once

#include <utility>

#include "adapters/xgboost/c_api.h"

namespace coeval::adapters::xgboost {

/// Owns a handle of the library. `Free` is the member of CApi that frees it.
template <int (*CApi::*Free)(Handle)>
class Owned {
 public:
  Owned() = default;
  Owned(const CApi& api, Handle handle) : api_(&api), handle_(handle) {}
  Owned(Owned&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  Owned& operator=(Owned&& other) noexcept {
    std::swap(api_, other.api_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Owned() {
    if (handle_ != nullptr) (api_->*Free)(handle_);
  }
  Handle get() const { return handle_; }

 private:
  const CApi* api_ = nullptr;
  Handle handle_ = nullptr;
};

using MatrixHandle = Owned<&CApi::XGDMatrixFree>;
using BoosterHandle = Owned<&CApi::XGBoosterFree>;

}  // namespace coeval::adapters::xgboost
