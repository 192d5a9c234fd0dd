#pragma once

#include <doctest/doctest.h>

#include <ctime>
#include <string>
#include <vector>

#include "define/project.h"

namespace coeval::define::testing {

/// CPU time of this process: bounds on wall time fail on busy machines.
inline double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
/// How much slower a sanitizer may be; the bounds themselves are those of the release build.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr double kPatience = 20;
#else
inline constexpr double kPatience = 1;
#endif

/// A small definition that checks; tests change a line of it. Line numbers are part of the tests.
inline const std::string kFlights = R"toml([project]
name = "flights"
[source.flights]
path  = "flights.parquet"
time  = "date"
known = "date + minutes(40 + distance / 7.5)"
[source.flights.columns]
date     = { type = "timestamp" }
origin   = { type = "string", known = "date", pattern = "[A-Z]{3}" }
distance = { type = "int32", known = "date", min = 0, max = 6000 }
delay    = { type = "int32", min = -120, max = 3000 }
[view.origin]
from    = "flights"
by      = ["origin"]
windows = ["3h", "14d"]
flights = "count()"
late    = "mean(delay >= 15)"
far     = "sum(delay) where distance > 1000"
[features]
pressure = "origin.late_3h / origin.late_14d"
[model.late]
question = { from = "flights", at = "date" }
label    = "delay >= 15"
inputs   = ["weekday", "distance", "origin", "origin.*", "pressure"]
split    = { train_until = 2001-05-01, validate_until = 2001-06-01, test_until = 2001-07-01 }
gate     = { auc = ">= 0.77" }
)toml";

/// `text` with the one place that reads `from` reading `to`.
inline std::string changed(const std::string& text, const std::string& from,
                           const std::string& to) {
  const std::size_t place = text.find(from);
  REQUIRE_MESSAGE(place != std::string::npos, from);
  return text.substr(0, place) + to + text.substr(place + from.size());
}

/// "6:9 C0412 unknown column 'x' | did you mean 'y'?" for each error.
inline std::vector<std::string> errors_of(const std::string& toml) {
  std::vector<std::string> lines;
  for (const auto& error : check_text(toml, "coeval.toml").errors)
    lines.push_back(std::to_string(error.position.line) + ":" +
                    std::to_string(error.position.column) + " " + code_name(error.code) + " " +
                    error.message + " | " + error.advice);
  return lines;
}

/// The only error of the definition that has one place changed.
inline std::string error_of(const std::string& from, const std::string& to) {
  const auto errors = errors_of(changed(kFlights, from, to));
  for (const auto& error : errors) INFO(error);
  REQUIRE(errors.size() == 1);
  return errors[0];
}

inline Project project_of(const std::string& toml) {
  Checked checked = check_text(toml, "coeval.toml");
  for (const auto& error : checked.errors) FAIL_CHECK(render(error, toml, false));
  REQUIRE(checked.project);
  return std::move(*checked.project);
}

}  // namespace coeval::define::testing
