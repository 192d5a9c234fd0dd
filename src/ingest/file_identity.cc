#include "ingest/file_identity.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>

#include "data/hash.h"
#include "stores/byte_source.h"
#include "stores/file_window.h"
#include "stores/files.h"

namespace coeval::ingest {

namespace {

constexpr std::uint64_t kReadBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kLookedBytes = std::uint64_t{4} << 10;
constexpr std::size_t kLineEndBytes = 2;
constexpr std::size_t kMostHeaderBytes = std::size_t{64} << 10;

}  // namespace

Result<FileStamp> stamp_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0)
    return std::unexpected(stores::error_from_errno(errno, "open", path));
  return FileStamp{
      static_cast<std::uint64_t>(info.st_size),
      static_cast<std::int64_t>(info.st_mtim.tv_sec) * 1'000'000'000 + info.st_mtim.tv_nsec,
      static_cast<std::uint64_t>(info.st_ino)};
}

Result<Prefix> prefix_of(const std::string& path, std::uint64_t bytes) {
  COEVAL_ASSIGN(auto window, stores::FileWindow::open(path, bytes + kLineEndBytes));
  data::Sha256 hash;
  Prefix prefix;
  bool ends_line = false;
  for (std::uint64_t at = 0; at < std::min(bytes, window.size());) {
    COEVAL_ASSIGN(const std::string_view part,
                  window.view(at, static_cast<std::size_t>(std::min(bytes - at, kReadBytes))));
    hash.update(part);
    prefix.lines += std::ranges::count(part, '\n');
    ends_line = part.ends_with('\n');
    at += part.size();
  }
  prefix.sha256 = hash.hex();
  COEVAL_ASSIGN(const std::string_view next, window.view(bytes, kLineEndBytes));
  if (ends_line)
    prefix.end = Prefix::End::line;
  else if (next.starts_with('\n') || next == "\r\n")
    prefix.end = Prefix::End::before_line_end;
  return prefix;
}

bool begin_alike(const std::string& a, const std::string& b, std::uint64_t bytes) {
  const auto size = static_cast<std::size_t>(std::min(bytes, kLookedBytes));
  auto first = stores::FileWindow::open(a, size), second = stores::FileWindow::open(b, size);
  if (!first || !second) return false;
  const auto of_first = first->view(0, size), of_second = second->view(0, size);
  return of_first && of_second && of_first->size() == size && *of_first == *of_second;
}

bool may_grow(const std::string& path) {
  return path.ends_with(".csv") || path.ends_with(".jsonl") || path.ends_with(".ndjson");
}

std::string csv_header(const std::string& path) {
  if (!stores::without_packing(path).ends_with(".csv")) return {};
  const auto bytes = stores::open_bytes(path);
  if (!bytes) return {};
  std::string header(kMostHeaderBytes, '\0');
  std::size_t size = 0;
  while (size < header.size()) {
    const auto got = (*bytes)->read(std::span(header).subspan(size));
    if (!got) return {};
    if (*got == 0) break;
    size += *got;
  }
  header.resize(std::min(size, header.find('\n')));
  if (header.starts_with("\xEF\xBB\xBF")) header.erase(0, 3);
  if (header.ends_with('\r')) header.pop_back();
  return header;
}

}  // namespace coeval::ingest
