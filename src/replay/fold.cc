#include "replay/fold.h"

#include <algorithm>
#include <map>

#include "base/worker_pool.h"
#include "kernel/event_index.h"
#include "replay/dataset.h"
#include "replay/log_events.h"
#include "replay/log_rows.h"

namespace coeval::replay {

namespace {

constexpr std::int64_t kRecordsAtOnce = 1 << 18;

Result<std::int64_t> apply_collected(kernel::Kernel& kernel, kernel::EventIndexes& names,
                                     LogCollector& collector) {
  std::int64_t events = 0;
  COEVAL_ASSIGN(const auto blocks, prepare_logged(kernel, names, collector));
  for (const auto& [source, logged] : blocks) {
    for (std::int64_t row = 0; row < logged.block.rows; ++row) kernel.apply(logged.block, row);
    events += logged.block.rows;
  }
  return events;
}

}  // namespace

Result<kernel::EventBlock> prepare_next(kernel::Kernel& kernel, kernel::EventIndexes& names,
                                        int source, const data::Batch& rows,
                                        std::span<const std::int64_t> known_us) {
  kernel::EventIndex* index = names.of(source);
  if (index == nullptr) return kernel.prepare_events(source, rows, known_us);
  const kernel::Amendments amendments = index->take(rows, known_us);
  return kernel.prepare_events(source, rows, known_us, kernel::run_in_turn, &amendments);
}

std::vector<int> sources_to_fold(const define::Project& project, std::span<const int> views,
                                 const kernel::EventIndexes& names) {
  std::vector<int> sources = sources_of(project, views);
  for (int source = 0; source < static_cast<int>(project.sources.size()); ++source)
    if (names.of(source) != nullptr && std::ranges::count(sources, source) == 0)
      sources.push_back(source);
  std::ranges::sort(sources);
  return sources;
}

Result<std::vector<FoldedSource>> fold_files(kernel::Kernel& kernel, kernel::EventIndexes& names,
                                             const std::vector<int>& sources,
                                             const OpenFormat& formats,
                                             std::optional<std::int64_t> cut_us, int threads) {
  WorkerPool pool(threads);
  const auto& project = kernel.project();
  const auto& views = kernel.views();
  HistoryOptions options;
  options.cut_us = cut_us;
  std::vector<FoldedSource> folded;
  // What events look up must have been learned before them.
  std::map<int, SourceHistory> learned;
  for (const int source : sources) {
    if (!kernel.learns(source)) continue;
    options.names = names.of(source);
    COEVAL_ASSIGN(SourceHistory history, load_history(project, source, formats, options));
    COEVAL_TRY(kernel.learn(source, history.rows, history.known_us, history.order));
    learned.emplace(source, std::move(history));
  }
  for (const int source : sources) {
    const auto known = learned.find(source);
    options.names = names.of(source);
    COEVAL_ASSIGN(const SourceHistory history,
                  known != learned.end() ? Result<SourceHistory>(std::move(known->second))
                                         : load_history(project, source, formats, options));
    COEVAL_ASSIGN(const auto events,
                  kernel.prepare_events(source, history.rows, history.known_us, kernel::run_in_turn,
                                        history.amendments.get()));
    pool.run(views.size(), [&](std::size_t i) {
      if (project.views[static_cast<std::size_t>(views[i])].source != source) return;
      for (const std::int64_t row : history.order) kernel.apply(views[i], events, row);
    });
    folded.push_back(
        {source, history.path, history.sha256, history.rows.rows, history.conservation});
  }
  return folded;
}

Result<std::int64_t> fold_log(kernel::Kernel& kernel, kernel::EventIndexes& names,
                              const stores::EventLog& log, Position from) {
  LogCollector collector(kernel.project(),
                         sources_to_fold(kernel.project(), kernel.views(), names));
  std::int64_t events = 0, held = 0;
  Status failed;
  const auto flush = [&]() -> Status {
    COEVAL_ASSIGN(const std::int64_t applied, apply_collected(kernel, names, collector));
    events += applied;
    held = 0;
    return {};
  };
  COEVAL_TRY(log.read(from, [&](const stores::Record& record) {
    failed = collector.add(record);
    if (failed && ++held == kRecordsAtOnce) failed = flush();
    return failed.has_value();
  }));
  COEVAL_TRY(std::move(failed));
  COEVAL_TRY(flush());
  return events;
}

}  // namespace coeval::replay
