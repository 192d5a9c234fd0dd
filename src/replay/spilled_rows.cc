#include "replay/spilled_rows.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "base/check.h"
#include "data/batch_codec.h"

namespace coeval::replay {

using stores::SpillFile;

Result<SpilledRows> SpilledRows::create(const std::string& folder, data::Schema schema,
                                        std::size_t partitions) {
  COEVAL_ASSIGN(auto file, SpillFile::create(folder));
  return SpilledRows(std::move(schema), std::move(file), partitions);
}

Status SpilledRows::append(const data::Batch& batch,
                           const std::vector<std::vector<std::int64_t>>& rows, WorkerPool& pool) {
  std::vector<std::optional<Result<SpillFile::Packed>>> packed(rows.size());
  pool.run(rows.size(), [&](std::size_t p) {
    if (!rows[p].empty())
      packed[p] = SpillFile::pack(data::encode_batch(data::take(batch, rows[p])));
  });
  for (std::size_t p = 0; p < rows.size(); ++p) {
    if (!packed[p]) continue;
    if (!*packed[p]) return std::unexpected(std::move(*packed[p]).error());
    COEVAL_TRY(append(**packed[p], p, std::ssize(rows[p])));
  }
  return {};
}

Status SpilledRows::append(const data::Batch& batch, std::size_t partition) {
  if (batch.rows == 0) return {};
  COEVAL_ASSIGN(const auto packed, SpillFile::pack(data::encode_batch(batch)));
  return append(packed, partition, batch.rows);
}

Status SpilledRows::append(const SpillFile::Packed& packed, std::size_t partition,
                           std::int64_t rows) {
  COEVAL_ASSIGN(const auto block, file_.append(packed));
  parts_[partition].blocks.push_back(block);
  parts_[partition].rows += rows;
  return {};
}

Result<data::Batch> SpilledRows::read(const SpillFile::Block& block) const {
  COEVAL_ASSIGN(const std::string bytes, file_.read(block));
  auto batch = data::decode_batch(bytes, schema_);
  if (!batch)
    return std::unexpected(std::move(batch).error().within("reading '" + file_.path() + "'"));
  return batch;
}

Result<data::Batch> SpilledRows::read(std::size_t partition) const {
  std::vector<data::Batch> pieces;
  for (const auto& block : parts_[partition].blocks) {
    COEVAL_ASSIGN(pieces.emplace_back(), read(block));
  }
  if (!pieces.empty()) return data::concatenate(pieces);
  data::Batch none{schema_, {}, 0};
  for (const auto& field : schema_.fields)
    none.columns.push_back(data::ColumnBuilder(field.type).finish());
  return none;
}

Status SpilledRows::Cursor::take(const SpilledRows& rows, std::size_t partition, std::int64_t count,
                                 std::vector<data::Batch>& pieces) {
  const Part& part = rows.parts_[partition];
  while (count > 0) {
    if (given_ == block_.rows) {
      COEVAL_CHECK(next_block_ < part.blocks.size());
      COEVAL_ASSIGN(block_, rows.read(part.blocks[next_block_++]));
      given_ = 0;
    }
    const std::int64_t size = std::min(count, block_.rows - given_);
    std::vector<std::int64_t> taken(static_cast<std::size_t>(size));
    std::iota(taken.begin(), taken.end(), given_);
    pieces.push_back(data::take(block_, taken));
    given_ += size;
    count -= size;
  }
  return {};
}

}  // namespace coeval::replay
