#include "quality/offending_rows.h"

#include <algorithm>

#include "data/hash.h"
#include "exact/key_hash.h"

namespace coeval::quality {

OffendingRows::OffendingRows(std::size_t most, std::string_view key)
    : most_(most), key_(data::xxh3_64(key)) {}

void OffendingRows::offer(Hashed row) {
  if (kept_.size() == most_) {
    if (most_ == 0 || kept_.front() < row) return;
    std::pop_heap(kept_.begin(), kept_.end());
    kept_.pop_back();
  }
  kept_.push_back(row);
  std::push_heap(kept_.begin(), kept_.end());
}

void OffendingRows::add(std::int64_t row) {
  ++count_;
  offer({exact::mix(static_cast<std::uint64_t>(row) ^ key_), row});
}

void OffendingRows::merge(const OffendingRows& other) {
  count_ += other.count_;
  for (const Hashed& row : other.kept_) offer(row);
}

std::vector<std::int64_t> OffendingRows::rows() const {
  std::vector<std::int64_t> rows;
  rows.reserve(kept_.size());
  for (const Hashed& row : kept_) rows.push_back(row.second);
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace coeval::quality
