#pragma once

#include <map>
#include <string>
#include <vector>

#include "define/inputs.h"

namespace coeval::define {

/// A key of a view that is no column of the question: a value computed from the question's columns
/// and from answers of other views.
struct DerivedKey {
  std::string name;
  ExprPtr expr;                       ///< over the wide row; null while it is broken
  std::vector<std::string> features;  ///< features and keys named in it
  SourcePosition position;            ///< of its text in [keys], or of who reads it
  int stage = 0;                      ///< above that of every view it reads
};

/// How the views that inputs read are asked.
struct QuestionKeys {
  std::map<std::string, DerivedKey> derived;  ///< by name
  std::vector<int> views;                     ///< all that are asked, for keys too, ascending
  std::map<int, int> stages;                  ///< of views above stage 0

  const DerivedKey* find(const std::string& name) const {
    const auto found = derived.find(name);
    return found == derived.end() ? nullptr : &found->second;
  }
};

/// Settles each key of each view that the inputs read, and of each view that such a key reads: the
/// question's column of its name; else what [keys] says; else, for a key such as `plane.maker`, the
/// lookup's answer to the question. Keys that are none of these are left out; the caller reports
/// them. Errors: cycle with its path, and what checking an expression of [keys] gives.
QuestionKeys question_keys(const std::vector<WideInput>& inputs, const WideRow& row,
                           QuestionScope& scope, const std::vector<View>& views,
                           Diagnostics& errors);

}  // namespace coeval::define
