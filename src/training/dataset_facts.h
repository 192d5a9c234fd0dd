#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"
#include "quality/checks.h"
#include "training/split.h"

namespace coeval::training {

/// What was read of a source for a dataset.
struct SourceFacts {
  std::string source;
  quality::Conservation rows;
  std::int64_t first_us = 0, last_us = 0;  ///< event times; both 0 without rows
};

/// Where a column of a dataset lies, and by what it is found again. (dataset_columns.h)
struct StoredColumn {
  std::string name, definition, key;
  std::string file;  ///< a table file in the folder of the dataset
  std::string as;    ///< the column's name in it
  /// Of inputs: values of the checked test rows that are not the same bits by the server's way;
  /// nothing where that was not asked.
  std::optional<std::int64_t> differences;
};

/// What there is to know of a dataset besides its values. Of a stored dataset it is its manifest.
struct DatasetFacts {
  PartCounts counts;
  /// Test rows whose inputs were computed a second time, by the state that a server keeps, and how
  /// many values of theirs are not the same bits.
  std::int64_t skew_rows = 0, skew_differences = 0;
  std::vector<SourceFacts> sources;
  std::string faults;  ///< budgets of the sources that do not hold; empty: none
  /// Of a stored dataset: its columns, all of the same rows in the same order.
  std::vector<StoredColumn> columns;
  std::string split_key;  ///< of a stored dataset: the test rows that were checked are those of it
};

data::Json to_json(const DatasetFacts& facts);
/// Errors: bad_json naming the member.
Result<DatasetFacts> dataset_facts_from_json(const data::Json& json);

/// The ending of manifests, which are what the path of a stored dataset names.
inline constexpr const char* kManifestEnding = ".facts.json";
/// Writes a manifest, by rename. Errors: io, disk_full.
Status write_dataset_facts(const std::string& manifest, const DatasetFacts& facts);
/// Errors: no_such_file, io, bad_json.
Result<DatasetFacts> read_dataset_facts(const std::string& manifest);

}  // namespace coeval::training
