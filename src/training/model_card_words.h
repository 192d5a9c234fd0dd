#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "define/project.h"

namespace coeval::training {

/// Of the model's table in the definition: the lines of comment right above and below its name,
/// without their marks; at most 40. None when the text is no TOML.
std::vector<std::string> comments_of(const std::string& definition, const std::string& model);
/// The label as it was written; its canonical text where the definition does not tell.
std::string label_text(const std::string& definition, const define::Model& model);

/// "bad = 1": canonical text without the parentheses around it all.
std::string plain_text(const define::Expr& expr);

/// What an input is computed from: "mean(amount) of orders by user, in the 14d before", or an
/// expression with what it reads.
std::string made_of(const define::Project& project, const define::Model& model,
                    const define::Input& input);
/// When the last of what an input reads of the question's row is known, and which events count:
/// "ts; events once (ts + minutes(30)) has come". (semantics: D2 T3)
std::string known_text(const define::Project& project, const define::Model& model,
                       const define::Input& input);

/// Whether a slice's values may tell who a row is about.
bool is_personal(const define::Project& project, const define::Model& model,
                 std::string_view slice);

}  // namespace coeval::training
