#pragma once

#include <cstdint>
#include <vector>

#include "data/column.h"
#include "exact/key_hash.h"

namespace coeval::kernel {

/// What a row is among those of its source that have names. (semantics: T7)
enum class Role : std::uint8_t {
  event,       ///< counts
  correction,  ///< counts, in place of the event that it names
  deletion,    ///< takes the event that it names back, and counts as none
  duplicate,   ///< its name was used shortly before: counts as none
  replaced,    ///< a row that names it came shortly before it: counts as none
};
constexpr bool counts(Role role) { return role == Role::event || role == Role::correction; }

/// What the names of events say about the rows of a block: made by an EventIndex, before the
/// kernel; what the kernel has to do about it.
struct Amendments {
  std::vector<Role> roles;  ///< by row
  /// By row, the number of the row that a duplicate repeats, or that names a replaced one; −1 where
  /// there is none, or its number is not known any more.
  std::vector<std::int64_t> because_of;
  /// By row, a row of taken_back: the event that no longer counts from this row on; −1 = none.
  std::vector<std::int64_t> takes_back;
  std::vector<std::int64_t> takes_back_number;  ///< the event's number, likewise

  data::Batch taken_back;                             ///< columns that are keys of views
  std::vector<std::int64_t> event_time_us, known_us;  ///< of taken_back
  std::vector<exact::Key128> names;                   ///< of taken_back

  struct Counts {
    std::int64_t duplicates = 0, corrections = 0, deletions = 0;
    std::int64_t unmatched = 0;  ///< corrections and deletions that found no event that counts
  } counted;
};

}  // namespace coeval::kernel
