#include "replay/retention.h"

#include <algorithm>
#include <limits>

#include "replay/window_bounds.h"
#include "stores/files.h"
#include "stores/log_scan.h"
#include "stores/record_names.h"

namespace coeval::replay {

namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

// Raises how long a source is kept; the last reason to raise it is the one that is told.
void raise(SourceRetention& retention, std::int64_t keep_us, const std::string& why) {
  if (!retention.keep_us || keep_us <= *retention.keep_us) return;
  retention.why = why;
  if (keep_us == kForEver)
    retention.keep_us.reset();
  else
    retention.keep_us = keep_us;
}

SourceRetention declared(const define::Source& source) {
  if (!source.retention_us) return {source.name, std::nullopt, "no retention is declared"};
  return {source.name, source.retention_us, "retention " + format_duration(*source.retention_us)};
}

void raise_for_lookups(const define::Project& project, std::vector<SourceRetention>& all) {
  for (const define::Source& source : project.sources)
    for (const define::EventLookup& lookup : source.lookups) {
      const auto& view = project.views[static_cast<std::size_t>(lookup.view)];
      raise(all[static_cast<std::size_t>(view.source)], kForEver,
            "events of source " + source.name + " look its rows up");
    }
}

// A label is looked for as long as its question is there.
void raise_for_labels(const define::Project& project, std::vector<SourceRetention>& all) {
  for (const define::Model& model : project.models) {
    if (!model.label_events) continue;
    const auto& questions = all[static_cast<std::size_t>(model.source)];
    raise(all[static_cast<std::size_t>(model.label_events->source)],
          questions.keep_us.value_or(kForEver),
          "labels of model " + model.name + " are found in it");
  }
}

bool outlives(stores::RecordKind kind) {
  return kind != stores::RecordKind::event && kind != stores::RecordKind::prediction &&
         kind != stores::RecordKind::outcome && kind != stores::RecordKind::lost;
}

std::int64_t before(std::int64_t now_us, std::int64_t length_us) {
  return now_us < std::numeric_limits<std::int64_t>::min() + length_us
             ? std::numeric_limits<std::int64_t>::min()
             : now_us - length_us;
}

class Trimming {
 public:
  Trimming(const define::Project& project, const std::string& folder, const TrimOptions& options)
      : retention_(retention_of(project)), folder_(folder), options_(options) {}

  Result<TrimReport> run() {
    COEVAL_ASSIGN(const stores::SegmentFiles files, stores::find_segments(folder_));
    COEVAL_ASSIGN(const auto sealed, stores::list_sealed(folder_));
    if (files.trim) report_.trim = *files.trim;
    for (std::size_t i = 0; i < files.segments.size(); ++i) {
      const Position first = files.segments[i].first;
      const bool is_open = i + 1 == files.segments.size();
      const auto* noted =
          is_open ? nullptr : stores::find_sealed(sealed, first, files.segments[i + 1].first);
      report_.stopped = is_open ? which(first) + "is still being written" : why_kept(first, noted);
      if (!report_.stopped.empty()) break;
      COEVAL_TRY(take(files.segments[i], *noted));
    }
    if (options_.dry_run) return std::move(report_);
    if (!report_.removed.empty()) {
      report_.trim.trimmed_at_us = options_.now_us;
      COEVAL_TRY(stores::write_trim(folder_, report_.trim));
    }
    // Also what an earlier trim did not come to remove.
    COEVAL_TRY(stores::remove_before(folder_, report_.trim.first));
    return std::move(report_);
  }

 private:
  static std::string which(Position first) {
    return "the segment from position " + std::to_string(first.value) + " on ";
  }

  std::string why_kept(Position first, const stores::SealedSegment* noted) const {
    if (noted == nullptr) return which(first) + "is not sealed: `coeval log seal`";
    if (noted->unsealed > 0) return which(first) + "has events whose schema nobody kept";
    for (const stores::SealedFile& file : noted->files) {
      const std::string why = why_kept(file);
      if (!why.empty()) return which(first) + why;
    }
    if (noted->predictions == 0) return {};
    if (!options_.keep_predictions_us)
      return which(first) + "has " + std::to_string(noted->predictions) +
             " predictions, which are kept for ever without --keep-predictions";
    if (noted->newest_prediction_us >= before(options_.now_us, *options_.keep_predictions_us))
      return which(first) + "has predictions that are to be kept";
    return {};
  }

