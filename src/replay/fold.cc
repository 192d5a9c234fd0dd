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

namespace {

// Folds the history of one source after the other; what events look up is learned before them.
// `names` gives what takes the names of a source's rows as they are read.
Result<std::vector<FoldedSource>> fold_histories(
    kernel::Kernel& kernel, const std::vector<int>& sources, const OpenFormat& formats,
    std::optional<std::int64_t> cut_us, const std::function<kernel::EventIndex*(int)>& names,
    const std::function<Status(const SourceHistory&)>& fold) {
  HistoryOptions options;
  options.cut_us = cut_us;
  const auto load = [&](int source) {
    options.names = names(source);
    return load_history(kernel.project(), source, formats, options);
  };
  std::vector<FoldedSource> folded;
  std::map<int, SourceHistory> learned;
  for (const int source : sources) {
    if (!kernel.learns(source)) continue;
    COEVAL_ASSIGN(SourceHistory history, load(source));
    COEVAL_TRY(kernel.learn(source, history.rows, history.known_us, history.order));
    learned.emplace(source, std::move(history));
  }
  for (const int source : sources) {
    const auto known = learned.find(source);
    COEVAL_ASSIGN(const SourceHistory history, known != learned.end()
                                                   ? Result<SourceHistory>(std::move(known->second))
                                                   : load(source));
    COEVAL_TRY(fold(history));
    folded.push_back(
        {source, history.path, history.sha256, history.rows.rows, history.conservation});
  }
  return folded;
}

}  // namespace

Result<std::vector<FoldedSource>> fold_files(kernel::Kernel& kernel, kernel::EventIndexes& names,
                                             const std::vector<int>& sources,
                                             const OpenFormat& formats,
                                             std::optional<std::int64_t> cut_us, int threads) {
  WorkerPool pool(threads);
  const auto& views = kernel.views();
  const auto fold = [&](const SourceHistory& history) -> Status {
    COEVAL_ASSIGN(const auto events,
                  kernel.prepare_events(history.source, history.rows, history.known_us,
                                        kernel::run_in_turn, history.amendments.get()));
    pool.run(views.size(), [&](std::size_t i) {
      const auto view = static_cast<std::size_t>(views[i]);
      if (kernel.project().views[view].source != history.source) return;
      for (const std::int64_t row : history.order) kernel.apply(views[i], events, row);
    });
    return {};
  };
  const auto index = [&](int source) { return names.of(source); };
  return fold_histories(kernel, sources, formats, cut_us, index, fold);
}

Result<std::vector<FoldedSource>> fold_files_in_pieces(
    kernel::Kernel& kernel, kernel::EventIndexes& names, const std::vector<int>& sources,
    const OpenFormat& formats, std::optional<std::int64_t> cut_us, const FoldInPieces& pieces) {
  const auto fold = [&](const SourceHistory& history) -> Status {
    const std::span<const std::int64_t> order(history.order);
    const auto at_once = static_cast<std::size_t>(pieces.rows);
    std::vector<std::int64_t> known_us;
    for (std::size_t first = 0; first < order.size(); first += at_once) {
      const auto rows = order.subspan(first, std::min(at_once, order.size() - first));
      known_us.clear();
      for (const std::int64_t row : rows)
        known_us.push_back(history.known_us[static_cast<std::size_t>(row)]);
      COEVAL_ASSIGN(const auto events, prepare_next(kernel, names, history.source,
                                                    data::take(history.rows, rows), known_us));
      for (std::int64_t row = 0; row < events.rows; ++row) kernel.apply(events, row);
      COEVAL_TRY(pieces.after(Position{0}));
    }
    return {};
  };
  // Names are taken piece by piece.
  const auto no_index = [](int) -> kernel::EventIndex* { return nullptr; };
  return fold_histories(kernel, sources, formats, cut_us, no_index, fold);
}

Result<std::int64_t> fold_log(kernel::Kernel& kernel, kernel::EventIndexes& names,
                              const stores::EventLog& log, Position from,
                              const FoldInPieces& pieces) {
  COEVAL_ASSIGN(auto collector, LogCollector::create(
                                    kernel.project(),
                                    sources_to_fold(kernel.project(), kernel.views(), names), log));
  std::int64_t events = 0, held = 0;
  Status failed;
  const auto flush = [&](Position next) -> Status {
    COEVAL_ASSIGN(const std::int64_t applied, apply_collected(kernel, names, collector));
    events += applied;
    held = 0;
    return pieces.after ? pieces.after(next) : Status();
  };
  COEVAL_TRY(log.read(from, [&](const stores::Record& record) {
    failed = collector.add(record);
    if (failed && ++held == pieces.rows) failed = flush(Position{record.position.value + 1});
    return failed.has_value();
  }));
  COEVAL_TRY(std::move(failed));
  COEVAL_TRY(flush(log.next_position()));
  return events;
}

}  // namespace coeval::replay
