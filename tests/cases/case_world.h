#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "case_file.h"
#include "data/column.h"
#include "define/project.h"

namespace coeval::cases {

/// The whole definition of a case: what it writes itself, its sources with their columns, the
/// source of its questions, and a model whose inputs are the features asked for.
std::string definition_of(const Case& c);

inline constexpr const char* kModel = "answers";
/// The model's inputs before the features asked for: a number for its one tree to split on.
inline constexpr std::size_t kFirstFeature = 1;

/// One event, in position order: a row of its source's batch.
struct Event {
  int source = -1;
  std::int64_t row = 0;
  std::int64_t time_us = 0, known_us = 0;
  const EventTable* table = nullptr;
  const Row* text = nullptr;
};

/// A case with everything typed.
struct World {
  const Case* text = nullptr;
  std::shared_ptr<const define::Project> project;
  const define::Model* model = nullptr;
  std::vector<int> views;            ///< all of them
  std::vector<data::Batch> sources;  ///< rows by source, in the order of the file; empty for others
  std::vector<std::vector<std::int64_t>> known_us;  ///< by source and row
  std::vector<Event> events;  ///< of all sources by (known time, order in the file)
  data::Batch questions;      ///< the question's columns, in the order of the file
  std::vector<std::int64_t> at_us;
  std::vector<std::int64_t> question_order;  ///< by time
  data::Batch expected;                      ///< a column for each feature
  std::vector<bool> refused;  ///< by question: it must be refused, since a feature is stale

  bool finite = true;  ///< no event holds NaN or an infinity, which the server's door refuses
};

/// Errors: the first of the definition, bad_file with a line.
Result<World> make_world(const Case& c);

/// The question's columns that a request of the model has, for the rows given.
data::Batch requested(const World& world, std::span<const std::int64_t> rows);

}  // namespace coeval::cases
