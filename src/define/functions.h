#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/value.h"
#include "define/expr.h"
#include "define/project.h"

namespace coeval::define {

/// What a function accepts; the checker casts to it.
enum class Takes : std::uint8_t {
  number,  ///< int64 or float64
  timestamp,
  anything,   ///< one type for all arguments, whatever it is
  ordered,    ///< one type for all arguments: a number, timestamp, date or duration
  condition,  ///< a boolean, then `anything`
};

/// What a function gives.
enum class Gives : std::uint8_t { int64, duration, as_argument };

/// What a null argument does.
enum class NullRule : std::uint8_t {
  propagates,  ///< one null argument makes the result null
  special,     ///< as its documentation says
};

/// One function of the expression language. Parser, checker, documentation and completion read
/// this.
struct Function {
  std::string_view name;
  Op op;
  int min_args, max_args;  ///< max_args < 0: any number
  Takes takes;
  Gives gives;
  NullRule nulls;
  std::string_view signature;
  std::string_view doc;
  std::string_view example;  ///< over columns ts, n, x, s; a test compiles it
};
std::span<const Function> functions();
const Function* find_function(std::string_view name);
/// Whether the function takes one timestamp, so that as an input its bare name means fn(at).
bool is_date_part(const Function& function);

/// What an aggregate's argument may be.
enum class Over : std::uint8_t { rows_or_anything, number, ordered };

/// One aggregate of views. (semantics: A7)
struct AggregateFunction {
  std::string_view name;
  Aggregation kind;
  Over over;
  std::string_view signature;
  std::string_view doc;
};
std::span<const AggregateFunction> aggregate_functions();
const AggregateFunction* find_aggregate(std::string_view name);

/// Whether the name belongs to the language of semantics.md but not to this version of it.
bool is_future_function(std::string_view name);
bool is_future_aggregate(std::string_view name);

/// Names of all functions, or of all aggregates, for suggestions.
std::vector<std::string> function_names();
std::vector<std::string> aggregate_names();

}  // namespace coeval::define
