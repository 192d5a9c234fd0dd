// Any text through the parser of expressions and that of aggregates: a tree or errors, never both;
// every node stands within the text, inside its parent, and no tree is deeper than promised.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "define/diagnostics.h"
#include "define/parser.h"
#include "define/project.h"

namespace {

using namespace coeval::define;

void check(const Syntax& node, std::size_t begin, std::size_t end, int levels) {
  if (levels == 0 || node.begin < begin || node.end > end || node.begin > node.end) std::abort();
  int below = 0;
  for (const auto& arg : node.args) {
    if (!arg) std::abort();
    check(*arg, begin, end, levels - 1);
    below = std::max(below, arg->depth);
  }
  if (node.depth <= below) std::abort();
}

void check(Diagnostics& errors, bool accepted, const std::string& text) {
  if (accepted != errors.empty()) std::abort();
  for (const auto& error : errors.take())
    if (render(error, text, true).empty()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ExpressionText written{text, {"fuzz", 1, 1, 1}, true};
  Diagnostics errors;
  const SyntaxPtr tree = parse_expression(written, errors);
  check(errors, tree != nullptr, text);
  if (tree) check(*tree, 0, size, kMaxNesting + 1);
  Diagnostics more;
  const auto aggregate = parse_aggregate(written, more);
  check(more, aggregate.has_value(), text);
  if (!aggregate) return 0;
  for (const auto& arg : aggregate->args) check(*arg, 0, size, kMaxNesting + 1);
  if (aggregate->where) check(*aggregate->where, 0, size, kMaxNesting + 1);
  return 0;
}
