#pragma once

#include <string>
#include <utility>

#include "adapters/lightgbm/c_api.h"
#include "training/trainer.h"

namespace coeval::adapters::lightgbm {

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

using DatasetHandle = Owned<&CApi::LGBM_DatasetFree>;
using BoosterHandle = Owned<&CApi::LGBM_BoosterFree>;

/// The rows that train, binned, with their labels and the columns' names. `parameters` are those of
/// the whole run. Errors: training_failed.
Result<DatasetHandle> make_training_data(const CApi& api, const training::TrainingTable& table,
                                         const std::string& parameters);
/// The rows that validate, in the bins of `training`.
Result<DatasetHandle> make_validation_data(const CApi& api, const training::TrainingTable& table,
                                           const std::string& parameters, Handle training);

}  // namespace coeval::adapters::lightgbm
