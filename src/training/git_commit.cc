#include "training/git_commit.h"

#include <filesystem>
#include <sstream>

#include "stores/files.h"

namespace coeval::training {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargestFile = 64u << 20;  // of packed references
constexpr int kMostIndirections = 5;

// A file's text without the line end; empty when it cannot be read.
std::string text_of(const fs::path& path) {
  auto text = stores::read_file(path.string(), kLargestFile);
  if (!text) return {};
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  return std::move(*text);
}

// 40 digits of SHA-1, 64 of SHA-256.
bool is_commit(const std::string& text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_reference(const std::string& name) {
  return name.starts_with("refs/") && name.find("..") == std::string::npos;
}

// The folder of the repository: `.git`, or where a file of that name points (worktrees,
// submodules).
fs::path repository_of(const std::string& folder) {
  std::error_code failure;
  fs::path at = fs::absolute(folder, failure);
  if (failure) return {};
  for (;; at = at.parent_path()) {
    const fs::path git = at / ".git";
    if (fs::is_directory(git, failure)) return git;
    if (fs::is_regular_file(git, failure)) {
      const std::string text = text_of(git);
      constexpr std::string_view kPrefix = "gitdir: ";
      if (!text.starts_with(kPrefix)) return {};
      return at / text.substr(kPrefix.size());  // which may be absolute
    }
    if (!at.has_relative_path()) return {};
  }
}

std::string packed(const fs::path& repository, const std::string& reference) {
  std::istringstream lines(text_of(repository / "packed-refs"));
  std::string commit, name;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    if (words >> commit >> name && name == reference && is_commit(commit)) return commit;
  }
  return {};
}

}  // namespace

std::string git_commit(const std::string& folder) {
  const fs::path repository = repository_of(folder);
  if (repository.empty()) return {};
  // Of a worktree, the branches lie in the repository that it is of.
  const std::string common_text = text_of(repository / "commondir");
  const fs::path common = common_text.empty() ? repository : repository / common_text;
  std::string text = text_of(repository / "HEAD");
  for (int hop = 0; hop < kMostIndirections; ++hop) {
    if (is_commit(text)) return text;
    constexpr std::string_view kPrefix = "ref: ";
    if (!text.starts_with(kPrefix)) return {};
    const std::string reference = text.substr(kPrefix.size());
    if (!is_reference(reference)) return {};
    text = text_of(common / reference);
    if (text.empty()) text = packed(common, reference);
  }
  return {};
}

}  // namespace coeval::training
