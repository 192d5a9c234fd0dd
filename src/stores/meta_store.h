#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::stores {

/// A registered version of a model. Append-only: nothing here is ever updated.
struct ModelVersion {
  std::string model;
  int version = 0;     ///< 1, 2, … within the model
  std::string folder;  ///< relative to .coeval
  std::string ir_hash, dataset_id, recipe_id, bits_id;
  bool gates_passed = false;
  std::string metrics_json, gates_json;
  std::int64_t created_us = 0;
  /// Hash of all files of the folder, to be compared when it is loaded; empty for a version that
  /// was registered before this was recorded.
  std::string manifest_id;
  /// When its folder was removed to save space; 0: it was not, or was made again since.
  std::int64_t removed_us = 0;
};

/// Whether an alias may be called so: 1 to 64 of a–z, 0–9, _ and -.
/// Errors: usage, with the reason.
Status check_alias_name(std::string_view alias);

/// One move of an alias; the newest row of an alias is where it points. version 0 = removed.
struct AliasMove {
  std::string model, alias;
  int version = 0;
  std::string reason;
  std::int64_t moved_us = 0;
};

/// A step of a build that was run, by the hash of all it read.
struct CachedStep {
  std::string key;          ///< content hash of the inputs
  std::string step;         ///< "dataset", "train", …
  std::string subject;      ///< model name
  std::string inputs_json;  ///< the named inputs behind the key, to say what changed
  std::string output;       ///< path relative to .coeval, or a value
  std::int64_t made_us = 0;
};

/// Metadata in append-only tables. Threading: one thread per instance; several processes may open
/// it.
class MetaStore {
 public:
  virtual ~MetaStore() = default;
  /// Assigns the next version number and stores the row; returns the number. A row with the same
  /// recipe_id and bits_id as an existing version of the model returns that version; its manifest,
  /// when it is another one (the folder was made again), takes the place of the recorded one.
  virtual Result<int> register_version(ModelVersion version) = 0;
  /// Notes that the folder of a version is about to be removed. Registering the same recipe and
  /// bits again, with its manifest, ends that. Errors: unknown_model.
  virtual Status note_removed(const std::string& model, int version, std::int64_t removed_us) = 0;
  virtual Result<std::vector<ModelVersion>> versions(const std::string& model) = 0;
  virtual Result<std::vector<std::string>> models() = 0;
  /// Errors: unknown_model when that version was never registered; usage for a bad alias.
  virtual Status move_alias(const AliasMove& move) = 0;
  virtual Result<std::optional<int>> alias(const std::string& model, const std::string& alias) = 0;
  virtual Result<std::vector<AliasMove>> alias_history(const std::string& model) = 0;
  virtual Status put_step(const CachedStep& step) = 0;
  virtual Result<std::optional<CachedStep>> find_step(const std::string& key) = 0;
  /// The newest step of that name and subject, to say why a new key missed.
  virtual Result<std::optional<CachedStep>> latest_step(const std::string& step,
                                                        const std::string& subject) = 0;
};
/// SQLite in WAL mode. Errors: metadata, disk_full; unsupported for a file of a newer version.
Result<std::unique_ptr<MetaStore>> open_meta_store(const std::string& path);
/// What the file holds now, for verbs that only read: nothing on disk is made or changed, and
/// permission to read is enough. Without a file it is empty. What others write later is not seen;
/// writing is refused. Errors: metadata; unsupported for a file of a newer version.
Result<std::unique_ptr<MetaStore>> open_meta_store_for_reading(const std::string& path);
/// The in-memory twin (SQLite's own ":memory:").
Result<std::unique_ptr<MetaStore>> make_memory_meta_store();

}  // namespace coeval::stores
