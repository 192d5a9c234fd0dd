#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/column.h"
#include "define/project.h"
#include "quality/checks.h"
#include "quality/json_extraction.h"
#include "serving/engine.h"

namespace coeval::serving {

/// What a request for one model needs, worked out once when the model is put in use.
struct ModelPlan {
  /// A view to be asked, and which of its answers go where.
  struct Asked {
    int view = -1;
    struct Use {
      std::size_t feature = 0;  ///< of the view
      std::size_t column = 0;   ///< among RowSchema::view_features
    };
    std::vector<Use> uses;
  };

  std::string name;
  LoadedModel loaded;
  const define::Model* model = nullptr;  ///< owned by the project
  data::Schema question;                 ///< the question's columns
  data::Schema given;  ///< what a request holds: texts of JSON instead of what is taken out of them
  std::shared_ptr<const quality::RowChecks> rules;  ///< the source's declared rules for them
  std::shared_ptr<const quality::JsonExtraction> extraction;  ///< of question columns from JSON
  int at_slot = -1;               ///< the question column that is the question's time, or -1
  std::vector<std::string> keys;  ///< every key that a question may have, for suggestions
  std::vector<Asked> asked;
  std::vector<int> views;
  /// Why the model cannot be served although it is loaded.
  std::optional<Error> unusable;
};

/// Whether a version's inputs are made as `model` makes them: then it can be served under this
/// project, however it was trained and judged.
bool same_request(const models::ModelCard& card, const define::Project& project,
                  const define::Model& model);

/// Works the plan out. A model of another definition, or one whose parts do not fit each other,
/// comes back with `unusable` set: it must not score, whatever its file says. (design: No skew)
ModelPlan plan_model(const std::string& name, LoadedModel loaded, const define::Project& project,
                     const kernel::Kernel& kernel);

}  // namespace coeval::serving
