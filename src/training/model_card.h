#pragma once

#include <optional>
#include <string>

#include "data/json.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "training/dataset_facts.h"
#include "training/model_card_document.h"
#include "training/model_card_importance.h"

namespace coeval::training {

/// What a model card tells of: the folder of a version, and what still lies beside it.
struct CardSubject {
  const define::Project& project;  ///< as checked from the definition that the folder keeps
  const define::Model& model;      ///< one of the project's
  const models::ModelCard& card;
  const data::Json& metrics;
  int version = 0;
  std::optional<DatasetFacts> facts = {};
  std::optional<Importance> importance = {};
  std::string no_importance = {};  ///< why it is absent
};

/// Purpose, data, features with their known times, training, metrics, champion, gates, slices,
/// limits, ids. What the folder does not hold is said to be missing. Values of slices that read a
/// personal column are not shown. Pure: equal subjects give equal cards.
CardDocument model_card(const CardSubject& subject);

}  // namespace coeval::training
