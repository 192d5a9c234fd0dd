#include "quality/sample_rows.h"

#include <utility>

#include "data/hash.h"

namespace coeval::quality {

namespace {

std::uint64_t keyed_hash(const std::string& rule, const std::string& origin, std::int64_t place) {
  return data::xxh3_64(origin + '\n' + std::to_string(place), data::xxh3_64(rule));
}

}  // namespace

bool SampleRows::wants(const std::string& rule, const std::string& origin,
                       std::int64_t place) const {
  const auto found = rows_.find(rule);
  return found == rows_.end() || found->second.size() < kMost ||
         keyed_hash(rule, origin, place) < found->second.rbegin()->first;
}

void SampleRows::add(const std::string& rule, SampleRow row) {
  auto& kept = rows_[rule];
  kept.emplace(keyed_hash(rule, row.origin, row.place), std::move(row));
  if (kept.size() > kMost) kept.erase(std::prev(kept.end()));
}

void SampleRows::merge(const SampleRows& other) {
  for (const auto& [rule, rows] : other.rows_)
    for (const auto& [hash, row] : rows) add(rule, row);
}

std::vector<SampleRow> SampleRows::of(const std::string& rule) const {
  std::vector<SampleRow> out;
  if (const auto found = rows_.find(rule); found != rows_.end())
    for (const auto& [hash, row] : found->second) out.push_back(row);
  return out;
}

std::string place_text(const SampleRow& row) {
  return row.place < 0 ? row.origin : row.origin + ":" + std::to_string(row.place);
}

}  // namespace coeval::quality
