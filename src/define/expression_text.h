#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "define/diagnostics.h"
#include "define/document.h"

namespace coeval::define {

/// Text of an expression and where it stands, so that an error inside it points into the file.
struct ExpressionText {
  std::string text;
  SourcePosition start;  ///< of the first character when `exact`, else of the whole string
  bool exact = true;

  /// The string of a definition file.
  static ExpressionText of(const TomlValue& value);
  /// The place of the bytes [begin, end) of the text.
  SourcePosition place(std::size_t begin, std::size_t end) const;
};

/// Reports errors of one expression by byte offsets.
class ExpressionErrors {
 public:
  ExpressionErrors(Diagnostics& errors, const ExpressionText& text)
      : errors_(errors), text_(text) {}
  void report(Code code, std::size_t begin, std::size_t end, std::string message,
              std::string advice = {}) {
    if (errors_.count() >= Diagnostics::kMaxErrors) return;  // a place takes time to find
    errors_.report(code, text_.place(begin, end), std::move(message), std::move(advice));
  }
  bool suggests() const { return errors_.suggests(); }

 private:
  Diagnostics& errors_;
  const ExpressionText& text_;
};

}  // namespace coeval::define
