#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace coeval::training {

inline constexpr std::size_t kMostDescriptors = 8;

/// A program to run to its end, with limits that the operating system enforces.
struct ChildCommand {
  std::string program;                   ///< a path; PATH is not searched
  std::vector<std::string> arguments;    ///< without the program's name
  std::vector<std::string> environment;  ///< "NAME=value", added where NAME is not set
  bool whole_environment = false;        ///< `environment` is all of it: nothing is inherited
  std::string working_folder = {};       ///< empty: this process's own
  bool own_group = false;       ///< of processes, all of which are killed when the program ends
  double time_budget_s = 3600;  ///< then SIGKILL
  std::uint64_t memory_limit_bytes = 0;  ///< of address space; 0 = none
  /// What it inherits beside stdin, stdout and stderr, as its descriptors 3, 4, …: at most
  /// kMostDescriptors.
  std::vector<int> descriptors = {};
  std::function<void(std::string_view line)> on_line;  ///< each line of its stdout; may be empty
};

struct ChildEnd {
  bool timed_out = false;
  int signal = 0;          ///< that ended it, or 0
  int exit_code = 0;       ///< when no signal did
  std::string last_words;  ///< the end of its stderr

  bool ok() const { return !timed_out && signal == 0 && exit_code == 0; }
};

/// Runs the command. Its stdin is empty, and it inherits no descriptor but these three
/// and ChildCommand::descriptors. It dies with
/// the thread that called this, however that thread dies. A program that cannot be started ends
/// with exit code 127 and says why. Threading: safe from any thread of a program with many. Errors:
/// io when no process can be made.
Result<ChildEnd> run_child(const ChildCommand& command);

/// "was killed by SIGSEGV", "ended with exit code 1", "did not finish in 3600 s".
std::string describe(const ChildEnd& end, double time_budget_s);

/// The last few lines of a child's stderr, on one line.
std::string last_lines(std::string_view text);

}  // namespace coeval::training
