#include <doctest/doctest.h>

#include <cmath>

#include "adapters/xgboost/booster.h"
#include "adapters/xgboost/warnings.h"

namespace coeval::adapters::xgboost {

TEST_CASE("the last metric of an evaluation line is its number") {
  CHECK(last_metric("[3]\tvalidation-logloss:0.5\tvalidation-auc:0.75") == 0.75);
  CHECK(last_metric("[0]\tvalidation-logloss:6.1e-1") == 0.61);
  CHECK(std::isnan(last_metric("[0]")));
  CHECK(std::isnan(last_metric("[0]\tvalidation-auc:nan")));
}

TEST_CASE("unused parameters are found in the library's warnings") {
  CHECK(unused_parameters("WARNING: x.cc:1: \nParameters: { \"a\", \"b\" } are not used.\n") ==
        "\"a\", \"b\"");
  CHECK(unused_parameters("WARNING: something else").empty());
  CHECK(unused_parameters("").empty());
}

}  // namespace coeval::adapters::xgboost
