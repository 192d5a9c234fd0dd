#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/column.h"
#include "define/project.h"
#include "replay/past.h"

namespace coeval::replay {

/// One of `count` parts of a dataset's questions, from 0. A question is in the part that the hash
/// of its key gives, whatever the threads, the machine, or the other questions: each is in exactly
/// one.
struct QuestionBucket {
  std::uint32_t index = 0, count = 1;
};

inline constexpr std::uint32_t kMostBuckets = 1'000'000;

/// "3/16". Errors: usage.
Result<QuestionBucket> parse_bucket(std::string_view text);

/// The rows of the bucket, ascending. The key of a question is its columns that are keys of a view
/// which `row` reads, by name; nulls are values like others here. Where there is no such column all
/// questions are in one bucket.
std::vector<std::int64_t> rows_of_bucket(QuestionBucket bucket, const define::Project& project,
                                         const define::RowSchema& row,
                                         const data::Batch& questions);

/// The entities that questions ask about through one view, as bits by a hash of their keys: one
/// that is asked about is always found, others now and then too. Some 2 to 4 bytes a question.
class EntityFilter {
 public:
  explicit EntityFilter(std::size_t questions);
  void add(std::uint64_t hash) { word(hash) |= bit(hash); }
  bool may_have(std::uint64_t hash) const {
    return (bits_[static_cast<std::size_t>(hash & mask_) / 64] & bit(hash)) != 0;
  }
  std::size_t bytes() const { return bits_.size() * sizeof(std::uint64_t); }

 private:
  static std::uint64_t bit(std::uint64_t hash) { return std::uint64_t{1} << (hash & 63); }
  std::uint64_t& word(std::uint64_t hash) {
    return bits_[static_cast<std::size_t>(hash & mask_) / 64];
  }
  std::uint64_t mask_ = 0;
  std::vector<std::uint64_t> bits_;
};

/// Columns of a batch by the names of a view's keys. False when one of them is not there.
bool find_keys(const define::View& view, const data::Batch& batch,
               std::vector<const data::Column*>& columns);

/// The past without events that none of `questions` asks about through any of `views`. A source
/// stays whole where it is looked up, where names of events tie rows to each other, and where a
/// view without keys reads it. `questions` must have the keys of all views.
Past asked_past(const define::Project& project, const Past& past, std::span<const int> views,
                const data::Batch& questions);

}  // namespace coeval::replay
