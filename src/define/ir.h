#pragma once

#include <string>

#include "define/project.h"

namespace coeval::define {

/// First line of every canonical text. A change of the format makes a new number and new hashes.
inline constexpr std::string_view kIrHeader = "coeval-ir 1";

// Canonical texts of parts (semantics: D1): one fact a line, defaults written out, no trace of
// layout, comments or order in the file. Two definitions mean the same iff their texts are equal.
std::string zone_ir(const Project& project);
std::string source_ir(const Source& source);
/// Of source_ir the names of events, retention and the rules for rows beside nullability, bounds,
/// patterns and enums; of most empty.
std::string further_rules_ir(const Source& source);
std::string view_ir(const Project& project, const View& view);
/// The lookups that a view reads for its events, with their sources; empty for most views.
std::string looked_up_ir(const Project& project, const View& view);
/// One feature of a view with all of the view that its values depend on, but not the sources.
std::string feature_ir(const Project& project, const ViewFeature& feature);
/// A model's label: the expression, when it is known, the events that bring it.
std::string label_ir(const Project& project, const Model& model);
/// The model with all that it depends on: its source, that of its label, the features of views that
/// it reads, and their sources. Definitions that the model does not reach have no part in it.
std::string model_ir(const Project& project, const Model& model);
std::string project_ir(const Project& project);
/// The part of model_ir that turns a question into inputs: without label, training and gates.
std::string request_ir(const Project& project, const Model& model);

}  // namespace coeval::define
