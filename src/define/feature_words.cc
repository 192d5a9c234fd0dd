#include "define/feature_words.h"

#include "define/expression_text.h"
#include "define/lexer.h"

namespace coeval::define {

std::string spaced_words(const std::string& expression, const Project& project) {
  Diagnostics ignored;
  const ExpressionText text{expression, {}, true};
  ExpressionErrors errors(ignored, text);
  std::string words;
  for (const auto& token : tokenize(expression, errors)) {
    if (token.kind == Token::Kind::end) continue;
    const bool name = token.kind == Token::Kind::name;
    const Constant* constant = name ? project.find_constant(token.text) : nullptr;
    words += words.empty() ? "" : " ";
    words += constant && constant->value ? canonical(*constant->value) : std::string(token.text);
  }
  return words;
}

}  // namespace coeval::define
