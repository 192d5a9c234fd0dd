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
  const auto name_it = [&spooled](std::string& text) {
    const std::string& path = spooled.path();
    for (std::size_t at = 0; (at = text.find(path, at)) != std::string::npos;)
      text.replace(at, path.size(), "standard input");
  };
  name_it(error.message);
  name_it(error.advice);
  for (std::string& each : error.context) name_it(each);
  return error;
}

}  // namespace coeval::cli
