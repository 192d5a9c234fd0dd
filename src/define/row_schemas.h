#pragma once

#include <span>

#include "data/column.h"
#include "define/project.h"

namespace coeval::define {

/// The question's own columns of a model, as they are asked, logged and shown.
data::Schema question_schema(const Model& model);

/// The columns of inputs, as they are logged and shown: all nullable.
data::Schema input_schema(std::span<const Input> inputs);

}  // namespace coeval::define
