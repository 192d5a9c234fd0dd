#include "generate/produce.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "base/worker_pool.h"

namespace coeval::generate {

namespace {

// pieces · shard / shards without an overflow.
std::int64_t boundary(std::int64_t pieces, std::int64_t shard, std::int64_t shards) {
  return pieces / shards * shard + pieces % shards * shard / shards;
}

// The columns of `schema`, of which the batch may have more.
data::Batch only(data::Batch batch, const data::Schema& schema) {
  if (batch.schema == schema) return batch;
  data::Batch fewer{schema, {}, batch.rows};
  for (const auto& field : schema.fields) fewer.columns.push_back(*batch.find(field.name));
  return fewer;
}

data::Batch first_rows(const data::Batch& batch, std::int64_t rows) {
  std::vector<std::int64_t> kept(static_cast<std::size_t>(rows));
  std::iota(kept.begin(), kept.end(), 0);
  return data::take(batch, kept);
}

std::int64_t count_true(const data::Batch& batch, const std::string& label) {
  const data::Column* column = batch.find(label);
  std::int64_t count = 0;
  for (std::int64_t row = 0; row < batch.rows; ++row)
    count += !column->is_null(row) && column->bit(row) ? 1 : 0;
  return count;
}

}  // namespace

Result<PieceRange> pieces_of(const Generator& generator, const Portion& portion) {
  const std::optional<std::int64_t> each = generator.rows_per_piece();
  std::int64_t pieces = generator.pieces();
  if (!portion.rows)
    return PieceRange{boundary(pieces, portion.shard, portion.shards),
                      boundary(pieces, portion.shard + 1, portion.shards), std::nullopt};
  if (!each) {
    if (portion.shards == 1) return PieceRange{0, pieces, portion.rows};
    return fail(Code::usage, "--rows in shards needs pieces of equal length, which these are not",
                "leave --rows out and say the size another way: --days, --customers");
  }
  pieces = std::min(pieces, *portion.rows / *each + (*portion.rows % *each > 0 ? 1 : 0));
  PieceRange range{boundary(pieces, portion.shard, portion.shards),
                   boundary(pieces, portion.shard + 1, portion.shards), std::nullopt};
  range.rows = std::max<std::int64_t>(*portion.rows - range.first * *each, 0);
  return range;
}

Result<Produced> produce(const Generator& generator, const PieceRange& range, int threads,
                         const TakeRows& take, const PiecesDone& done) {
  const data::Schema schema = generator.schema(range.first, range.end);
  const std::int64_t step = std::max<std::int64_t>(generator.pieces_per_batch(), 1);
  const std::int64_t most = range.rows.value_or(std::numeric_limits<std::int64_t>::max());
  WorkerPool pool(std::max(threads, 1));
  std::vector<data::Batch> round(2 * static_cast<std::size_t>(std::max(threads, 1)));
  Produced produced;
  for (std::int64_t at = range.first; at < range.end && produced.rows < most;) {
    const auto left = static_cast<std::uint64_t>((range.end - at + step - 1) / step);
    const auto parts = static_cast<std::size_t>(std::min<std::uint64_t>(left, round.size()));
    pool.run(parts, [&](std::size_t part) {
      const std::int64_t first = at + static_cast<std::int64_t>(part) * step;
      round[part] = only(generator.make(first, std::min(first + step, range.end)), schema);
    });
    for (std::size_t part = 0; part < parts && produced.rows < most; ++part) {
      data::Batch& batch = round[part];
      if (batch.rows > most - produced.rows) batch = first_rows(batch, most - produced.rows);
      COEVAL_TRY(take(batch));
      produced.rows += batch.rows;
      produced.positives += count_true(batch, generator.label());
      batch = {};
    }
    at = std::min(at + static_cast<std::int64_t>(parts) * step, range.end);
    done(at - range.first, range.end - range.first);
  }
  return produced;
}

}  // namespace coeval::generate
