#pragma once

#include "cli/context.h"

namespace coeval::cli {

/// `coeval show MODEL --card FILE`: writes the model card of a version, as Markdown or as one page
/// of HTML, by the file's ending.
int show_card(Context& context);

/// Where a build keeps the rows of a dataset; it may be gone.
std::string dataset_path(const Context& context, const std::string& model,
                         const std::string& dataset_id);

/// The card's text. A dataset that is gone is said in it. Errors: those of Context::find_version;
/// bad_json for damaged facts of the dataset.
Result<std::string> card_text(Context& context, stores::MetaStore& meta,
                              const stores::ModelVersion& version, bool html);

}  // namespace coeval::cli
