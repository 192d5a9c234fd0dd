#include "kernel/amended_block.h"

#include "base/check.h"
#include "kernel/event_index.h"

namespace coeval::kernel {

std::shared_ptr<EventBlock::TakenBack> make_taken_back(const Amendments& amendments,
                                                       std::size_t views) {
  auto block = std::make_shared<EventBlock::TakenBack>();
  block->by_row = amendments.takes_back;
  block->event_time_us = amendments.event_time_us;
  block->known_us = amendments.known_us;
  block->names = amendments.names;
  block->entities.resize(views);
  return block;
}

std::vector<std::int32_t> entities_taken_back(const define::View& view,
                                              const Amendments& amendments, const KeyTable& keys,
                                              std::vector<std::string>& unknown) {
  std::vector<const data::Column*> columns;
  for (const auto& key : view.keys) {
    columns.push_back(amendments.taken_back.find(key));
    COEVAL_CHECK(columns.back() != nullptr);
  }
  return keys.find_rows(columns, amendments.taken_back.rows, unknown);
}

void leave_out(const Amendments& amendments, std::vector<std::int32_t>& entities) {
  for (std::size_t row = 0; row < entities.size(); ++row)
    if (!counts(amendments.roles[row])) entities[row] = KeyTable::kNull;
}

void write_names(const RecordLayout& layout, const data::Column& ids,
                 LargeVector<std::byte>& records) {
  std::byte* record = records.data();
  for (std::int64_t row = 0; row < ids.size(); ++row, record += layout.stride) {
    const exact::Key128 name = event_name(ids, row);
    store(record + layout.name_at, name.high);
    store(record + layout.name_at + 8, name.low);
  }
}

void take_back(ViewState& state, int view, const EventBlock& events, std::int64_t row) {
  const EventBlock::TakenBack& block = *events.taken_back;
  const std::int64_t index = block.by_row[static_cast<std::size_t>(row)];
  if (index < 0) return;
  const auto at = static_cast<std::size_t>(index);
  state.take_back(block.entities[static_cast<std::size_t>(view)][at], block.event_time_us[at],
                  block.known_us[at], block.names[at],
                  events.known_us[static_cast<std::size_t>(row)]);
}

}  // namespace coeval::kernel
