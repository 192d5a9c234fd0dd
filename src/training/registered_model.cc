#include "training/registered_model.h"

#include <filesystem>
#include <system_error>

#include "base/time.h"
#include "data/hash.h"
#include "stores/files.h"

namespace coeval::training {

Result<std::shared_ptr<const models::ServedModel>> load_version(const std::string& state_folder,
                                                                const stores::ModelVersion& version,
                                                                const models::Openers& openers) {
  if (version.removed_us != 0)
    return fail(Code::bad_model,
                version.model + "@v" + std::to_string(version.version) + " was removed at " +
                    format_time(version.removed_us) +
                    " by coeval gc: its numbers are kept, its "
                    "files are not",
                "take another version, or build it again from its definition and data");
  return models::load_model(state_folder + "/" + version.folder,
                            {version.manifest_id, version.bits_id, version.ir_hash}, openers);
}

// The trainer's file has one of several names; its id is the same under all of them.
Result<std::string> model_bytes(const std::string& folder, std::string_view bits_id) {
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failure)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("model.") || name == "model.json") continue;
    COEVAL_ASSIGN(std::string bytes, stores::read_file(entry.path().string()));
    if (data::sha256_hex(bytes) == bits_id) return bytes;
  }
  if (failure) return std::unexpected(stores::error_from_errno(failure.value(), "list", folder));
  return fail(Code::bad_model, "no file of '" + folder + "' is the model " + std::string(bits_id));
}

Result<std::string> set_aside(const std::string& folder) {
  constexpr int kMaxAside = 1000;
  for (int i = 1; i <= kMaxAside; ++i) {
    const std::string aside = folder + ".damaged-" + std::to_string(i);
    if (std::filesystem::exists(aside)) continue;
    std::error_code failure;
    std::filesystem::rename(folder, aside, failure);
    if (failure)
      return std::unexpected(stores::error_from_errno(failure.value(), "move away", folder));
    return aside;
  }
  return fail(Code::io, "there are 1,000 folders beside '" + folder + "' already",
              "delete those that end in .damaged-…");
}

}  // namespace coeval::training
