#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/http_exchange.h"
#include "stores/run_store.h"

namespace coeval::adapters::mlflow {

/// A file of a run in MLflow; `path` with slashes, below the run's artefacts.
struct Artifact {
  std::string path;
  std::string bytes;
};

/// The version of a registered model that a run made.
struct Registration {
  std::string model;
  int version = 0;                   ///< ours; MLflow counts its own
  std::string description;           ///< Markdown
  std::string source;                ///< the artefact that holds the model: "model"
  std::vector<std::string> aliases;  ///< that point at it
};

struct RunExport {
  stores::Run run;
  std::vector<Artifact> artifacts;
  std::optional<Registration> registration;
};

struct ExportedRun {
  std::string run_id, experiment_id;  ///< MLflow's
  bool found = false;                 ///< it was there already, by its tag
  std::string version;                ///< MLflow's number; empty: none registered
  bool version_found = false;
  std::vector<std::string> cut;  ///< params and tags of which MLflow holds only the beginning
};

/// Writes a run with all that is known of it into an MLflow server: the experiment by name, the run
/// with parameters, metrics, curves by step, tags, its dataset, artefacts, then the registered
/// model, its version and aliases.
///
/// Idempotent: a run is found again by its tag coeval.run_id, a version by its run; what is there
/// already is not doubled. The run is RUNNING in MLflow until all is there, and then gets the state
/// that it ended with; when something fails in between it is marked FAILED where the server still
/// answers, with the tag coeval.export = incomplete, and the same call completes it.
/// Limits of MLflow are kept: 1,000 metrics, 100 parameters and 100 tags a request, 6,000
/// characters of a parameter and 5,000 of a tag (of longer ones the beginning, and `cut` says so),
/// 250 of a name. Times: µs of ours are cut to ms. Errors: those of TrackingServer.
Result<ExportedRun> export_run(HttpExchange& http, const RunExport& what);

/// The beginning of a text: at most so many characters (code points), whole ones.
std::string first_characters(const std::string& text, std::size_t most);

/// A name as MLflow takes it: letters, digits, _ - . space / and :, 250 at most. Another gets _ in
/// place of what is not allowed, and a mark of its whole text at its end, so that two stay two.
std::string allowed_name(const std::string& name);

}  // namespace coeval::adapters::mlflow
