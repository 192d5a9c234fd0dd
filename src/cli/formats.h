#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "replay/history.h"
#include "stores/state_store.h"

namespace coeval::cli {

/// The folder that holds this executable, and what was installed beside it.
struct Installation {
  std::string program;  ///< absolute path of this executable
  std::string parquet_module, rocksdb_module;
  std::string xgboost_folder, lightgbm_folder, onnxruntime_folder;
};
/// Reads /proc/self/exe; COEVAL_HOME overrides where third_party is looked for.
Installation find_installation();

/// Readers and writers by a path's ending. The Parquet module is loaded the first time that it is
/// needed. Errors: unsupported for an ending; missing_component when the module is not there.
replay::OpenFormat make_formats(const Installation& installation);

/// Stores for the state, as long as the process runs. Their module is loaded the first time.
/// Errors: missing_component when it is not there.
Result<stores::StateStores*> load_state_stores(const Installation& installation);

/// Opens a store for the state. Errors: those of load_state_stores and of StateStores::open.
Result<std::unique_ptr<stores::StateStore>> open_state_store(const Installation& installation,
                                                             const std::string& folder);

}  // namespace coeval::cli
