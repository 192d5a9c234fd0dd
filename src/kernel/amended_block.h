#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernel/amendments.h"
#include "kernel/blocks.h"
#include "kernel/kernel.h"
#include "kernel/key_table.h"
#include "kernel/view_state.h"

namespace coeval::kernel {

/// The events that the rows of a block take back, as the views know them.
struct EventBlock::TakenBack {
  std::vector<std::int64_t> by_row;  ///< index of the event that a row takes back; −1 = none
  std::vector<std::int64_t> event_time_us, known_us;
  std::vector<exact::Key128> names;
  std::vector<std::vector<std::int32_t>> entities;  ///< by view: of each event
};

/// Without entities yet.
std::shared_ptr<EventBlock::TakenBack> make_taken_back(const Amendments& amendments,
                                                       std::size_t views);
/// The entity of each event that is taken back; negative where the view has none of its key, which
/// is then added to `unknown`.
std::vector<std::int32_t> entities_taken_back(const define::View& view,
                                              const Amendments& amendments, const KeyTable& keys,
                                              std::vector<std::string>& unknown);
/// Rows that count as no event are nobody's.
void leave_out(const Amendments& amendments, std::vector<std::int32_t>& entities);
/// Writes the events' names into records of a replaceable layout.
void write_names(const RecordLayout& layout, const data::Column& ids,
                 LargeVector<std::byte>& records);
/// Takes back what a row replaces, from the row's known time on.
void take_back(ViewState& state, int view, const EventBlock& events, std::int64_t row);

}  // namespace coeval::kernel
