#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/xgboost/handles.h"

namespace coeval::adapters::xgboost {

/// A model in training or loaded: the library's functions as methods.
class Booster {
 public:
  /// The matrices it will train on and be evaluated on; they must outlive it.
  static Result<Booster> create(const CApi& api, const std::vector<Handle>& matrices);
  static Result<Booster> load(const CApi& api, std::string_view bytes, int threads);

  Status set(const std::string& name, const std::string& value);
  Status update(int round, Handle matrix);
  /// The last metric of the round, on `matrix`.
  Result<double> evaluate(int round, Handle matrix) const;
  /// The model of the first `rounds` rounds.
  Result<Booster> first_rounds(int rounds) const;
  /// UBJSON.
  Result<std::string> save() const;
  /// One value a row; NaN is missing, infinities are values. `margin` leaves out the objective's
  /// link.
  Result<std::vector<float>> predict(const float* values, std::int64_t rows, std::size_t width,
                                     bool margin) const;
  Handle get() const { return handle_.get(); }

 private:
  Booster(const CApi& api, Handle handle) : api_(&api), handle_(api, handle) {}
  const CApi* api_;
  BoosterHandle handle_;
};

/// The number after the last colon of "[3]\tvalidation-logloss:0.5"; NaN when there is none.
double last_metric(std::string_view line);

}  // namespace coeval::adapters::xgboost
