#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "define/project.h"

// Any text: a project or errors, each of which can be shown; and the same text gives the same hash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace coeval;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const define::Checked checked = define::check_text(text, "coeval.toml");
  if (checked.project.has_value() != checked.errors.empty()) std::abort();
  for (const auto& error : checked.errors)
    if (define::render(error, text, true).empty()) std::abort();
  if (checked.project && define::check_text(text, "x").project->ir_hash != checked.project->ir_hash)
    std::abort();
  return 0;
}
