#pragma once

#include <cstdint>
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

/// What there is to know of a dataset besides its rows. It lies beside the dataset's file.
struct DatasetFacts {
  PartCounts counts;
  /// Test rows whose inputs were computed a second time, by the state that a server keeps, and how
  /// many values of theirs are not the same bits.
  std::int64_t skew_rows = 0, skew_differences = 0;
  std::vector<SourceFacts> sources;
  std::string faults;  ///< budgets of the sources that do not hold; empty: none
};

data::Json to_json(const DatasetFacts& facts);
/// Errors: bad_json naming the member.
Result<DatasetFacts> dataset_facts_from_json(const data::Json& json);

/// <dataset>.facts.json
std::string facts_path(const std::string& dataset);
/// Errors: io, disk_full.
Status write_dataset_facts(const std::string& dataset, const DatasetFacts& facts);
/// Errors: no_such_file, io, bad_json.
Result<DatasetFacts> read_dataset_facts(const std::string& dataset);

}  // namespace coeval::training
