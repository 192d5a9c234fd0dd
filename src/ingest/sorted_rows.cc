#include "ingest/sorted_rows.h"

#include <algorithm>
#include <cstring>
#include <queue>

#include "base/stable_order.h"
#include "data/row_block.h"
#include "data/row_codec.h"

namespace coeval::ingest {

using stores::SpillFile;

namespace {

constexpr std::size_t kLeastMemory = std::size_t{64} << 10;
constexpr std::size_t kMostChunkBytes = std::size_t{8} << 20;
constexpr std::size_t kLeastBlockBytes = std::size_t{4} << 10;
constexpr std::size_t kMostBlockBytes = std::size_t{1} << 20;
// A merge holds a block of each run: of so many runs they fit in the memory that the rows had.
constexpr std::size_t kRunsForMemory = 256;
// Their memory is still in the cache when the next column comes.
constexpr std::int64_t kRowsAtOnce = 1024;
// Rows are visited in an order that the processor cannot foresee.
constexpr std::size_t kRowsAhead = 16;
// What a row needs beside its bytes: known time, place, order.
constexpr std::size_t kRowOverhead = 32;

// In a block a row is its known time (i64), the length of its payload (u32), and that.
void append_row(std::string& block, const EncodedRow& row) {
  data::put_u64(block, static_cast<std::uint64_t>(row.known.us));
  data::put_text(block, row.payload);
}

// Reads a run from its begin on; it holds one block at a time.
class RunReader {
 public:
  RunReader(const SpillFile& file, const std::vector<SpillFile::Block>& blocks)
      : file_(file), blocks_(blocks) {}

  /// False at the end.
  Result<bool> next() {
    if (rest_.remaining() == 0) {
      if (next_block_ == blocks_.size()) return false;
      COEVAL_ASSIGN(bytes_, file_.read(blocks_[next_block_++]));
      rest_ = data::ByteReader(bytes_);
    }
    std::uint64_t known = 0;
    if (!rest_.u64(known) || !rest_.text(row_.payload))
      return fail(Code::bad_file, "a block of '" + file_.path() + "' is cut short");
    row_.known.us = static_cast<std::int64_t>(known);
    return true;
  }
  const EncodedRow& row() const { return row_; }

 private:
  const SpillFile& file_;
  const std::vector<SpillFile::Block>& blocks_;
  std::size_t next_block_ = 0;
  std::string bytes_;
  data::ByteReader rest_{std::string_view()};
  EncodedRow row_;
};

}  // namespace

SortedRows::SortedRows(Options options) : options_(std::move(options)) {
  options_.memory_bytes = std::max(options_.memory_bytes, kLeastMemory);
}

char* SortedRows::room_for(std::size_t bytes) {
  if (chunk_used_ + bytes > chunk_size_) {
    chunk_size_ = std::max(std::min(options_.memory_bytes / 4, kMostChunkBytes), bytes);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_size_));
    chunks_bytes_ += chunk_size_;
    chunk_used_ = 0;
  }
  char* const at = chunks_.back().get() + chunk_used_;
  chunk_used_ += bytes;
  return at;
}

std::size_t SortedRows::held_bytes() const {
  return chunks_bytes_ + known_us_.size() * kRowOverhead;
}

void SortedRows::note(std::int64_t known_us, const char* at, std::size_t size) {
  known_us_.push_back(known_us);
  payloads_.emplace_back(at, size);
  first_known_us_ = std::min(first_known_us_, known_us);
  ++rows_;
}

Status SortedRows::spill_when_full() {
  return held_bytes() > options_.memory_bytes ? spill() : Status{};
}

