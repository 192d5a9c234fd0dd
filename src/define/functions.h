#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/value.h"
#include "define/expr.h"

namespace coeval::define {

/// What an argument may be; the checker casts to it. Arguments of the kinds marked "common" are
/// brought to one type, the function's argument type.
enum class Takes : std::uint8_t {
  number,    ///< common: int64 or float64
  anything,  ///< common: any type
  ordered,   ///< common: a number, timestamp, date or duration
  moment,    ///< common: a timestamp or a date
  each,      ///< any type of its own but duration
  real,      ///< float64; an integer becomes one
  integer,   ///< int64
  text,
  timestamp,
  condition,  ///< a boolean
  sized,      ///< a text or a list
  list,       ///< of anything
  vector,     ///< a list of floats; of two, declared lengths are equal
};

/// An argument's kind, and whether it must be a constant.
struct Parameter {
  Takes takes = Takes::anything;
  bool constant = false;
};

/// What a function gives.
enum class Gives : std::uint8_t { int64, float64, boolean, text, duration, as_argument, element };

/// What a null argument does.
enum class NullRule : std::uint8_t {
  propagates,  ///< one null argument makes the result null
  special,     ///< as its documentation says
};

/// Where the reference lists a function.
enum class Topic : std::uint8_t { conditions, casts, text, time, maths, buckets, lists };

/// One function of the expression language. Parser, checker, documentation and completion read
/// this; a test evaluates the example.
struct Function {
  std::string_view name;
  Topic topic;
  Op op;
  int min_args, max_args;               ///< max_args < 0: any number
  std::array<Parameter, 4> parameters;  ///< the last one used stands for all that follow
  int parameters_count;
  Gives gives;
  NullRule nulls;
  std::string_view signature;
  std::string_view doc;
  std::string_view example;   ///< reads no column
  std::string_view expected;  ///< its value, as a literal or as text of that value

  const Parameter& parameter(std::size_t index) const {
    const auto last = static_cast<std::size_t>(parameters_count - 1);
    return parameters[index < last ? index : last];
  }
};
std::span<const Function> functions();
const Function* find_function(std::string_view name);
/// Whether the function takes one moment, so that as an input its bare name means fn(at).
bool is_date_part(const Function& function);

/// Whether argument `index` of a node is a constant that says how to compute, not a value of the
/// row.
bool is_setting(const Expr& expr, std::size_t index);

/// Names of all functions, for suggestions.
std::vector<std::string> function_names();

}  // namespace coeval::define
