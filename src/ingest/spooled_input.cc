#include "ingest/spooled_input.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include "stores/append_file.h"
#include "stores/files.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;
constexpr int kMostNames = 1000;
constexpr std::string_view kPrefix = "spooled-";

}  // namespace

void remove_dead_spools(const std::string& folder) {
  std::error_code none;
  for (std::filesystem::directory_iterator file(folder, none), end; !none && file != end;
       file.increment(none)) {
    const std::string name = file->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    pid_t pid = 0;
    const char* const digits = name.data() + kPrefix.size();
    const bool numbered =
        std::from_chars(digits, name.data() + name.size(), pid).ec == std::errc{} && pid > 0;
    if (numbered && ::kill(pid, 0) != 0 && errno == ESRCH) ::unlink(file->path().c_str());
  }
}

Result<SpooledInput> SpooledInput::read(const std::string& folder, const std::string& ending) {
  COEVAL_TRY(stores::make_folders(folder));
  std::error_code none;
  std::string path;
  for (int i = 0; i < kMostNames; ++i) {
    path = folder + "/" + std::string(kPrefix) + std::to_string(::getpid()) + "-" +
           std::to_string(i) + "." + ending;
    if (!std::filesystem::exists(path, none)) break;
  }
  COEVAL_ASSIGN(auto file, stores::disk_files()->open(path, stores::FileLayer::Open::create_new));
  SpooledInput spooled(path);
  std::vector<char> buffer(kReadBytes);
  while (true) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size == 0) return spooled;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return std::unexpected(stores::error_from_errno(errno, "read", "standard input"));
    COEVAL_TRY(stores::append_all(*file, {buffer.data(), static_cast<std::size_t>(size)}));
  }
}

SpooledInput::SpooledInput(SpooledInput&& other) noexcept : path_(std::exchange(other.path_, {})) {}

SpooledInput::~SpooledInput() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace coeval::ingest
