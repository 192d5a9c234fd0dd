#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"
#include "define/project.h"
#include "replay/dataset.h"
#include "training/dataset_facts.h"
#include "training/pipeline.h"

namespace coeval::training {

/// Makes the columns of a model's dataset that its folder does not have yet, in one new table file,
/// and says of each why; the others stay where they are. `manifest` is the dataset's path, which is
/// not written yet: the returned facts are to be, once the sources are known too. The new file is
/// named by the keys and names of its columns, so a name never gets other contents. Determinism:
/// the columns have the bits of a dataset that is made as a whole (write_model_dataset). Errors:
/// those of write_dataset_columns; io; metadata.
Result<DatasetFacts> make_dataset(const Workshop& shop, const define::Model& model,
                                  const StepPlan& plan, const replay::Past& past,
                                  const std::string& manifest, const replay::AnswerOptions& options,
                                  std::size_t checked_rows);

/// Whether a manifest and all files that it names are there. Errors: what is not.
Status check_dataset(const std::string& manifest);

}  // namespace coeval::training
