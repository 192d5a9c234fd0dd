#include "define/list_arguments.h"

#include "data/packed_list.h"
#include "define/build.h"

namespace coeval::define {

using data::Type;

Type wanted_list(Takes takes, Type type) {
  if (takes == Takes::sized) {
    if (type == Type::null) return Type::string;
    return data::has_bytes(type) ? type : Type::null;
  }
  if (type == Type::null) return data::list_of(Type::float64);
  if (takes == Takes::vector && !data::is_float(data::element_of(type))) return Type::null;
  return data::is_list(type) ? type : Type::null;
}

std::optional<ArgumentProblem> check_lists(Op op, const std::vector<ExprPtr>& args) {
  if (op == Op::nullif && data::is_list(args[0]->type))
    return ArgumentProblem{1, "lists cannot be compared", "compare elements: element(list, 0)"};
  if (op != Op::fn_dot && op != Op::fn_cosine && op != Op::fn_l2) return std::nullopt;
  // Lists that may have any length are compared where they are.
  const Type a = args[0]->type, b = args[1]->type;
  const auto length_a = data::list_length(a), length_b = data::list_length(b);
  if (length_a == length_b || length_a == 0 || length_b == 0) return std::nullopt;
  return ArgumentProblem{
      1, "lists of two lengths do not meet: " + data::name(a) + " and " + data::name(b),
      "compare lists that were made by one model"};
}

bool can_be_element(const Expr& expr, Type common) {
  const bool scalar = !data::is_list(common) && common != Type::duration && common != Type::null;
  return scalar && expr.op == Op::literal && !data::is_null(expr.literal);
}

ExprPtr list_of_constants(Type element, std::vector<ExprPtr> constants) {
  std::string bytes;
  for (auto& constant : constants) {
    const ExprPtr cast = cast_to(element, std::move(constant));
    if (cast->op != Op::literal) return nullptr;  // a decimal that cannot hold it
    data::append_element(bytes, element, cast->literal);
  }
  return make_literal(data::list_of(element, static_cast<std::uint32_t>(constants.size())),
                      std::move(bytes));
}

}  // namespace coeval::define
