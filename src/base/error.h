#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error_code.h"

namespace coeval {

/// A place in a file a person wrote. line and column are 1-based; 0 means unknown.
struct SourcePosition {
  std::string file;
  int line = 0;
  int column = 0;
  int length = 1;  ///< columns to underline
};

/// What went wrong, where, and what to do about it.
struct Error {
  Code code = Code::internal;
  std::string message;               ///< what; lower case, no full stop, values last
  std::string advice;                ///< what to do; may be empty
  SourcePosition position;           ///< in a definition file, if it is about one
  std::vector<std::string> context;  ///< outermost last: "while reading data/x.parquet"

  /// Adds an outer "while …" and returns the error, for use in a return statement.
  Error within(std::string what) && {
    context.push_back(std::move(what));
    return std::move(*this);
  }
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

/// Makes an unexpected value: `return fail(Code::no_such_file, "no file '" + path + "'", "…");`
inline std::unexpected<Error> fail(Code code, std::string message, std::string advice = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(advice), {}, {}});
}

/// "error[C0101]: message; advice (while …)" on one line, for logs and HTTP answers.
std::string one_line(const Error& error);

/// "C0101" for a code.
std::string code_name(Code code);

}  // namespace coeval

#define COEVAL_CONCAT_INNER(a, b) a##b
#define COEVAL_CONCAT(a, b) COEVAL_CONCAT_INNER(a, b)

/// Returns the error of a Status or Result<T> expression to the caller.
#define COEVAL_TRY(expression)                                                    \
  do {                                                                            \
    auto coeval_status = (expression);                                            \
    if (!coeval_status) return std::unexpected(std::move(coeval_status).error()); \
  } while (false)

/// COEVAL_ASSIGN(auto x, expression): declares x from a Result, or returns its error.
#define COEVAL_ASSIGN_INNER(result, declaration, ...)             \
  auto result = (__VA_ARGS__);                                    \
  if (!result) return std::unexpected(std::move(result).error()); \
  declaration = std::move(*result)
#define COEVAL_ASSIGN(declaration, ...) \
  COEVAL_ASSIGN_INNER(COEVAL_CONCAT(coeval_result_, __LINE__), declaration, __VA_ARGS__)
