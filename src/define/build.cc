#include "define/build.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "define/conversion.h"

namespace coeval::define {

namespace {

using data::Type;

// A literal of another type; null when a decimal cannot hold it.
ExprPtr cast_literal(Type type, const Expr& literal) {
  if (data::is_null(literal.literal)) return make_literal(type, {});
  if (data::is_decimal(type) || data::is_decimal(literal.type)) {
    auto value = converted(literal.literal, literal.type, type);
    return value ? make_literal(type, std::move(*value)) : nullptr;
  }
  if (type == Type::float64 && std::holds_alternative<std::int64_t>(literal.literal))
    return make_literal(type, static_cast<double>(std::get<std::int64_t>(literal.literal)));
  if (type == Type::int64 && std::holds_alternative<bool>(literal.literal))
    return make_literal(type, std::int64_t{std::get<bool>(literal.literal)});
  return make_literal(type, literal.literal);
}

// Shared subtrees are rewritten once.
using Rewritten = std::unordered_map<const Expr*, ExprPtr>;

ExprPtr renumber_node(const ExprPtr& expr, const std::vector<int>& places, Rewritten& done) {
  if (expr->op != Op::column && expr->args.empty()) return expr;
  if (const auto found = done.find(expr.get()); found != done.end()) return found->second;
  auto copy = std::make_shared<Expr>(*expr);
  if (copy->op == Op::column) copy->column = places[static_cast<std::size_t>(copy->column)];
  for (auto& argument : copy->args) argument = renumber_node(argument, places, done);
  return done[expr.get()] = std::move(copy);
}

}  // namespace

ExprPtr make_literal(Type type, data::Value value) {
  auto node = std::make_shared<Expr>();
  node->type = type;
  node->literal = std::move(value);
  return node;
}

ExprPtr make_column(int column, std::string name, Type type) {
  auto node = std::make_shared<Expr>();
  node->op = Op::column;
  node->type = type;
  node->column = column;
  node->name = std::move(name);
  return node;
}

ExprPtr make_question_time() { return make_node(Op::question_time, Type::timestamp, {}); }

ExprPtr make_node(Op op, Type type, std::vector<ExprPtr> args) {
  auto node = std::make_shared<Expr>();
  node->op = op;
  node->type = type;
  std::int64_t nodes = 1;
  for (const auto& argument : args) {
    node->depth = std::max(node->depth, argument->depth + 1);
    nodes += argument->nodes;
  }
  node->nodes = static_cast<int>(std::min<std::int64_t>(nodes, std::numeric_limits<int>::max()));
  node->args = std::move(args);
  return node;
}

ExprPtr cast_to(Type type, ExprPtr expr) {
  if (expr->type == type) return expr;
  if (expr->op == Op::literal)
    if (ExprPtr literal = cast_literal(type, *expr)) return literal;
  const bool may_fail = data::is_decimal(type) && !only_widens(expr->type, type);
  return make_node(may_fail ? Op::convert : Op::cast, type, {std::move(expr)});
}

ExprPtr renumber(const ExprPtr& expr, const std::vector<int>& places) {
  Rewritten done;
  return renumber_node(expr, places, done);
}

}  // namespace coeval::define
