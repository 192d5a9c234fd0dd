#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "stores/meta_store.h"

namespace coeval::training {

/// A file or folder of a project's state that nothing refers to any more.
struct Unreachable {
  std::string path;  ///< relative to the state folder
  std::uint64_t bytes = 0;
  std::string why;
  std::string model;  ///< of a registered version, which is noted as removed; else empty
  int version = 0;
};

struct KeepRules {
  /// Of each model's registered versions the newest so many, those that an alias has ever pointed
  /// to, and those of coeval.lock; nothing: all of them.
  std::optional<int> newest;
  std::string lock_file;  ///< text of coeval.lock; empty without one
};

/// Looks through `datasets`, `models` and `work`, and nowhere else: log, quarantine, snapshots,
/// saved states and profiles are never listed. Reached are: the versions that are kept, with the
/// dataset that each was made from (by its cached step) and every file that its manifest names;
/// datasets that coeval.lock names, likewise. Hold the
/// BuildLock alone: what a running build has made is not reached yet. Sorted by path.
/// Errors: metadata; io.
Result<std::vector<Unreachable>> find_unreachable(const std::string& state_folder,
                                                  stores::MetaStore& meta, const KeepRules& keep);

/// Removes one; a registered version is noted as removed first. Errors: metadata, io.
Status remove_unreachable(const std::string& state_folder, stores::MetaStore& meta,
                          const Unreachable& item, std::int64_t now_us);

}  // namespace coeval::training
