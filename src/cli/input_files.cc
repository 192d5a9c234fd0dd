#include "cli/input_files.h"

#include <glob.h>

#include <filesystem>
#include <utility>

namespace coeval::cli {

Result<std::vector<std::string>> files_of(const std::string& pattern) {
  std::error_code none;
  if (std::filesystem::exists(pattern, none) || pattern.find_first_of("*?[") == std::string::npos)
    return std::vector{pattern};
  glob_t found{};
  std::vector<std::string> files;
  const int failed = ::glob(pattern.c_str(), 0, nullptr, &found);
  for (std::size_t i = 0; failed == 0 && i < found.gl_pathc; ++i)
    files.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (failed == GLOB_NOSPACE) return fail(Code::io, "too many files match '" + pattern + "'");
  if (files.empty())
    return fail(Code::no_such_file, "no file matches '" + pattern + "'",
                "the shell did not find one either: check the folder and the pattern");
  return files;
}

Result<ingest::SpooledInput> spool_input(const Context& context, const std::string& folder) {
  return ingest::SpooledInput::read(folder, context.in.format.empty() ? "csv" : context.in.format);
}

Error about_input(Error error, const ingest::SpooledInput& spooled) {
  if (const std::size_t at = error.message.find(spooled.path()); at != std::string::npos)
    error.message.replace(at, spooled.path().size(), "standard input");
  return error;
}

}  // namespace coeval::cli