Status SortedRows::add(const data::Batch& rows, std::span<const std::int64_t> known_us) {
  for (std::int64_t begin = 0; begin < rows.rows; begin += kRowsAtOnce) {
    data::measure_rows(rows, begin, std::min(begin + kRowsAtOnce, rows.rows), sizes_);
    // As many rows at a time as there is room for behind one another.
    std::span<const std::size_t> sizes(sizes_);
    for (std::int64_t row = begin; !sizes.empty();) {
      char* at = room_for(sizes.front());
      std::size_t count = 1, bytes = sizes.front();
      const std::size_t room = bytes + chunk_size_ - chunk_used_;
      while (count < sizes.size() && bytes + sizes[count] <= room) bytes += sizes[count++];
      chunk_used_ += bytes - sizes.front();
      data::write_rows(at, rows, row, sizes.first(count));
      for (const std::size_t size : sizes.first(count)) {
        note(known_us[static_cast<std::size_t>(row++)], at, size);
        at += size;
      }
      sizes = sizes.subspan(count);
      COEVAL_TRY(spill_when_full());
    }
  }
  return {};
}

Status SortedRows::add(const EncodedRow& row) {
  char* const at = room_for(row.payload.size());
  std::memcpy(at, row.payload.data(), row.payload.size());
  note(row.known.us, at, row.payload.size());
  return spill_when_full();
}

Status SortedRows::spill() {
  if (known_us_.empty()) return {};
  if (!file_) {
    COEVAL_ASSIGN(file_, SpillFile::create(options_.spill_folder, options_.files));
  }
  Run& run = runs_.emplace_back();
  const std::size_t block_bytes =
      std::clamp(options_.memory_bytes / kRunsForMemory, kLeastBlockBytes, kMostBlockBytes);
  std::string block;
  const auto write = [&]() -> Status {
    COEVAL_ASSIGN(const auto packed, SpillFile::pack(block));
    COEVAL_ASSIGN(run.emplace_back(), file_->append(packed));
    block.clear();
    return {};
  };
  for (const std::int64_t row : stable_order(known_us_)) {
    const auto at = static_cast<std::size_t>(row);
    append_row(block, {KnownTime{known_us_[at]}, payloads_[at]});
    if (block.size() >= block_bytes) COEVAL_TRY(write());
  }
  if (!block.empty()) COEVAL_TRY(write());
  known_us_.clear();
  payloads_.clear();
  chunks_.clear();
  chunk_used_ = chunk_size_ = chunks_bytes_ = 0;
  return {};
}

Status SortedRows::finish() {
  if (!runs_.empty()) return spill();
  order_ = stable_order(known_us_);
  return {};
}

std::int64_t SortedRows::known_before(std::int64_t known_us) const {
  std::int64_t count = 0;
  static_cast<void>(visit([&](const EncodedRow& row) -> Status {
    if (row.known.us >= known_us) return fail(Code::internal, "the rows behind are later");
    ++count;
    return {};
  }));
  return count;
}

Status SortedRows::visit(const std::function<Status(const EncodedRow&)>& visit) const {
  return runs_.empty() ? visit_memory(visit) : visit_runs(visit);
}

Status SortedRows::visit_memory(const std::function<Status(const EncodedRow&)>& visit) const {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (i + kRowsAhead < order_.size())
      __builtin_prefetch(payloads_[static_cast<std::size_t>(order_[i + kRowsAhead])].data());
    const auto at = static_cast<std::size_t>(order_[i]);
    COEVAL_TRY(visit({KnownTime{known_us_[at]}, payloads_[at]}));
  }
  return {};
}

Status SortedRows::visit_runs(const std::function<Status(const EncodedRow&)>& visit) const {
  std::vector<RunReader> readers;
  readers.reserve(runs_.size());
  // Runs hold the rows in the order in which they came: of equal times the earlier run's come
  // first.
  using Head = std::pair<std::int64_t, std::size_t>;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  const auto advance = [&](std::size_t run) -> Status {
    COEVAL_ASSIGN(const bool any, readers[run].next());
    if (any) heads.emplace(readers[run].row().known.us, run);
    return {};
  };
  for (const Run& run : runs_) readers.emplace_back(*file_, run);
  for (std::size_t run = 0; run < runs_.size(); ++run) COEVAL_TRY(advance(run));
  while (!heads.empty()) {
    const std::size_t run = heads.top().second;
    heads.pop();
    COEVAL_TRY(visit(readers[run].row()));
    COEVAL_TRY(advance(run));
  }
  return {};
}

}  // namespace coeval::ingest
