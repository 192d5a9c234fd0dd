#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "define/project.h"

namespace coeval::training {

/// All that decides a model's bytes. The number of threads is not in it: it changes no bit.
struct Recipe {
  std::string dataset_id;  ///< hash of the training rows' manifest
  std::string ir_hash;     ///< of the model's definition
  define::Split split;
  std::vector<std::pair<std::string, std::string>> params;  ///< any order; the text sorts them
  std::uint64_t seed = 0;
  int rounds = 0, early_stopping_rounds = 0;
  std::string trainer;  ///< "xgboost"
  std::string engine;   ///< "xgboost 3.4.1": the trainer's library
  std::string coeval;   ///< version of this program, whose kernel made the rows
};

/// One line of JSON with a fixed key order: equal recipes give equal text, and different ones
/// differ.
std::string canonical_text(const Recipe& recipe);
/// sha256 of the text, in hex.
std::string recipe_id(const Recipe& recipe);

}  // namespace coeval::training
