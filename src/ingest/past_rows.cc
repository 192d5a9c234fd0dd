#include "ingest/past_rows.h"

#include <filesystem>
#include <utility>

#include "replay/log_rows.h"
#include "replay/past.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kTakenAtOnce = std::size_t{1} << 16;

Status read_file(const Past& past, int source, const TakeRows& take) {
  const auto& declared = past.project.sources[static_cast<std::size_t>(source)];
  replay::HistoryOptions options;
  if (past.log != nullptr) {
    COEVAL_ASSIGN(const auto cut, replay::read_cut(*past.log));
    if (cut) options.cut_us = cut->cut_us;
  }
  COEVAL_TRY(replay::stream_history(
      past.project, source, past.formats, options, [&](const data::Batch& rows) {
        return take(rows, replay::known_times(declared, rows, nullptr));
      }));
  return {};
}

}  // namespace

Status read_logged(const define::Project& project, int source, const stores::EventLog& log,
                   const TakeEvents& take) {
  const auto& schema = project.sources[static_cast<std::size_t>(source)].schema;
  COEVAL_ASSIGN(auto collector, replay::LogCollector::create(project, {source}, log));
  std::size_t held = 0;
  const auto hand_on = [&]() -> Status {
    held = 0;
    for (auto& [tag, rows] : collector.rows()) {
      if (rows.known_us.empty()) continue;
      const std::vector<std::int64_t> known_us = rows.known_us, positions = rows.positions;
      COEVAL_TRY(take(rows.finish(schema), known_us, positions));
    }
    return {};
  };
  Status taken;
  COEVAL_TRY(log.read(Position{0}, [&](const stores::Record& record) {
    taken = collector.add(record);
    if (taken && record.kind == stores::RecordKind::event && ++held >= kTakenAtOnce)
      taken = hand_on();
    return taken.has_value();
  }));
  COEVAL_TRY(std::move(taken));
  return hand_on();
}

Status read_past(const Past& past, int source, const std::string& except, const TakeRows& take) {
  const std::string own = replay::source_path(past.project, source);
  std::error_code none;
  if (!own.empty() && !std::filesystem::equivalent(own, except, none))
    COEVAL_TRY(read_file(past, source, take));
  if (past.log == nullptr) return {};
  return read_logged(past.project, source, *past.log,
                     [&](const data::Batch& rows, std::span<const std::int64_t> known_us,
                         std::span<const std::int64_t>) { return take(rows, known_us); });
}

}  // namespace coeval::ingest
