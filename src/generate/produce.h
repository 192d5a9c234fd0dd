#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/error.h"
#include "generate/generator.h"

namespace coeval::generate {

/// What part of all rows is wanted.
struct Portion {
  std::int64_t shard = 0, shards = 1;  ///< the shard-th, from 0, of so many parts of the pieces
  std::optional<std::int64_t> rows;    ///< of all shards together at most so many, the first ones
};

/// The pieces [first, end) of a portion, and how many rows of them are wanted at most.
struct PieceRange {
  std::int64_t first = 0, end = 0;
  std::optional<std::int64_t> rows;
};

/// Which pieces a portion takes. Errors: usage for a number of rows in shards, where pieces differ
/// in how many they have.
Result<PieceRange> pieces_of(const Generator& generator, const Portion& portion);

struct Produced {
  std::int64_t rows = 0;
  std::int64_t positives = 0;  ///< rows whose label is true
};

/// Takes rows; an error ends everything and is what produce() returns.
using TakeRows = std::function<Status(const data::Batch&)>;
/// Is told how many pieces of how many are done.
using PiecesDone = std::function<void(std::int64_t done, std::int64_t all)>;

/// Makes the rows of a range and hands them over in order. `schema` is generator.schema() of it.
/// Threading: `take` and `done` are called by the caller's thread. Memory: two batches a thread.
/// Determinism: rows and the ends of batches do not depend on `threads`.
Result<Produced> produce(const Generator& generator, const PieceRange& range, int threads,
                         const TakeRows& take, const PiecesDone& done);

}  // namespace coeval::generate
