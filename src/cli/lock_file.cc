#include "cli/lock_file.h"

#include "data/hash.h"
#include "stores/files.h"

namespace coeval::cli {

Status write_lock_file(Context& context, stores::MetaStore& meta) {
  const auto& project = *context.project;
  std::string text = "# Written by `coeval build`. Commit it: it says what was built from what.\n";
  text += std::string("engine = \"") + kEngine + "\"\nir_hash = \"" + project.ir_hash + "\"\n";
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    const std::string path = replay::source_path(project, static_cast<int>(i));
    if (path.empty()) continue;
    COEVAL_ASSIGN(const std::string sha256, data::sha256_of_file(path));
    text += "\n[source." + project.sources[i].name + "]\nsha256 = \"" + sha256 + "\"\n";
  }
  for (const auto& model : project.models) {
    COEVAL_ASSIGN(const auto versions, meta.versions(model.name));
    if (versions.empty()) continue;
    const auto& newest = versions.back();
    text += "\n[model." + model.name + "]\ndataset_id = \"" + newest.dataset_id +
            "\"\nrecipe_id = \"" + newest.recipe_id + "\"\nbits_id = \"" + newest.bits_id + "\"\n";
  }
  const std::string path = project.folder + "/coeval.lock";
  const auto before = stores::read_file(path);
  if (before && *before == text) return {};
  return stores::write_file_atomically(path, text);
}

std::optional<std::string> locked_ir_hash(const define::Project& project) {
  const auto text = stores::read_file(project.folder + "/coeval.lock");
  if (!text) return std::nullopt;
  constexpr std::string_view kLine = "\nir_hash = \"";
  const std::size_t at = text->find(kLine);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t begin = at + kLine.size(), end = text->find('"', begin);
  return text->substr(begin, end == std::string::npos ? end : end - begin);
}

}  // namespace coeval::cli
