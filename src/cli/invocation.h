#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace coeval::cli {

/// A parsed command line: the verb and every option that some verb takes.
struct Invocation {
  std::string verb;
  bool json = false;         ///< --json: machine-readable answer on stdout
  std::string folder = ".";  ///< -C: where to look for the project
  int threads = 0;           ///< 0 = all cores

  std::string model, source, subject;  ///< positional
  std::vector<std::string> files, models;
  std::string out, features, questions;
  std::string at = "at";
  std::string as_of, since, from, to, arrival, speed = "max";
  std::string url = "http://127.0.0.1:8080";
  std::string address = "127.0.0.1";
  int port = 8080;
  std::string clock = "system";
  std::string alias = "champion", reason;
  int version = 0;
  bool exit_code = false, repair = false, against_dataset = false, force = false;
  std::string feature;
};

/// What to do after parsing: run the verb, or print text and leave (help, version, a usage error).
struct ParsedCommand {
  Invocation invocation;
  bool run = false;
  int exit_code = 0;
  std::string text;
};
ParsedCommand parse_command_line(int argc, const char* const* argv);

/// Verbs with their one-line descriptions, in the order of `coeval help`.
struct Verb {
  const char* name;
  const char* description;
};
const std::vector<Verb>& verbs();

}  // namespace coeval::cli
