#include "cli/running_server.h"

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "data/json.h"
#include "stores/files.h"

namespace coeval::cli {

namespace {

std::string path_in(const std::string& state_folder) { return state_folder + "/server.json"; }

// A pid may have been given to another program since: it must be a coeval. (Files of procfs have
// size 0, so they are read as a stream.)
bool is_coeval(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  // Another user's process may not be signalled, but it is there.
  return std::getline(file, name) && name.starts_with("coeval") &&
         (kill(pid, 0) == 0 || errno == EPERM);
}

}  // namespace

std::optional<RunningServer> find_running_server(const std::string& state_folder) {
  const auto text = stores::read_file(path_in(state_folder), 1 << 16);
  if (!text) return std::nullopt;
  const auto json = data::parse_json(*text);
  const data::Json* pid = json ? json->find("pid") : nullptr;
  const data::Json* url = json ? json->find("url") : nullptr;
  if (pid == nullptr || pid->integer() == nullptr || url == nullptr || url->string() == nullptr)
    return std::nullopt;
  const RunningServer server{static_cast<pid_t>(*pid->integer()), *url->string()};
  if (server.pid <= 0 || !is_coeval(server.pid)) return std::nullopt;
  return server;
}

Status write_running_server(const std::string& state_folder, const RunningServer& server) {
  data::Json json{data::Json::Object{}};
  json.set("pid", static_cast<std::int64_t>(server.pid));
  json.set("url", server.url);
  return stores::write_file_atomically(path_in(state_folder), json.dump_pretty() + "\n");
}

void forget_running_server(const std::string& state_folder) {
  std::error_code ignored;
  std::filesystem::remove(path_in(state_folder), ignored);
}

}  // namespace coeval::cli
