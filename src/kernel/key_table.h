#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/column.h"
#include "kernel/run_parts.h"

namespace coeval::kernel {

/// Numbers the entities of a view densely from 0, by their full key.
///
/// A key's bytes: per key column a fixed-width little-endian value, or a length and the bytes of a
/// string; −0 as +0 and every NaN as one, so that keys which compare equal are one entity.
/// Memory: the bytes of the keys, one behind the other, 8 bytes each where not all have one length,
/// and some 6 to 12 for the index.
/// Threading: one thread at a time.
class KeyTable {
 public:
  static constexpr std::int32_t kNull = -1;  ///< a key with a null: no entity

  KeyTable();
  ~KeyTable();
  KeyTable(KeyTable&&) noexcept;
  KeyTable& operator=(KeyTable&&) noexcept;

  /// The number of a key, given now if it is new.
  std::int32_t intern(std::string_view key);
  /// The number of a key, or kNull when there is none.
  std::int32_t find(std::string_view key) const;
  /// Good until the next key gets a number.
  std::string_view key(std::int32_t entity) const;
  std::int32_t size() const { return size_; }
  /// Bytes of all keys.
  std::size_t key_bytes() const;
  /// Takes the number of the newest key back.
  void forget_last();

  /// Numbers for every row; new keys get one, in the order of rows. `run` may do parts of it side
  /// by side.
  std::vector<std::int32_t> intern_rows(std::span<const data::Column* const> columns,
                                        std::int64_t rows, const RunParts& run = run_in_turn);
  /// Numbers for every row. A key without a number is put into `unknown` and its row holds
  /// unknown_number(index there): the entity may come to be before the question is asked.
  std::vector<std::int32_t> find_rows(std::span<const data::Column* const> columns,
                                      std::int64_t rows, std::vector<std::string>& unknown,
                                      const RunParts& run = run_in_turn) const;
  static std::int32_t unknown_number(std::size_t index) {
    return -2 - static_cast<std::int32_t>(index);
  }
  static std::size_t unknown_index(std::int32_t number) {
    return static_cast<std::size_t>(-2 - number);
  }

 private:
  struct Index;
  std::unique_ptr<Index> index_;
  std::int32_t size_ = 0;
};

}  // namespace coeval::kernel
