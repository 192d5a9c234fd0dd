#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "define/project.h"
#include "serving/engine.h"

namespace coeval::sim {

/// A small definition that worlds are played with. All have sources of the same columns
/// (random_rows.h fills them) and one model that reads every feature, so that each prediction logs
/// all answers.
struct Definition {
  std::string name;
  std::shared_ptr<const define::Project> project;
  std::vector<int> views;    ///< all
  std::vector<int> sources;  ///< those that events are sent to
  serving::LoadedModel model;
  std::int64_t lateness_us = 0;  ///< how far back questions are asked

  bool has_names() const { return project->sources[0].has_names(); }
};

inline constexpr const char* kModel = "all";

/// `plain`: views by key and over all. `named`: events have names, are corrected and deleted.
/// `looked_up`: events read rows of another source.
Result<std::vector<Definition>> make_definitions();

}  // namespace coeval::sim
