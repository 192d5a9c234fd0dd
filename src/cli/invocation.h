#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace coeval::cli {

/// What `gen` is asked for; `subject` of the line is the kind.
struct GenerateWords {
  std::uint64_t seed = 1;
  std::string shard, project, label_delay;
  std::optional<std::int64_t> rows, days;
  std::optional<std::int64_t> cards, terminals, queries, documents, positions, users, items,
      customers, series, schema_change;
  std::optional<double> unreported, late, duplicates, out_of_order, position_bias, gaps;
  std::vector<std::string> drifts;
};

/// A parsed command line: the verb and every option that some verb takes.
struct Invocation {
  std::string verb;
  bool json = false;         ///< --json: machine-readable answer on stdout
  std::string folder = ".";  ///< -C: where to look for the project
  int threads = 0;           ///< 0 = all cores

  std::string model, source, subject;  ///< positional
  std::vector<std::string> files, models;
  std::string out, features, questions;
  std::string bucket, memory, spill_folder;  ///< dataset
  std::string at = "at";
  std::string moment;             ///< show feature: --at
  std::string card;               ///< show MODEL: --card
  std::vector<std::string> keys;  ///< show feature: --key
  std::string as_of, since, from, to, arrival, speed = "max";
  std::string url = "http://127.0.0.1:8080";
  std::string address = "127.0.0.1";
  int port = 8080;
  std::string clock = "system";
  std::string alias = "champion", reason;
  int version = 0;
  std::string keep_predictions;  ///< log trim
  bool dry_run = false;          ///< log trim, ingest, quarantine
  bool exit_code = false, repair = false, against_dataset = false, replay = false,
       everything = false, force = false;
  std::string feature;
  bool data = false;  ///< check: --data, with the files that were named
  std::string environment = "train", html, junit;
  std::string follow, release, discard, format, log_id;  ///< ingest
  std::optional<std::int64_t> max_bad_rows;
  std::optional<double> max_bad_ratio;
  bool held = false, status = false;
  bool correlations = false;  ///< profile
  bool raw = false;           ///< quarantine show
  std::string action, rule;   ///< quarantine
  std::int64_t limit = 20;
  /// runs: [MODEL], show RUN, compare RUN RUN; export: what and where
  std::vector<std::string> words;
  std::string sort, filter, metrics, experiment;  ///< runs
  std::vector<std::string> tags;                  ///< build, register
  std::string model_file;                         ///< register: --file
  bool no_check = false;                          ///< export onnx
  std::optional<int> keep;                        ///< gc
  GenerateWords generate;                         ///< gen
};

/// What to do after parsing: run the verb; or print `text` and leave (help, version); or report
/// `error`, as JSON too when the line asks for it.
struct ParsedCommand {
  Invocation invocation;
  bool run = false;
  bool json = false;  ///< --json stands on the line, whether or not it could be parsed
  std::string text;
  std::optional<Error> error;
};
ParsedCommand parse_command_line(int argc, const char* const* argv);

/// Verbs with their one-line descriptions, in the order of `coeval help`.
struct Verb {
  const char* name;
  const char* description;
};
const std::vector<Verb>& verbs();

/// An option or an argument of a verb, for the completion of shells.
struct Parameter {
  std::vector<std::string> names;  ///< "-C", "--project"; of an argument "files"
  std::string description;
  bool takes_value = false;          ///< an option that is followed by something
  bool many = false;                 ///< an argument that may be repeated
  std::vector<std::string> choices;  ///< the only values; empty = any
};
struct VerbDetails {
  std::string name, description;
  std::vector<Parameter> options, arguments;
};
/// What each verb of `coeval help` takes, read off the parser itself.
std::vector<VerbDetails> describe_verbs();

}  // namespace coeval::cli
