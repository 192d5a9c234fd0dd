#include "ingest/publish.h"

#include <utility>

#include "data/hash.h"
#include "replay/history.h"
#include "replay/log_schemas.h"
#include "replay/past.h"
#include "stores/record_names.h"

namespace coeval::ingest {

using stores::RecordKind;

namespace {

Status start_log(const define::Project& project, stores::EventLog& log, const std::string& log_id,
                 Ledger& ledger, KnownTime first_known) {
  if (ledger.has_cut()) return {};
  replay::CutRecord cut;
  cut.cut_us = first_known.us;
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    const std::string path = replay::source_path(project, static_cast<int>(i));
    if (path.empty()) continue;
    COEVAL_ASSIGN(std::string sha256, data::sha256_of_file(path));
    cut.files.emplace_back(project.sources[i].name, std::move(sha256));
  }
  cut.log_id = log_id.empty() ? replay::new_log_id() : log_id;
  const std::string payload = replay::encode(cut);
  COEVAL_TRY(log.append({RecordKind::cut, KnownTime{first_known.us - 1}, 0, 0, payload}));
  ledger.note_cut();
  return {};
}

}  // namespace

Status publish(const define::Project& project, stores::EventLog& log, const std::string& log_id,
               Ledger& ledger, const BatchRecord& batch, KnownTime first_known,
               const RowVisit& rows) {
  COEVAL_TRY(replay::declare_schemas(project, log));
  // Of a batch without rows there is no time from which the log could go on.
  if (batch.events() > 0) COEVAL_TRY(start_log(project, log, log_id, ledger, first_known));
  const std::uint32_t tag = stores::source_tag(batch.source);
  const std::string payload = encode(batch);
  COEVAL_ASSIGN(const Position begin,
                log.append({RecordKind::batch_begin, first_known, tag, batch.schema, payload}));
  std::uint64_t events = 0;
  const auto append = [&](const EncodedRow& row) -> Status {
    COEVAL_TRY(log.append({RecordKind::event, row.known, tag, batch.schema, row.payload}));
    ++events;
    return {};
  };
  COEVAL_TRY(rows(append));
  if (events != batch.events())
    return fail(Code::internal, "batch " + batch.id + " has " + std::to_string(events) +
                                    " events, not " + std::to_string(batch.events()));
  COEVAL_TRY(log.append({RecordKind::batch_end, first_known, tag, batch.schema, payload}));
  COEVAL_TRY(log.sync());
  ledger.add({batch, begin});
  return {};
}

Status publish(stores::EventLog& log, Ledger& ledger, const Note& note) {
  const std::string payload = encode(note);
  COEVAL_TRY(log.append(
      {RecordKind::note, KnownTime{INT64_MIN}, stores::source_tag(note.source), 0, payload}));
  COEVAL_TRY(log.sync());
  ledger.add(note);
  return {};
}

}  // namespace coeval::ingest
