#pragma once

#include <optional>
#include <vector>

#include "define/constant_arguments.h"
#include "define/functions.h"

namespace coeval::define {

/// Whether a parameter may be given a list.
inline bool takes_lists(Takes takes) { return takes == Takes::anything || takes >= Takes::sized; }

/// What a value of a type is cast to for Takes::sized, list and vector; null when it is not taken.
data::Type wanted_list(Takes takes, data::Type type);

/// What is wrong with lists among arguments that have their types: two vectors of other declared
/// lengths, lists that would be compared.
std::optional<ArgumentProblem> check_lists(Op op, const std::vector<ExprPtr>& args);

/// Whether an expression may stand in a list of constants whose type is then `common`.
bool can_be_element(const Expr& expr, data::Type common);
/// A literal of all of them, each cast to `element`; null where one does not fit.
ExprPtr list_of_constants(data::Type element, std::vector<ExprPtr> constants);

}  // namespace coeval::define
