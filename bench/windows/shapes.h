#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "define/project.h"

namespace windows_bench {

/// How the keys of events and questions are drawn. `hot`: five keys have a tenth of all rows each,
/// the others share the rest.
enum class Skew : std::uint8_t { uniform, hot };

/// What a view computes over 1h, 6h, 1d, 7d and 30d: count, sum and mean; these and max (20
/// features); or twenty aggregates (100 features). `windows`: one sum over twenty windows.
enum class Features : std::uint8_t { sums, twenty, wide, windows };

/// A history and the questions to it. Row i is a hash of i, so that generate.py makes the same rows
/// and any part of them can be made alone. Times are spread evenly and ascend.
struct Shape {
  std::string name;
  std::int64_t events, keys, questions;
  std::int64_t days;
  Skew skew = Skew::uniform;
  Features features = Features::sums;
  int sources = 1;  ///< each with that many events, and one view over each
};

/// The shapes of the issue, at full size or at a tenth of it: those that are answered in memory,
/// and `backfill_large`, which is not: generate.py writes it, and `coeval dataset` answers it.
std::vector<Shape> shapes(bool quick);
bool fits_memory(const Shape& shape);

/// coeval.toml; sources read FOLDER/events_K.parquet.
std::string definition(const Shape& shape, const std::string& folder);
std::shared_ptr<const coeval::define::Project> project(const Shape& shape);

/// Rows [from, from + count) of a source; they go on evenly beyond shape.events.
coeval::data::Batch events(const Shape& shape, const coeval::define::Project& project, int source,
                           std::int64_t from, std::int64_t count);

/// Rows [from, from + count) of the questions: key, at.
struct Questions {
  coeval::data::Batch keys;
  std::vector<std::int64_t> at_us;
};
Questions questions(const Shape& shape, std::int64_t from, std::int64_t count);

/// Questions with keys drawn like those of the shape, at times that the caller gives.
Questions questions_at(const Shape& shape, std::vector<std::int64_t> at_us);

/// Prints "NAME FIGURE VALUE UNIT", which bench/table.py reads.
void report(std::string_view name, std::string_view figure, double value, std::string_view unit);

double cpu_seconds();
[[noreturn]] void give_up(const std::string& why);

template <class T>
T need(coeval::Result<T> result) {
  if (!result) give_up(coeval::one_line(result.error()));
  return std::move(*result);
}

/// Backfill in memory: prepares the history and answers all questions on `threads` threads.
void run_history(const Shape& shape, int threads);

/// Applies the events of keys beyond the cache and asks in between, as the server does.
void run_server(bool quick, std::string_view filter);

}  // namespace windows_bench
