#include "training/column_store.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "stores/files.h"
#include "training/dataset_facts.h"

namespace coeval::training {

namespace {

namespace fs = std::filesystem;

Result<std::vector<std::string>> manifests_in(const std::string& folder) {
  std::vector<std::string> manifests;
  std::error_code failure;
  if (!fs::is_directory(folder, failure)) return manifests;
  for (auto at = fs::directory_iterator(folder, failure);
       !failure && at != fs::directory_iterator(); at.increment(failure))
    if (const std::string path = at->path().string(); path.ends_with(kManifestEnding))
      manifests.push_back(path);
  if (failure) return std::unexpected(stores::error_from_errno(failure.value(), "list", folder));
  std::ranges::sort(manifests);
  return manifests;
}

}  // namespace

Result<ColumnStore> ColumnStore::open(const std::string& folder) {
  ColumnStore store;
  std::map<std::string, bool> is_there;
  COEVAL_ASSIGN(const auto manifests, manifests_in(folder));
  for (const auto& manifest : manifests) {
    const auto facts = read_dataset_facts(manifest);
    if (!facts) continue;
    for (const auto& column : facts->columns) {
      const auto [file, fresh] = is_there.try_emplace(column.file, false);
      std::error_code none;
      if (fresh) file->second = fs::is_regular_file(folder + "/" + column.file, none);
      if (!file->second) continue;
      store.places_.try_emplace(column.key, Place{column.file, column.as});
      if (column.differences)
        store.differences_.try_emplace({column.key, facts->split_key}, *column.differences);
    }
  }
  return store;
}

const ColumnStore::Place* ColumnStore::find(const std::string& key) const {
  const auto found = places_.find(key);
  return found == places_.end() ? nullptr : &found->second;
}

std::optional<std::int64_t> ColumnStore::differences(const std::string& key,
                                                     const std::string& split_key) const {
  const auto found = differences_.find({key, split_key});
  if (found == differences_.end()) return std::nullopt;
  return found->second;
}

}  // namespace coeval::training
