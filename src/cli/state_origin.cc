#include "cli/state_origin.h"

#include "data/hash.h"
#include "define/project.h"
#include "replay/history.h"

namespace coeval::cli {

Result<std::vector<std::pair<std::string, std::string>>> hash_source_files(
    const define::Project& project) {
  std::vector<std::pair<std::string, std::string>> files;
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    const std::string path = replay::source_path(project, static_cast<int>(i));
    if (path.empty()) continue;
    auto sha256 = data::sha256_of_file(path);
    if (!sha256)
      return std::unexpected(
          std::move(sha256).error().within("source '" + project.sources[i].name + "'"));
    files.emplace_back(project.sources[i].name, std::move(*sha256));
  }
  return files;
}

std::string state_definition(const define::Project& project, std::int64_t cut_us,
                             const std::vector<std::pair<std::string, std::string>>& files) {
  std::string text = "state 1\n" + std::to_string(cut_us) + "\n";
  for (std::size_t i = 0; i < project.views.size(); ++i)
    text += define::view_hash(project, static_cast<int>(i)) + "\n";
  for (std::size_t i = 0; i < project.sources.size(); ++i)
    if (project.sources[i].has_names())
      text += define::source_hash(project, static_cast<int>(i)) + "\n";
  for (const auto& [name, sha256] : files) text += name + " " + sha256 + "\n";
  return data::sha256_hex(text);
}

}  // namespace coeval::cli
