#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/collection.h"
#include "kernel/kernel.h"
#include "kernel/record_layout.h"
#include "kernel/string_table.h"
#include "kernel/tally.h"

namespace coeval::kernel {

/// Bytes of lists, one behind the other, where each is written once and read until all are dropped.
class ListArena {
 public:
  /// The 64 bits that stand for a list in a cell.
  std::uint64_t put(std::string_view bytes);
  /// The list that was put.
  static std::string_view list_of_bits(std::uint64_t bits);
  /// Asks for it, ahead of time; any bits.
  static void fetch(std::uint64_t bits) { __builtin_prefetch(reinterpret_cast<const void*>(bits)); }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << 20;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = kBlock;
};

/// The strings and lists of cells that were given out, kept for the one who asked, whatever becomes
/// of the events.
class AnsweredTexts {
 public:
  /// `strings` must outlive it.
  explicit AnsweredTexts(StringTable& strings) : strings_(&strings) {}
  /// For lists alone, which are not looked for among those that there are: their cells are read by
  /// ListArena.
  AnsweredTexts() = default;

  Cell cell(const StringRef& string);
  /// A packed list.
  Cell cell_of_list(const std::string& bytes) {
    if (strings_ == nullptr) return {lists_.put(bytes), true};
    return cell(StringRef::adopt(strings_->take(bytes)));
  }
  /// Cells given out before are void from now on.
  void release();

 private:
  StringTable* strings_ = nullptr;
  std::vector<StringRef> answered_;
  ListArena lists_;
};

/// The answers of aggregates that are read from extremes: min, max, first, last, since, of all but
/// strings. (semantics: A7 V3)
Cell ordered_cell(const AggregatePlan& plan, const Extremes& extremes, std::int64_t at_us);

/// The answers of aggregates that are read from what was gathered. `counts`: of sketches, and of
/// lists that are too long. (semantics: A4 A7 V3)
Cell collection_cell(const AggregatePlan& plan, const Collection& collection, AnsweredTexts& texts,
                     EvaluationCounts& counts);

}  // namespace coeval::kernel
