#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"

namespace coeval::cli {

/// A kind of thing that `coeval export KIND …` makes for others. Each has a function below, a file
/// of its own, and a row in export.cc.
struct Export {
  std::string_view kind;
  std::string_view usage;  ///< what follows the kind
  int (*run)(Context&);    ///< the project is loaded; what follows the kind is Invocation::words
};
std::span<const Export> exports();
int export_onnx(Context& context);
/// Their names, for the command line.
std::vector<std::string> export_kinds();

/// What is said when the words after a kind are not those of its usage.
Error export_usage(std::string_view kind);

}  // namespace coeval::cli
