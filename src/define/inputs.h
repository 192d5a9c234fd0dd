#pragma once

#include <string>
#include <vector>

#include "define/question_scope.h"

namespace coeval::define {

/// An input over the wide row, with what a message about it needs.
struct WideInput {
  Input input;
  SourcePosition position;
  std::vector<std::string> features;  ///< named in it
  std::string glob;                   ///< the pattern that it was found by; empty = by name
};

/// One element of `inputs` as written.
struct InputText {
  ExpressionText text;
  SourcePosition position;
};

/// Reads inputs: names of features, columns and view features, globs such as "origin.*", a date
/// part of the question's time by its bare name ("weekday"), or expressions. Errors: unknown_name,
/// unknown_column, duplicate_name, type_error, and what checking an expression gives. `lists` says
/// that an input may be a list, which no model reads, but a dataset of features may have.
std::vector<WideInput> read_inputs(const std::vector<InputText>& texts, const WideRow& row,
                                   QuestionScope& scope, Diagnostics& errors, bool lists = false);

struct QuestionKeys;

/// The row with only what the inputs and the keys of the views asked read, and the inputs over it.
/// Keys that are nowhere are left out; the caller has reported them.
struct NarrowRow {
  RowSchema row;
  std::vector<Input> inputs;
};
NarrowRow narrow(const std::vector<WideInput>& inputs, const QuestionKeys& keys, const WideRow& row,
                 const std::vector<View>& views);

/// Whether `text` matches a pattern in which each '*' stands for any characters.
bool matches_glob(std::string_view text, std::string_view glob);

}  // namespace coeval::define
