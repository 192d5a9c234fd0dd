#pragma once

#include <cstdint>
#include <vector>

#include "define/project.h"
#include "replay/history.h"

namespace coeval::replay {

/// Settles what the names of a history's events say: SourceHistory::amendments, taken_back_by.
/// `names` takes the rows as the next ones; null = an index of their own, which forgets nothing.
/// Nothing to do where events have no names. (semantics: T7)
void settle_names(const define::Project& project, SourceHistory& history,
                  kernel::EventIndex* names);
/// Lets a file's conservation say how many of its rows are duplicates.
void count_duplicates(SourceHistory& history);

/// Whether a row asks a question at its own time: each event does, as it first was, also one that
/// was replaced later. Duplicates, corrections and deletions do not. (semantics: T7)
bool asks(const define::Source& source, const SourceHistory& history, std::int64_t row);
/// The rows that ask, in order.
std::vector<std::int64_t> asking_rows(const define::Source& source, const SourceHistory& history);

/// What stands for a row in the end: itself, or the newest row that replaced it, or what replaced
/// that; nothing (−1) where it was deleted, or counted as none.
std::int64_t newest_version(const SourceHistory& history, std::int64_t row);

}  // namespace coeval::replay
