#include "define/expr.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/time.h"
#include "data/decimal.h"
#include "data/packed_list.h"
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

std::string constant_text(const Expr& expr);

std::string list_literal_text(const Expr& expr) {
  const data::ListView list(std::get<std::string>(expr.literal), expr.type);
  const std::size_t size = list.size();
  std::string text = "[";
  for (std::size_t i = 0; i < size; ++i) {
    Expr element;
    element.type = data::element_of(expr.type);
    element.literal = list.value(i);
    text += (i == 0 ? "" : ", ") + constant_text(element);
  }
  return text + "]";
}

std::string literal_text(const Expr& expr) {
  if (data::is_null(expr.literal)) return "null";
  if (data::is_list(expr.type)) return list_literal_text(expr);
  if (const auto* flag = std::get_if<bool>(&expr.literal)) return *flag ? "true" : "false";
  if (const auto* real = std::get_if<double>(&expr.literal)) return real_text(*real);
  if (const auto* text = std::get_if<std::string>(&expr.literal)) return doubled(*text, '\'');
  const std::string text = data::to_text(expr.literal, expr.type);
  return data::is_decimal(expr.type) ? "decimal '" + text + "'" : text;
}

// Bare numbers are int64 and float64; a constant of a narrower type says so, and a decimal of more
// digits than its text has.
std::string constant_text(const Expr& expr) {
  bool narrow = expr.type == Type::int32 || expr.type == Type::float32;
  if (const auto* scaled = std::get_if<std::int64_t>(&expr.literal); data::is_decimal(expr.type))
    narrow = scaled != nullptr &&
             data::narrowest_decimal(*scaled, data::scale_of(expr.type)) != expr.type;
  if (!narrow || data::is_null(expr.literal)) return literal_text(expr);
  return "cast(" + literal_text(expr) + " as " + std::string(data::name(expr.type)) + ")";
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
    if (expr.op == Op::literal) return put(constant_text(expr));
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
      case Op::is_distinct:
        return around("(", expr, " is distinct from ", ")");
      case Op::like:
        return like(expr);
      case Op::case_when:
        return case_when(expr);
      case Op::cast:
      case Op::convert:
        return around("cast(", expr, {}, as_type(expr));
      case Op::try_convert:
        return around("try_cast(", expr, {}, as_type(expr));
      default:
        return around(std::string(function_name(expr.op)) + "(", expr, ", ", zone(expr) + ")");
    }
  }

  std::string text;

 private:
  // No expression that a person writes has a semicolon.
  static std::string zone(const Expr& expr) {
    return expr.zone ? "; " + doubled(expr.zone->name(), '\'') : std::string();
  }

  static std::string as_type(const Expr& expr) {
    return " as " + std::string(data::name(expr.type)) + zone(expr) + ")";
  }

  void like(const Expr& expr) {
    put("(");
    write(*expr.args[0]);
    put(" like ");
    write(*expr.args[1]);
    if (expr.args.size() > 2) {
      put(" escape ");
      write(*expr.args[2]);
    }
    put(")");
  }

  void case_when(const Expr& expr) {
    put("(case");
    for (std::size_t i = 0; i + 1 < expr.args.size(); i += 2) {
      put(" when ");
      write(*expr.args[i]);
      put(" then ");
      write(*expr.args[i + 1]);
    }
    put(" else ");
    write(*expr.args.back());
    put(" end)");
  }

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

bool null_only_by_arguments(const Expr& expr) {
  switch (expr.op) {
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::negate:
    case Op::fn_abs:
    case Op::fn_round:
      return data::is_float(expr.type);  // integers overflow, and texts may be too long
    case Op::divide:
      return data::is_float(expr.args[1]->type) && expr.args[1]->op != Op::cast;
    case Op::question_time:
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_equal:
    case Op::greater:
    case Op::greater_equal:
    case Op::logical_not:
    case Op::like:
    case Op::cast:
    case Op::fn_least:
    case Op::fn_greatest:
    case Op::fn_clamp:
    case Op::fn_sign:
    case Op::fn_floor:
    case Op::fn_ceil:
    case Op::fn_trunc:
    case Op::fn_length:
    case Op::fn_contains:
    case Op::fn_starts_with:
    case Op::fn_ends_with:
    case Op::fn_regexp_like:
    case Op::fn_hash_bucket:
    case Op::fn_bucketize:
    case Op::fn_width_bucket:
      return true;
    default:
      break;
  }
  return (expr.op >= Op::fn_sqrt && expr.op <= Op::fn_haversine_km) ||
         (expr.op >= Op::fn_year && expr.op <= Op::fn_is_weekend);
}

std::vector<int> columns_read(const Expr& expr) {
  std::vector<int> columns;
  gather_columns(expr, columns);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

Result<ExprPtr> compile_expression(const std::string& text, const data::Schema& schema,
                                   bool question_time, const std::string& origin,
                                   const Project* project) {
  Diagnostics errors;
  RowScope scope(schema, "the row", question_time, project);
  ExprPtr expr = check_expression({text, {origin, 1, 1, 1}, true}, scope, errors);
  if (expr) return expr;
  return std::unexpected(std::move(errors.take().front()));
}

}  // namespace coeval::define
