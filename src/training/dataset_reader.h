#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "replay/history.h"
#include "stores/table_files.h"
#include "training/dataset_facts.h"

namespace coeval::training {

/// Reads columns of a dataset in batches: of one table file, or, where the path ends as manifests
/// do, of all the files in which its columns lie. Threading: one thread.
class DatasetReader {
 public:
  /// Errors: those of the format; of a manifest no_such_file, io, bad_json; unknown_key for a
  /// column that it does not have.
  static Result<DatasetReader> open(const replay::OpenFormat& formats, const std::string& path,
                                    const std::vector<std::string>& columns);
  /// Likewise of columns that lie in `folder`, in the order given.
  static Result<DatasetReader> open(const replay::OpenFormat& formats, const std::string& folder,
                                    const std::vector<StoredColumn>& columns);

  /// The next batch; the end is one without rows. Errors: those of the format; bad_file when the
  /// files have not the same number of rows.
  Result<data::Batch> next();

 private:
  struct File {
    std::string path;
    std::vector<std::string> names;  // in the file, each once
    // Columns of the result, each with its place in `names`: two may be one.
    std::vector<std::pair<std::size_t, std::size_t>> places;
    std::unique_ptr<stores::TableReader> reader;
  };
  std::vector<File> files_;
  data::Schema schema_;
};

}  // namespace coeval::training
