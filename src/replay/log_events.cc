#include "replay/log_events.h"

#include "replay/fold.h"

namespace coeval::replay {

Result<std::map<int, LoggedEvents>> prepare_logged(kernel::Kernel& kernel,
                                                   kernel::EventIndexes& names,
                                                   LogCollector& collector) {
  struct Rows {
    data::Batch rows;
    std::vector<std::int64_t> known_us, positions;
  };
  std::map<int, Rows> taken;
  for (auto& [tag, rows] : collector.rows()) {
    if (rows.known_us.empty()) continue;
    Rows& mine = taken[rows.source];
    mine.known_us = rows.known_us;
    mine.positions = rows.positions;
    const auto& source = kernel.project().sources[static_cast<std::size_t>(rows.source)];
    mine.rows = rows.finish(source.schema);
    COEVAL_TRY(kernel.learn(rows.source, mine.rows, mine.known_us));
  }
  std::map<int, LoggedEvents> events;
  for (auto& [source, mine] : taken) {
    COEVAL_ASSIGN(auto block, prepare_next(kernel, names, source, mine.rows, mine.known_us));
    events.emplace(source, LoggedEvents{std::move(block), std::move(mine.positions)});
  }
  return events;
}

}  // namespace coeval::replay
