#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/error.h"

namespace coeval::training {

/// The columns that a folder of datasets has, of whatever model: what its manifests name and whose
/// file is there. A manifest that cannot be read names nothing. Complexity: the manifests are read
/// once. Determinism: of several columns with one key the first manifest's by name counts; they
/// have the same bits.
class ColumnStore {
 public:
  struct Place {
    std::string file, as;  ///< as in StoredColumn
  };

  /// Errors: io when the folder cannot be listed. One that is not there has no columns.
  static Result<ColumnStore> open(const std::string& folder);

  /// By DatasetColumn::key; null where there is none.
  const Place* find(const std::string& key) const;
  /// What was found of an input on the test rows of a split, by the keys of both columns.
  std::optional<std::int64_t> differences(const std::string& key,
                                          const std::string& split_key) const;

 private:
  std::map<std::string, Place> places_;
  std::map<std::pair<std::string, std::string>, std::int64_t> differences_;
};

}  // namespace coeval::training
