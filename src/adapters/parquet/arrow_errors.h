#pragma once

#include <exception>
#include <string>
#include <utility>

#include "base/error.h"

namespace arrow {
class Status;
}

namespace coeval::parquet_adapter {

/// What a failure of Arrow while reading `path` means to the user: bad_file, or io when memory ran
/// out.
Error read_error(const std::string& path, const arrow::Status& status);
/// The same for an exception; Parquet's decoders throw them.
Error read_error(const std::string& path, const std::exception& exception);
/// What an exception while writing `path` means: io.
Error write_error(const std::string& path, const std::exception& exception);

using ErrorOf = Error (*)(const std::string& path, const std::exception& exception);

/// Runs `body`, which returns a Result or Status, and turns whatever Arrow throws into an Error: no
/// exception leaves this adapter.
template <class Body>
auto guarded(const std::string& path, ErrorOf error_of, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const std::exception& exception) {
    return std::unexpected(error_of(path, exception));
  }
}

}  // namespace coeval::parquet_adapter

/// COEVAL_ARROW_ASSIGN(auto x, path, expression): declares x from an arrow::Result, or returns its
/// failure as an Error about `path`.
#define COEVAL_ARROW_ASSIGN_INNER(result, declaration, path, ...)                                 \
  auto result = (__VA_ARGS__);                                                                    \
  if (!(result).ok()) return std::unexpected(parquet_adapter::read_error(path, result.status())); \
  declaration = std::move(result).ValueUnsafe()
#define COEVAL_ARROW_ASSIGN(declaration, path, ...) \
  COEVAL_ARROW_ASSIGN_INNER(COEVAL_CONCAT(coeval_arrow_, __LINE__), declaration, path, __VA_ARGS__)
