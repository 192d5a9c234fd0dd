#include "training/unreachable.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>

#include "stores/files.h"
#include "training/build_lock.h"
#include "training/dataset_facts.h"

namespace coeval::training {

namespace {

namespace fs = std::filesystem;

std::unexpected<Error> failed(const std::error_code& failure, const std::string& doing,
                              const std::string& path) {
  return std::unexpected(stores::error_from_errno(failure.value(), doing, path));
}

// Names in a folder, sorted; none where there is no such folder.
Result<std::vector<std::string>> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failure;
  if (!fs::is_directory(fs::symlink_status(folder, failure))) return names;
  for (auto at = fs::directory_iterator(folder, failure);
       !failure && at != fs::directory_iterator(); at.increment(failure))
    names.push_back(at->path().filename().string());
  if (failure) return failed(failure, "list", folder);
  std::ranges::sort(names);
  return names;
}

// Of all files in it; a link counts nothing and is not followed.
std::uint64_t bytes_of(const std::string& path) {
  std::error_code ignored;
  const auto status = fs::symlink_status(path, ignored);
  if (fs::is_regular_file(status)) return fs::file_size(path, ignored);
  if (!fs::is_directory(status)) return 0;
  std::uint64_t bytes = 0;
  for (auto at = fs::recursive_directory_iterator(path, ignored);
       !ignored && at != fs::recursive_directory_iterator(); at.increment(ignored))
    if (fs::is_regular_file(at->symlink_status(ignored))) bytes += at->file_size(ignored);
  return bytes;
}

// Every quoted text of 64 hex digits: the ids of coeval.lock.
std::set<std::string> ids_in(const std::string& lock_file) {
  constexpr std::size_t kDigits = 64;
  std::set<std::string> ids;
  for (std::size_t at = lock_file.find('"'); at != std::string::npos;
       at = lock_file.find('"', at + 1)) {
    const std::string word = lock_file.substr(at + 1, kDigits);
    if (word.size() == kDigits && word.find_first_not_of("0123456789abcdef") == std::string::npos)
      ids.insert(word);
  }
  return ids;
}

class Search {
 public:
  Search(const std::string& state_folder, stores::MetaStore& meta, const KeepRules& keep)
      : state_folder_(state_folder), meta_(meta), keep_(keep), locked_(ids_in(keep.lock_file)) {}

  Result<std::vector<Unreachable>> run() {
    COEVAL_ASSIGN(const auto models, meta_.models());
    for (const auto& model : models) COEVAL_TRY(reach(model));
    for (const auto& id : locked_) COEVAL_TRY(reach_dataset(id));
    COEVAL_TRY(look_at_datasets());
    COEVAL_TRY(look_at_models());
    COEVAL_TRY(look_at_work());
    std::ranges::sort(found_, {}, &Unreachable::path);
    return std::move(found_);
  }

 private:
  Status reach(const std::string& model) {
    COEVAL_ASSIGN(const auto versions, meta_.versions(model));
    COEVAL_ASSIGN(const auto history, meta_.alias_history(model));
    std::set<int> pointed;
    for (const auto& move : history) pointed.insert(move.version);
    for (std::size_t i = 0; i < versions.size(); ++i) {
      const auto& version = versions[i];
      const bool newest =
          !keep_.newest || i + static_cast<std::size_t>(*keep_.newest) >= versions.size();
      const bool locked = locked_.contains(version.recipe_id) && locked_.contains(version.bits_id);
      const bool kept = newest || locked || pointed.contains(version.version);
      if (!kept || version.removed_us != 0) {
        // Two versions may have one folder; the one that is kept decides.
        let_go_.emplace(version.folder, version);
        continue;
      }
      folders_.insert(version.folder);
      COEVAL_TRY(reach_dataset(version.dataset_id));
    }
    return {};
  }

  Status reach_dataset(const std::string& key) {
    COEVAL_ASSIGN(const auto step, meta_.find_step(key));
    if (!step || step->step != "dataset") return {};
    datasets_.insert(step->output);
    // A dataset keeps the files that its columns lie in, whichever dataset they were made for.
    const auto facts = read_dataset_facts(state_folder_ + "/" + step->output);
    if (!facts) return {};
    for (const auto& column : facts->columns) datasets_.insert("datasets/" + column.file);
    return {};
  }

  void add(const std::string& path, std::string why) {
    found_.push_back({path, bytes_of(state_folder_ + "/" + path), std::move(why), {}, 0});
  }

  Status look_at_datasets() {
    COEVAL_ASSIGN(const auto names, names_in(state_folder_ + "/datasets"));
    for (const auto& each : names) {
      const std::string path = "datasets/" + each;
      if (!datasets_.contains(path)) add(path, "no kept version was made from it");
    }
    return {};
  }

  Status look_at_models() {
    COEVAL_ASSIGN(const auto models, names_in(state_folder_ + "/models"));
    for (const auto& model : models) {
      COEVAL_ASSIGN(const auto names, names_in(state_folder_ + "/models/" + model));
      for (const auto& each : names) look_at_model("models/" + model + "/" + each);
    }
    return {};
  }

  void look_at_model(const std::string& path) {
    if (folders_.contains(path)) return;
    if (const auto old = let_go_.find(path); old != let_go_.end()) {
      const auto& version = old->second;
      const std::string name = version.model + "@v" + std::to_string(version.version);
      add(path, version.removed_us != 0
                    ? name + " was to be removed before"
                    : name + " is not among the newest " + std::to_string(*keep_.newest) +
                          ", and no alias ever pointed to it");
      found_.back().model = version.model;
      found_.back().version = version.version;
      return;
    }
    if (path.find(".damaged-") != std::string::npos)
      return add(path, "it was set aside as damaged");
    if (path.find(".partial-") != std::string::npos) return add(path, "its build did not end");
    add(path, "no registered version is in it");
  }

  Status look_at_work() {
    COEVAL_ASSIGN(const auto names, names_in(work_path(state_folder_)));
    for (const auto& each : names) add("work/" + each, "its build did not end");
    return {};
  }

  const std::string& state_folder_;
  stores::MetaStore& meta_;
  const KeepRules& keep_;
  std::set<std::string> locked_, folders_, datasets_;
  std::map<std::string, stores::ModelVersion> let_go_;
  std::vector<Unreachable> found_;
};

}  // namespace

Result<std::vector<Unreachable>> find_unreachable(const std::string& state_folder,
                                                  stores::MetaStore& meta, const KeepRules& keep) {
  return Search(state_folder, meta, keep).run();
}

Status remove_unreachable(const std::string& state_folder, stores::MetaStore& meta,
                          const Unreachable& item, std::int64_t now_us) {
  if (item.version != 0) COEVAL_TRY(meta.note_removed(item.model, item.version, now_us));
  return stores::remove_folder(state_folder + "/" + item.path);
}

}  // namespace coeval::training
