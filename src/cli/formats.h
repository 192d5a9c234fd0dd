#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "replay/history.h"

namespace coeval::cli {

/// The folder that holds this executable, and what was installed beside it.
struct Installation {
  std::string program;  ///< absolute path of this executable
  std::string parquet_module;
  std::string xgboost_folder;
};
/// Reads /proc/self/exe; COEVAL_HOME overrides where third_party is looked for.
Installation find_installation();

/// Readers and writers by a path's ending. The Parquet module is loaded the first time that it is
/// needed. Errors: unsupported for an ending; missing_component when the module is not there.
replay::OpenFormat make_formats(const Installation& installation);

}  // namespace coeval::cli
