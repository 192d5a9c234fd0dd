#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "models/encoder.h"

namespace coeval::training {

/// Why a model answered what it did, for one question: how much each input moved the margin.
struct MarginContributions {
  double bias = 0;               ///< the margin without knowing the row
  std::vector<double> by_input;  ///< TreeSHAP's, in the order of the model's inputs
  double sum = 0;                ///< bias and all of by_input

  /// Whether they add up to a margin that was served: within 1e-5 of the larger of 1 and the sum of
  /// their sizes, for margins are added up in float32.
  bool adds_up_to(double margin) const;
};

/// Of the model in a folder whose model file has this bits id; `inputs` is one row of its inputs,
/// `output` the margin that is asked about: of a multiclass model a class's place. Errors:
/// no_such_file, io; bad_model, also when no file of the folder has that id; unsupported for models
/// without that output and those that have no trees.
Result<MarginContributions> margin_contributions(const std::string& folder,
                                                 std::string_view bits_id,
                                                 const models::Encoder& encoder,
                                                 const data::Batch& inputs, std::size_t output);

}  // namespace coeval::training
