#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/value.h"
#include "quality/personal_data.h"

namespace coeval::quality {

/// What was seen of one column of a file.
struct ObservedColumn {
  std::string name;
  data::Type type = data::Type::string;
  std::int64_t rows = 0, nulls = 0;
  std::optional<data::Value> least, most;    ///< of numbers, dates and timestamps
  std::int64_t shortest = -1, longest = -1;  ///< numbers of a list; -1 where none was seen
  std::int64_t distinct = 0;                 ///< of the values that are not null
  bool distinct_is_exact = true;
  /// The most frequent texts with their counts; all of them where `distinct` is their number.
  std::vector<std::pair<std::string, std::int64_t>> top;
  std::optional<PersonalColumn> personal;
  std::string epoch_unit;     ///< that its numbers look like, where they are no µs: "seconds"
  std::string epoch_example;  ///< both_readings() of one of them; empty where it is personal
  bool holds_json = false;
};

/// What was seen of one file, which becomes a source.
struct ObservedFile {
  std::string path;  ///< as the definition shall name it
  std::int64_t rows = 0;
  std::int64_t unreadable = 0;            ///< rows besides, which could not be typed
  std::string first_unreadable{};         ///< "line 7: …", without values
  std::vector<ObservedColumn> columns{};  ///< in the file's order
  char delimiter = ',';                   ///< of CSV
};

/// The text of a coeval.toml for these files: a source each, with types, rules that every row
/// keeps, and the evidence for each as a comment; a proposal for the event time, for ids and for
/// keys. What no file can tell, when a row became known, is asked for in a comment, so that `coeval
/// check` refuses the definition until a person has answered.
std::string propose_definition(const std::string& project_name,
                               const std::vector<ObservedFile>& files);

/// "flights_3m" of "data/flights-3m.parquet": the name that a file's source gets.
std::string source_name_of(const std::string& path);

/// "3,000,000"
std::string with_separators(std::int64_t number);

}  // namespace coeval::quality
