#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/error.h"

namespace coeval::cli {

/// A server of this project, as it wrote itself down in .coeval/server.json.
struct RunningServer {
  pid_t pid = 0;
  std::string url;
};

/// Nothing when there is none, or when the process that wrote the file is gone.
std::optional<RunningServer> find_running_server(const std::string& state_folder);
Status write_running_server(const std::string& state_folder, const RunningServer& server);
void forget_running_server(const std::string& state_folder);

}  // namespace coeval::cli
