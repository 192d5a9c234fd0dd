#pragma once

#include <string>
#include <string_view>

#include "adapters/lightgbm/c_api.h"

namespace coeval::adapters::lightgbm {

/// Collects what the library says on this thread while it lives. The library passes no context to
/// its log callback, so the collector is found through a thread-local pointer; at most one lives
/// per thread.
class Warnings {
 public:
  explicit Warnings(const CApi& api);
  ~Warnings();
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;

  /// LightGBM only warns of a parameter that it does not know, and trains on without it. Errors:
  /// training_failed with the names.
  Status check_parameters() const;

 private:
  static void take(const char* text);
  std::string text_;
};

/// The names in LightGBM's warnings `Unknown parameter: a`, each once; empty when there is none.
std::string unknown_parameters(std::string_view warnings);

}  // namespace coeval::adapters::lightgbm
