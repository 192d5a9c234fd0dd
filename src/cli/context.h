#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "cli/formats.h"
#include "cli/invocation.h"
#include "cli/terminal.h"
#include "define/project.h"
#include "models/model_folder.h"
#include "replay/audit.h"
#include "stores/event_log.h"
#include "stores/meta_store.h"
#include "stores/run_store.h"
#include "training/pipeline.h"

namespace coeval::cli {

inline constexpr const char* kEngine = "coeval " COEVAL_VERSION;
/// Options whose value is an expression or a list of them: what errors in it give as their file.
inline constexpr const char* kFeaturesOption = "--features";
inline constexpr const char* kArrivalOption = "--arrival";

/// What every verb works with. Verbs return an exit code; errors were printed by then.
struct Context {
  const Invocation& in;
  Terminal& terminal;
  Installation installation;
  replay::OpenFormat formats;
  models::Openers openers;  ///< of models that another library runs
  SystemClock clock;

  std::shared_ptr<const define::Project> project;
  std::string definition;    ///< text of coeval.toml
  std::string state_folder;  ///< <project>/.coeval

  Context(const Invocation& invocation, Terminal& out);

  /// Finds and checks the project. On failure prints every error and returns the exit code.
  std::optional<int> load_project();
  /// Prints an error, with the text that it is about, and returns its exit code.
  int report(const Error& error);
  int threads() const;

  std::string log_folder() const { return state_folder + "/log"; }
  Result<std::unique_ptr<stores::MetaStore>> open_meta();
  /// For verbs that only read: makes and changes nothing, and needs no permission to.
  Result<std::unique_ptr<stores::MetaStore>> open_meta_for_reading();
  Result<std::unique_ptr<stores::RunStore>> open_runs();
  /// For verbs that only read, as open_meta_for_reading.
  Result<std::unique_ptr<stores::RunStore>> open_runs_for_reading();
  /// The log for reading, or null when none was started.
  Result<std::unique_ptr<stores::EventLog>> open_log_if_any();
  /// The model named on the command line, or the only one. Errors: unknown_name, usage.
  Result<const define::Model*> pick_model(const std::string& name);
  /// Models named, or all.
  Result<std::vector<const define::Model*>> pick_models(const std::string& name);
  /// What is said when the version that was asked for (0: the newest) is not among `versions`.
  static Error no_such_version(const std::string& model,
                               const std::vector<stores::ModelVersion>& versions, int version);
  training::Workshop workshop(stores::MetaStore& meta, const stores::EventLog* log);
  /// A registered version with the definition that it was built from.
  Result<replay::AuditedModel> find_version(stores::MetaStore& meta, const std::string& model,
                                            int version);
  /// The version that "late@v7" names; of "late", and of "" in a project of one model, the newest.
  /// Errors: usage; unknown_name; not_built; unknown_model.
  Result<stores::ModelVersion> pick_version(stores::MetaStore& meta, const std::string& name);

 private:
  /// The text that a position is in: the definition, or an option of the command line.
  std::string text_of(const SourcePosition& position) const;
};

}  // namespace coeval::cli
