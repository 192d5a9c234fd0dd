#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::training {

/// How much each input moves a model's margin on the rows that its folder keeps as golden.
struct Importance {
  std::vector<double> mean_size;  ///< by input: the mean of |contribution|, TreeSHAP's
  std::size_t rows = 0;
};

/// Of the model in a folder whose model file has this bits id. Errors: no_such_file, io; bad_model,
/// also when no file of the folder has that id; unsupported.
Result<Importance> importance_of(const std::string& folder, std::string_view bits_id);

}  // namespace coeval::training
