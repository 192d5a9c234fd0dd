#pragma once

#include <string>
#include <string_view>

#include "adapters/xgboost/c_api.h"

namespace coeval::adapters::xgboost {

/// Collects what the library says on this thread while it lives. The library passes no context to
/// its log callback, so the collector is found through a thread-local pointer; at most one lives
/// per thread.
class Warnings {
 public:
  explicit Warnings(const CApi& api);
  ~Warnings();
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  /// XGBoost only warns of a parameter that it does not know, and trains on without it: a misspelt
  /// "max_dept" would silently give another model. Errors: training_failed with the names.
  Status check_parameters() const;

 private:
  static void take(const char* text);
  std::string text_;
};

/// The names in XGBoost's warning `Parameters: { "a", "b" } are not used.`; empty when there is
/// none.
std::string unused_parameters(std::string_view warnings);

}  // namespace coeval::adapters::xgboost
