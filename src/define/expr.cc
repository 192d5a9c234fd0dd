#include "define/expr.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/time.h"
#include "define/checker.h"
#include "define/functions.h"
#include "define/lexer.h"
#include "define/scope.h"

namespace coeval::define {

namespace {

using data::Type;

// 7.5, 8.0, 1e+300: the shortest text that reads back to the same bits, and never an integer's.
std::string real_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (char c : text) out.append(c == quote ? 2 : 1, c);
  return out + quote;
}

std::string literal_text(const Expr& expr) {
  if (data::is_null(expr.literal)) return "null";
  if (const auto* flag = std::get_if<bool>(&expr.literal)) return *flag ? "true" : "false";
  if (const auto* real = std::get_if<double>(&expr.literal)) return real_text(*real);
  if (const auto* text = std::get_if<std::string>(&expr.literal)) return doubled(*text, '\'');
  return data::to_text(expr.literal, expr.type);
}

// A dotted name (of a view's feature) has plain parts; any other odd name is quoted.
std::string name_text(std::string_view name) {
  const std::size_t dot = name.find('.');
  const bool plain = dot == std::string_view::npos ? is_plain_name(name)
                                                   : is_plain_name(name.substr(0, dot)) &&
                                                         is_plain_name(name.substr(dot + 1));
  return plain ? std::string(name) : doubled(name, '"');
}

std::string_view infix_of(Op op) {
  switch (op) {
    case Op::add:
      return " + ";
    case Op::subtract:
      return " - ";
    case Op::multiply:
      return " * ";
    case Op::divide:
      return " / ";
    case Op::modulo:
      return " % ";
    case Op::equal:
      return " = ";
    case Op::not_equal:
      return " <> ";
    case Op::less:
      return " < ";
    case Op::less_equal:
      return " <= ";
    case Op::greater:
      return " > ";
    case Op::greater_equal:
      return " >= ";
    case Op::logical_and:
      return " and ";
    case Op::logical_or:
      return " or ";
    default:
      return {};
  }
}

std::string_view function_name(Op op) {
  for (const auto& function : functions())
    if (function.op == op) return function.name;
  return "?";
}

// Appends to one string: linear in the size of the tree.
class Writer {
 public:
  void write(const Expr& expr) {
    if (expr.op == Op::literal) return put(literal_text(expr));
    if (expr.op == Op::column) return put(name_text(expr.name));
    if (expr.op == Op::question_time) return put("at");
    if (const auto infix = infix_of(expr.op); !infix.empty()) return around("(", expr, infix, ")");
    switch (expr.op) {
      case Op::negate:
        return around("(- ", expr, {}, ")");
      case Op::logical_not:
        return around("(not ", expr, {}, ")");
      case Op::is_null:
        return around("(", expr, {}, " is null)");
      case Op::is_not_null:
        return around("(", expr, {}, " is not null)");
      case Op::cast:
        return around("cast(", expr, {}, " as " + std::string(data::name(expr.type)) + ")");
      default:
        return around(std::string(function_name(expr.op)) + "(", expr, ", ", ")");
    }
  }

  std::string text;

 private:
  void put(std::string_view piece) { text += piece; }
  void around(std::string_view before, const Expr& expr, std::string_view separator,
              std::string_view after) {
    put(before);
    for (std::size_t i = 0; i < expr.args.size(); ++i) {
      if (i > 0) put(separator);
      write(*expr.args[i]);
    }
    put(after);
  }
};

void gather_columns(const Expr& expr, std::vector<int>& columns) {
  if (expr.op == Op::column) columns.push_back(expr.column);
  for (const auto& argument : expr.args) gather_columns(*argument, columns);
}

}  // namespace

std::string canonical(const Expr& expr) {
  Writer writer;
  writer.write(expr);
  return std::move(writer.text);
}

std::vector<int> columns_read(const Expr& expr) {
  std::vector<int> columns;
  gather_columns(expr, columns);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

Result<ExprPtr> compile_expression(const std::string& text, const data::Schema& schema,
                                   bool question_time, const std::string& origin) {
  Diagnostics errors;
  RowScope scope(schema, "the row", question_time);
  ExprPtr expr = check_expression({text, {origin, 1, 1, 1}, true}, scope, errors);
  if (expr) return expr;
  return std::unexpected(std::move(errors.take().front()));
}

}  // namespace coeval::define
