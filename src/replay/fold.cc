#include "replay/fold.h"

#include <map>

#include "base/worker_pool.h"
#include "replay/dataset.h"
#include "replay/log_events.h"
#include "replay/log_rows.h"

namespace coeval::replay {

namespace {

constexpr std::int64_t kRecordsAtOnce = 1 << 18;

Result<std::int64_t> apply_collected(kernel::Kernel& kernel, LogCollector& collector) {
  std::int64_t events = 0;
  COEVAL_ASSIGN(const auto blocks, prepare_logged(kernel, collector));
  for (const auto& [source, logged] : blocks) {
    for (std::int64_t row = 0; row < logged.block.rows; ++row) kernel.apply(logged.block, row);
    events += logged.block.rows;
  }
  return events;
}

}  // namespace

Result<std::vector<FoldedSource>> fold_files(kernel::Kernel& kernel,
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
    COEVAL_ASSIGN(SourceHistory history, load_history(project, source, formats, options));
    COEVAL_TRY(kernel.learn(source, history.rows, history.known_us, history.order));
    learned.emplace(source, std::move(history));
  }
  for (const int source : sources) {
    const auto known = learned.find(source);
    COEVAL_ASSIGN(const SourceHistory history,
                  known != learned.end() ? Result<SourceHistory>(std::move(known->second))
                                         : load_history(project, source, formats, options));
    COEVAL_ASSIGN(const auto events, kernel.prepare_events(source, history.rows, history.known_us));
    pool.run(views.size(), [&](std::size_t i) {
      if (project.views[static_cast<std::size_t>(views[i])].source != source) return;
      for (const std::int64_t row : history.order) kernel.apply(views[i], events, row);
    });
    folded.push_back(
        {source, history.path, history.sha256, history.rows.rows, history.conservation});
  }
  return folded;
}

Result<std::int64_t> fold_log(kernel::Kernel& kernel, const stores::EventLog& log, Position from) {
  LogCollector collector(kernel.project(), sources_of(kernel.project(), kernel.views()));
  std::int64_t events = 0, held = 0;
  Status failed;
  const auto flush = [&]() -> Status {
    COEVAL_ASSIGN(const std::int64_t applied, apply_collected(kernel, collector));
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
