#include <algorithm>

#include "cli/commands.h"
#include "cli/exports.h"

namespace coeval::cli {

std::span<const Export> exports() {
  static const std::vector<Export> kExports = {
      {"onnx", "MODEL|MODEL@vN FILE.onnx", export_onnx},
  };
  return kExports;
}

std::vector<std::string> export_kinds() {
  std::vector<std::string> kinds;
  for (const Export& each : exports()) kinds.emplace_back(each.kind);
  return kinds;
}

Error export_usage(std::string_view kind) {
  const auto found = std::ranges::find(exports(), kind, &Export::kind);
  return {Code::usage,
          "what is to be exported cannot be understood",
          "coeval export " + std::string(kind) + " " +
              std::string(found == exports().end() ? "" : found->usage),
          {},
          {}};
}

int export_to(Context& context) {
  if (const auto code = context.load_project()) return *code;
  for (const Export& each : exports())
    if (each.kind == context.in.action) return each.run(context);
  return context.report(export_usage(context.in.action));
}

}  // namespace coeval::cli
