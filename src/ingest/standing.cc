#include "ingest/standing.h"

#include <algorithm>

#include "ingest/quarantine_files.h"
#include "stores/file_window.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kReadBytes = std::size_t{1} << 20;

Result<std::int64_t> lines_of(const std::string& path) {
  COEVAL_ASSIGN(auto window, stores::FileWindow::open(path));
  std::int64_t lines = 0;
  for (std::uint64_t at = 0; at < window.size();) {
    COEVAL_ASSIGN(const std::string_view part, window.view(at, kReadBytes));
    lines += std::ranges::count(part, '\n');
    at += part.size();
  }
  return lines;
}

}  // namespace

Result<Standing> standing_of(const std::string& state_folder, const std::string& source,
                             const Ledger& ledger, std::int64_t duplicates_of_requests) {
  Standing standing;
  standing.source = source;
  // What came of requests is known only by what became of it.
  std::int64_t of_requests = ledger.events_of_requests(source);
  standing.duplicates = std::min(of_requests, duplicates_of_requests);
  standing.accepted = of_requests - standing.duplicates;
  for (const auto& batch : ledger.batches()) {
    const BatchRecord& record = batch.record;
    if (record.source != source) continue;
    standing.lost += batch.lost;
    if (record.of_quarantine()) {
      standing.replayed += record.counts.read - batch.lost;
      of_requests += record.of_requests;
      continue;
    }
    ++standing.batches;
    standing.read += record.counts.read;
    const std::int64_t of_accepted = std::min(batch.lost, record.counts.accepted);
    standing.accepted += record.counts.accepted - of_accepted;
    standing.duplicates += record.counts.duplicates - (batch.lost - of_accepted);
  }
  for (const auto& note : ledger.notes()) {
    if (note.source != source || note.kind != Note::Kind::dropped) continue;
    standing.dropped += note.rows;
    of_requests += note.of_requests;
  }
  COEVAL_ASSIGN(const auto files, quarantine_files(state_folder, source, ledger));
  for (const auto& file : files) {
    COEVAL_ASSIGN(const std::int64_t lines, lines_of(file.path));
    standing.quarantined += lines;
    if (file.batch.empty()) of_requests += lines;
  }
  standing.read += of_requests;
  return standing;
}

std::string missing_text(const Standing& standing) {
  const std::int64_t missing = standing.missing();
  const std::int64_t count = missing < 0 ? -missing : missing;
  return std::to_string(count) + (count == 1 ? " row is " : " rows are ") +
         (missing > 0 ? "nowhere" : "there that nobody read") +
         ": files below .coeval/quarantine were changed or removed by hand";
}

}  // namespace coeval::ingest
