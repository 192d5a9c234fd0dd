#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"

namespace coeval::cli {

/// A kind of thing that `coeval export KIND …` makes for others. Each has a function below, a file
/// of its own, and a row in export.cc.
struct Export {
  std::string_view kind;
  std::string_view usage;  ///< what follows the kind
  int (*run)(Context&);    ///< the project is loaded; what follows the kind is Invocation::words
};
std::span<const Export> exports();
/// Their names, for the command line.
std::vector<std::string> export_kinds();

/// The verb.
int export_to(Context& context);

int export_mlflow_model(Context& context);
int export_mlflow_run(Context& context);
int export_onnx(Context& context);
int export_openlineage(Context& context);

/// What is said when the words after a kind are not those of its usage.
Error export_usage(std::string_view kind);

/// A run, and the version that it registered, as far as both are known.
struct ExportSubject {
  stores::Run run;
  std::optional<stores::ModelVersion> version;
};
/// The runs that the words behind the first one name, each as "late@v7", as "late", whose newest
/// version made it, or by the beginning of its id; without any the newest version's in a project of
/// one model. Errors: those of find_run and Context::pick_version.
Result<std::vector<ExportSubject>> export_subjects(Context& context, stores::MetaStore& meta,
                                                   stores::RunStore& runs);

}  // namespace coeval::cli
