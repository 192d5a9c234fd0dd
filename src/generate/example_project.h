#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coeval::generate {

/// What the example project of generated data is to say.
struct ExampleProject {
  std::string command;          ///< that made the data: a comment at its top
  std::string path;             ///< of the data, from the project's folder
  std::int64_t days = 0;        ///< that the rows cover, from kStartUs
  double label_delay_days = 7;  ///< fraud: how old a payment's label is when it is used
  bool has_copies = false;      ///< fraud: some transactions come twice
  bool has_entry_mode = false;  ///< fraud: its schema changes
};

/// The definition (coeval.toml) of a project over generated data: sources with their known times,
/// checks, views, features and a model whose parts are the first 60, the next 20 and the last 20 in
/// a hundred days. `kind`: fraud, clicks, recsys, churn or series.
std::string example_definition(std::string_view kind, const ExampleProject& project);

}  // namespace coeval::generate