  std::string why_kept(const stores::SealedFile& file) const {
    const auto kept = std::ranges::find(retention_, file.source, &SourceRetention::source);
    const std::string events =
        "has " + std::to_string(file.rows) + " events of source " + file.source;
    if (kept == retention_.end()) return events + ", which the definition does not name";
    if (!kept->keep_us) return events + ", which is kept for ever: " + kept->why;
    const std::int64_t newest = std::max(file.newest_event_us, file.newest_known_us);
    if (newest >= before(options_.now_us, *kept->keep_us))
      return events + " that are to be kept: " + kept->why;
    return {};
  }

  Status take(const stores::LogSegment& segment, const stores::SealedSegment& sealed) {
    stores::LogTrim& trim = report_.trim;
    COEVAL_TRY(stores::read_records({&segment, 1}, segment.first, std::nullopt,
                                    [&](const stores::Record& record) {
                                      if (outlives(record.kind)) keep(record);
                                      return true;
                                    }));
    trim.first = sealed.next;
    trim.known = sealed.last_known;
    trim.predictions += sealed.predictions;
    report_.predictions += sealed.predictions;
    for (const stores::SealedFile& file : sealed.files) {
      count(file);
      report_.events += file.rows;
    }
    report_.removed.push_back(sealed);
    return {};
  }

  void keep(const stores::Record& record) {
    report_.trim.kept.push_back({record.position, static_cast<std::uint8_t>(record.kind),
                                 record.known, record.source, record.schema_version,
                                 std::string(record.payload)});
  }

  void count(const stores::SealedFile& file) {
    auto& sources = report_.trim.sources;
    auto at = std::ranges::find(sources, file.source, &stores::TrimmedSource::source);
    if (at == sources.end())
      at = sources.insert(sources.end(),
                          {file.source, 0, file.oldest_known_us, file.newest_event_us});
    at->events += file.rows;
    at->oldest_known_us = std::min(at->oldest_known_us, file.oldest_known_us);
    at->newest_event_us = std::max({at->newest_event_us, file.newest_event_us});
  }

  std::vector<SourceRetention> retention_;
  const std::string& folder_;
  const TrimOptions& options_;
  TrimReport report_;
};

}  // namespace

std::vector<SourceRetention> retention_of(const define::Project& project) {
  std::vector<SourceRetention> all;
  for (const define::Source& source : project.sources) {
    all.push_back(declared(source));
    if (source.has_names())
      raise(all.back(), source.identity.dedup_us,
            "names are known for " + format_duration(source.identity.dedup_us));
  }
  for (const define::View& view : project.views) {
    const std::int64_t reach = retention_us(view);
    raise(all[static_cast<std::size_t>(view.source)], reach,
          "view " + view.name + " reads " +
              (reach == kForEver ? "all time" : format_duration(reach) + " back"));
  }
  raise_for_lookups(project, all);
  raise_for_labels(project, all);
  return all;
}

Result<TrimReport> trim_log(const define::Project& project, const std::string& log_folder,
                            const TrimOptions& options) {
  COEVAL_TRY(stores::make_folders(log_folder + "/sealed"));
  COEVAL_ASSIGN(const auto lock, stores::FileLock::acquire(log_folder + "/sealed/lock"));
  return Trimming(project, log_folder, options).run();
}

RemovedPast::RemovedPast(const define::Project& project, std::span<const int> views,
                         const std::optional<stores::LogTrim>& trim) {
  if (!trim) return;
  for (const int index : views) {
    const auto& view = project.views[static_cast<std::size_t>(index)];
    const auto& source = project.sources[static_cast<std::size_t>(view.source)];
    const auto* removed = trim->find(source.name);
    if (removed == nullptr || removed->events == 0) continue;
    const std::int64_t reach = retention_us(view);
    const std::int64_t until = reach == kForEver || removed->newest_event_us > kForEver - reach
                                   ? kForEver
                                   : removed->newest_event_us + reach;
    spans_.push_back({removed->oldest_known_us, until});
  }
}

bool RemovedPast::is_seen_at(std::int64_t at_us) const {
  return std::ranges::any_of(
      spans_, [&](const Span& span) { return at_us > span.after_us && at_us <= span.until_us; });
}

std::string removed_text(const stores::LogTrim& trim) {
  std::string text = "the log begins at position " + std::to_string(trim.first.value) +
                     ": retention removed, the last time on " + format_time(trim.trimmed_at_us);
  for (const stores::TrimmedSource& source : trim.sources)
    text += ", " + std::to_string(source.events) + " events of source " + source.source;
  if (trim.predictions > 0) text += ", " + std::to_string(trim.predictions) + " predictions";
  return text;
}

}  // namespace coeval::replay
