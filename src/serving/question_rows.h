#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "serving/model_plan.h"

namespace coeval::serving {

/// One question as read: a value for each question column, and its time when it named one.
struct Question {
  std::vector<data::Value> values;
  std::optional<std::int64_t> at_us;
};

/// Reads {"origin":"ATL",…[,"at":…]}. The time may also be given under the name of the column that
/// is the question's time. A missing nullable column is null; a null where none is allowed breaks a
/// rule, see question_rules.h. Errors: bad_json when it is not an object; missing_value and
/// type_mismatch or out_of_range naming the key; unknown_key with the nearest known one.
Result<Question> read_question(const data::Json& json, const ModelPlan& plan);

}  // namespace coeval::serving
