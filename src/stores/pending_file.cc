#include "stores/pending_file.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>

#include "stores/files.h"

namespace coeval::stores {

namespace {

constexpr std::string_view kPendingMark = ".pending-";
constexpr int kMaxPendingNames = 1000;
// Large files go to the disk while they are made, not all at once in publish().
constexpr std::uint64_t kWriteOutBytes = 8u << 20;

std::string pending_name(const std::string& path, int attempt) {
  return path + std::string(kPendingMark) + std::to_string(::getpid()) + "-" +
         std::to_string(attempt);
}

}  // namespace

PendingFile::PendingFile(std::string path, std::string temporary, std::shared_ptr<FileLayer> files,
                         std::unique_ptr<AppendFile> file)
    : path_(std::move(path)),
      temporary_(std::move(temporary)),
      files_(std::move(files)),
      file_(std::move(file)) {}

PendingFile::PendingFile(PendingFile&& other) noexcept = default;

PendingFile::~PendingFile() {
  if (file_) static_cast<void>(files_->remove(temporary_));
}

Result<PendingFile> PendingFile::create(const std::string& path, std::shared_ptr<FileLayer> files,
                                        FileLayer::Open how) {
  // A name may be taken by a file that a dead process of the same pid left: try the next.
  for (int attempt = 0;; ++attempt) {
    std::string temporary = pending_name(path, attempt);
    if (attempt < kMaxPendingNames && ::access(temporary.c_str(), F_OK) == 0) continue;
    COEVAL_ASSIGN(auto file, files->open(temporary, how));
    return PendingFile(path, std::move(temporary), std::move(files), std::move(file));
  }
}

Status PendingFile::write(std::string_view bytes) {
  COEVAL_TRY(append_all(*file_, bytes));
  held_back_ += bytes.size();
  if (held_back_ < kWriteOutBytes) return {};
  file_->start_writing_out();
  held_back_ = 0;
  return {};
}

Status PendingFile::publish() {
  COEVAL_TRY(file_->sync());
  COEVAL_TRY(files_->rename(temporary_, path_));
  file_.reset();  // from here on there is no temporary file to remove
  return files_->sync_folder(folder_of(path_));
}

Status write_file_atomically(const std::string& path, std::string_view bytes,
                             std::shared_ptr<FileLayer> files) {
  COEVAL_ASSIGN(auto pending, PendingFile::create(path, std::move(files)));
  COEVAL_TRY(pending.write(bytes));
  return pending.publish();
}

void remove_leftovers(const std::string& path, double idle_seconds) {
  namespace fs = std::filesystem;
  const std::string mark = fs::path(path).filename().string() + std::string(kPendingMark);
  std::error_code none;
  for (fs::directory_iterator file(folder_of(path), none), end; !none && file != end;
       file.increment(none)) {
    const std::string name = file->path().filename().string();
    pid_t pid = 0;
    if (!name.starts_with(mark)) continue;
    const char* const digits = name.data() + mark.size();
    const bool numbered =
        std::from_chars(digits, name.data() + name.size(), pid).ec == std::errc{} && pid > 0;
    if (!numbered || ::kill(pid, 0) == 0 || errno != ESRCH) continue;
    std::error_code gone;
    const auto changed = fs::last_write_time(file->path(), gone);
    const std::chrono::duration<double> idle = fs::file_time_type::clock::now() - changed;
    if (!gone && idle.count() >= idle_seconds) fs::remove(file->path(), gone);
  }
}

bool is_pending_name(std::string_view file_name) {
  return file_name.find(kPendingMark) != std::string_view::npos;
}

}  // namespace coeval::stores
