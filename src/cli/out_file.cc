#include "cli/out_file.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "stores/files.h"

namespace coeval::cli {

Status check_out(const replay::OpenFormat& formats, const std::string& out) {
  namespace fs = std::filesystem;
  std::error_code none;
  if (fs::is_directory(out, none))
    return fail(Code::usage, "--out is a folder: " + out, "name a file in it");
  COEVAL_TRY(formats(out));
  const std::string folder = stores::folder_of(out);
  if (!fs::exists(folder, none))
    return fail(Code::no_such_file, "there is no folder '" + folder + "' to write --out into",
                "mkdir -p '" + folder + "' makes it");
  if (!fs::is_directory(folder, none))
    return fail(Code::usage, "--out is to be in '" + folder + "', which is no folder",
                "name a file in a folder");
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return std::unexpected(stores::error_from_errno(errno, "write --out into", folder));
  return {};
}

}  // namespace coeval::cli
