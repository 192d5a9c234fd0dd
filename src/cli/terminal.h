#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "data/json.h"

namespace coeval::cli {

/// Words go to stderr, data to stdout. Progress only on a terminal. What a terminal would obey in
/// a line or an error is written out (data/printable.h); JSON is for machines and stays as it is.
class Terminal {
 public:
  explicit Terminal(bool json);
  /// A line of the story, on stderr.
  void say(const std::string& line);
  /// A line of the answer, on stdout.
  void print(const std::string& line);
  /// A JSON answer, on stdout.
  void print_json(const data::Json& json);
  /// One line that overwrites itself, at most ten times a second.
  void progress(const std::string& what, std::int64_t done, std::int64_t all);
  /// The same of a line that says it all itself.
  void progress(const std::string& line);
  /// An error in the style of the compiler; `definition` is the text of coeval.toml when it is
  /// about it.
  void error(const Error& error, const std::string& definition = {});
  /// Several at once; as JSON one error is an object, several are an array.
  void errors(const std::vector<Error>& list, const std::string& definition);
  bool json() const { return json_; }

 private:
  void clear_progress();
  bool json_, is_terminal_, colour_;
  bool progress_shown_ = false;
  double last_progress_ = 0;
};

}  // namespace coeval::cli
