#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "quality/offending_rows.h"
#include "quality/record_store.h"

namespace coeval::quality {

/// A row whose key an earlier row has, and the first row that has it.
struct RepeatedKey {
  std::int64_t row = 0, first_row = 0;
  std::string key;  ///< 8 bytes where keys are numbers, lowest first
};

/// Finds the rows whose key an earlier row has: exact, keys are compared themselves, not their
/// hashes. Earlier is by row number, whatever the order of adding.
///
/// Keys are put into parts by their hash while rows pass; in the end each part is looked at alone,
/// in a table that stays in the processor's caches. A part whose keys do not fit in memory is
/// looked at several times, for some of its keys each time. Memory: twice the bound, about.
/// Complexity: O(1) a row; keys chosen to have one hash cost more. Threading: one thread at a time.
class RepeatedKeys {
 public:
  enum class Keys : std::uint8_t {
    numbers,  ///< 64 bits each
    bytes,    ///< of any length
  };
  RepeatedKeys(Keys keys, std::size_t memory_bytes, const std::string& folder,
               OffendingRows repeats, std::size_t most_first);

  /// For Keys::numbers, and for Keys::bytes. Errors: those of RecordStore.
  Status add(std::uint64_t key, std::int64_t row);
  Status add(std::string_view key, std::int64_t row);
  Status merge(RepeatedKeys& other);
  /// Looks through the keys; no more may be added.
  Status finish();

  /// After finish().
  const OffendingRows& repeats() const { return repeats_; }
  /// The first ones by row.
  const std::vector<RepeatedKey>& first() const { return first_; }
  /// How many times the largest part was looked at: 1, but for want of memory.
  std::size_t passes() const { return passes_; }

 private:
  class NumberTable;
  class ByteTable;
  template <class Table>
  Status finish_part(std::size_t part);
  void keep_first(std::vector<RepeatedKey> found);

  Keys keys_;
  std::size_t memory_bytes_;
  RecordStore store_;
  OffendingRows repeats_;
  std::size_t most_first_;
  std::vector<RepeatedKey> first_;
  std::size_t passes_ = 1;
};

}  // namespace coeval::quality
