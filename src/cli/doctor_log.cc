#include "cli/doctor_log.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <utility>

#include "data/row_codec.h"
#include "ingest/batch_record.h"
#include "ingest/held.h"
#include "ingest/ledger.h"
#include "ingest/named_rows.h"
#include "ingest/quarantine_files.h"
#include "ingest/standing.h"
#include "quality/checks.h"
#include "replay/retention.h"
#include "stores/files.h"
#include "stores/log_scan.h"
#include "stores/prediction_record.h"
#include "stores/record_names.h"
#include "stores/sealed_files.h"

namespace coeval::cli {

namespace {

using Tags = std::pair<std::uint32_t, std::uint32_t>;  // of source and schema

std::string kind_name(stores::RecordKind kind) {
  switch (kind) {
    case stores::RecordKind::event:
      return "events";
    case stores::RecordKind::prediction:
      return "predictions";
    case stores::RecordKind::cut:
      return "cut";
    case stores::RecordKind::outcome:
      return "outcomes";
    case stores::RecordKind::lost:
      return "lost";
    case stores::RecordKind::batch_begin:
      return "begins of batches";
    case stores::RecordKind::batch_end:
      return "ends of batches";
    case stores::RecordKind::note:
      return "notes";
    case stores::RecordKind::request:
      return "requests with a key";
  }
  return "records of kind " + std::to_string(static_cast<int>(kind));
}

// Follows batches: a begin, as many events as it says, an end that says the same.
class BatchCensus {
 public:
  void take(const stores::Record& record) {
    const bool begins = record.kind == stores::RecordKind::batch_begin;
    const bool ends = record.kind == stores::RecordKind::batch_end;
    if (inside_ && record.kind == stores::RecordKind::event) ++events_;
    if (inside_ && record.kind == stores::RecordKind::lost) ++lost_;
    if (begins) begin(record);
    if (ends) end(record);
  }

  void report(const Finding& add) const {
    if (whole_ == 0 && broken_ == 0) return;
    std::string text = std::to_string(whole_) + " have as many records as they say";
    if (lost_in_all_ > 0)
      text += "; " + std::to_string(lost_in_all_) +
              " of their events are lost to damage: what was left of them is in the log's "
              "quarantine, and a source with `id` may be sent the rows again";
    if (broken_ > 0)
      text += "; " + std::to_string(broken_) + " are not, the first at position " +
              std::to_string(first_broken_.value) + ": " + why_;
    add("log batches", broken_ == 0, text);
  }

 private:
  void begin(const stores::Record& record) {
    begin_ = record.position;
    events_ = lost_ = 0;
    payload_ = record.payload;
    inside_ = true;
  }

  void end(const stores::Record& record) {
    // Of a batch whose begin was trimmed its events are gone too.
    if (!std::exchange(inside_, false)) return;
    const auto batch = ingest::parse_batch(payload_);
    if (!batch) return broken(one_line(batch.error()));
    if (record.payload != payload_) return broken("its end is of another batch");
    lost_in_all_ += lost_;
    if (events_ + lost_ != batch->events())
      return broken(std::to_string(events_) + " events, not " + std::to_string(batch->events()));
    const auto& counts = batch->counts;
    if (!counts.holds()) return broken(quality::to_text(counts));
    ++whole_;
  }

  void broken(std::string why) {
    if (broken_++ > 0) return;
    first_broken_ = begin_;
    why_ = std::move(why);
  }

  bool inside_ = false;
  Position begin_, first_broken_;
  std::uint64_t events_ = 0, lost_ = 0, lost_in_all_ = 0;
  std::string payload_, why_;
  std::int64_t whole_ = 0, broken_ = 0;
};

// Counts what the log's segments hold, and tries to read each record.
class Census {
 public:
  Census(const define::Project& project, const std::vector<stores::LogSchema>& schemas) {
    for (const auto& schema : schemas) {
      schemas_.emplace(Tags{stores::source_tag(schema.source), schema.tag}, schema.schema);
      names_.emplace(stores::source_tag(schema.source), schema.source);
    }
    for (const auto& source : project.sources) {
      const Tags tags{stores::source_tag(source.name), stores::schema_tag(source.schema)};
      names_.emplace(tags.first, source.name);
      if (schemas_.emplace(tags, source.schema).second) not_kept_.emplace(tags, 0);
    }
  }

  Status segment(const stores::LogSegment& segment) {
    stores::EventCounts& counts = by_segment_[segment.first];
    Position next = segment.first;
    return stores::read_records({&segment, 1}, segment.first, std::nullopt,
                                [&](const stores::Record& record) {
                                  dense_ = dense_ && record.position == next;
                                  next = Position{record.position.value + 1};
                                  grows_ = grows_ && record.known >= known_;
                                  known_ = record.known;
                                  take(record, counts);
                                  return true;
                                });
  }

  const stores::EventCounts& of_segment(Position first) const {
    static const stores::EventCounts kNone;
    const auto at = by_segment_.find(first);
    return at == by_segment_.end() ? kNone : at->second;
  }

  void report(const Finding& add) const {
    std::string text;
    for (const auto& [kind, count] : kinds_)
      text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + kind;
    add("log records", dense_ && grows_,
        text + (dense_ ? ", positions dense" : ", positions with gaps") +
            (grows_ ? ", known times never decrease" : ", known times that decrease"));
    for (const auto& [tags, count] : events_) add_events(tags, count, add);
    batches_.report(add);
    if (unreadable_ > 0)
      add("log rows", false,
          std::to_string(unreadable_) + " records cannot be decoded, the first at position " +
              std::to_string(first_unreadable_.value) + ": " + why_);
  }

 private:
  void take(const stores::Record& record, stores::EventCounts& counts) {
    ++kinds_[kind_name(record.kind)];
    batches_.take(record);
    if (record.kind == stores::RecordKind::prediction) {
      if (const auto prediction = stores::decode_prediction(record.payload); !prediction)
        unreadable(record, prediction.error());
      return;
    }
    if (record.kind != stores::RecordKind::event) return;
    const Tags tags{record.source, record.schema_version};
    ++counts[tags];
    ++events_[tags];
    if (const auto kept = not_kept_.find(tags); kept != not_kept_.end()) ++kept->second;
    const auto schema = schemas_.find(tags);
    if (schema == schemas_.end()) return;
    if (const auto cells = data::row_cells(record.payload, schema->second); !cells)
      unreadable(record, cells.error());
  }

  void unreadable(const stores::Record& record, const Error& error) {
    if (unreadable_++ > 0) return;
    first_unreadable_ = record.position;
    why_ = one_line(error);
  }

  void add_events(const Tags& tags, std::int64_t count, const Finding& add) const {
    const auto name = names_.find(tags.first);
    const std::string source = name == names_.end()
                                   ? "of unknown name (" + std::to_string(tags.first) + ")"
                                   : name->second;
    const std::string text =
        std::to_string(count) + " events with schema " + stores::tag_text(tags.second);
    const bool known = schemas_.contains(tags);
    const auto kept = not_kept_.find(tags);
    const bool is_kept = kept == not_kept_.end() || kept->second == 0;
    add("source " + source, known,
        !known    ? text + ", which nobody kept: they cannot be read"
        : is_kept ? text
                  : text + ", which only the definition holds: `coeval log accept " + source +
                        "` keeps it");
  }

  std::map<Tags, data::Schema> schemas_;
  std::map<Tags, std::int64_t> not_kept_;  // of the definition only: events that have them
  std::map<std::uint32_t, std::string> names_;
  std::map<Position, stores::EventCounts> by_segment_;
  std::map<std::string, std::int64_t> kinds_;
  std::map<Tags, std::int64_t> events_;
  BatchCensus batches_;
  KnownTime known_{INT64_MIN};
  bool dense_ = true, grows_ = true;
  std::int64_t unreadable_ = 0;
  Position first_unreadable_;
  std::string why_;
};

void add_error(const Finding& add, const std::string& subject, const Error& error) {
  add(subject, false, one_line(error));
}

// A note that is damaged, to where repair puts such things.
std::string set_note_aside(const std::string& log_folder, const std::string& path) {
  const std::filesystem::path from(path);
  const std::string to = log_folder + "/quarantine";
  if (const Status made = stores::make_folders(to); !made) return one_line(made.error());
  std::error_code failed;
  std::filesystem::rename(from, to + "/" + from.filename().string(), failed);
  return failed ? failed.message() : "moved to " + to;
}

void examine_sealed(Context& context, const Census& census,
                    const std::vector<stores::LogSegment>& segments, const Finding& add) {
  const std::string folder = context.log_folder();
  std::vector<std::string> damaged;
  const auto sealed = stores::list_sealed(folder, &damaged);
  if (!sealed) return add_error(add, "sealed segments", sealed.error());
  for (const auto& path : damaged)
    add("sealed segments", context.in.repair,
        "the note '" + path + "' is damaged" +
            (context.in.repair ? "; " + set_note_aside(folder, path)
                               : "; `coeval doctor --repair` sets it aside"));
  std::int64_t rows = 0, sound = 0, count = 0;
  for (const auto& one : *sealed) {
    if (std::ranges::count(segments, one.first, &stores::LogSegment::first) == 0) continue;
    ++count;
    const auto problems = stores::check_sealed(folder, one, census.of_segment(one.first));
    if (!problems) return add_error(add, "sealed segments", problems.error());
    if (problems->empty()) {
      ++sound;
      for (const auto& file : one.files) rows += file.rows;
      continue;
    }
    std::string text;
    for (const auto& problem : *problems) text += (text.empty() ? "" : "; ") + problem;
    if (context.in.repair) {
      const auto aside = stores::set_sealed_aside(folder, one);
      text += aside ? "; moved to " + *aside + ", `coeval log seal` makes them again"
                    : "; " + one_line(aside.error());
      add("sealed segments", aside.has_value(), text);
    } else {
      add("sealed segments", false,
          text + "; `coeval doctor --repair` sets them aside, `coeval log seal` makes them again");
    }
  }
  add("sealed segments", true,
      std::to_string(sound) + " of " + std::to_string(segments.size()) +
          " segments, their tables have the bytes that were written and " + std::to_string(rows) +
          " rows, as many as the segments have events");
}

std::string unused_name(const std::string& begin, const std::string& end) {
  std::error_code none;
  std::string name = begin + end;
  for (int i = 2; std::filesystem::exists(name, none); ++i)
    name = begin + "-" + std::to_string(i) + end;
  return name;
}

// A last line without its end. In a file of rows of requests that is what a crash leaves of a row
// whose request had no answer; a batch's file is written whole, so that something cut it.
void examine_torn_line(Context& context, const std::string& source,
                       const ingest::QuarantineFile& file, const Finding& add) {
  const std::string subject = "quarantine of " + source;
  const auto torn = quality::find_torn_line(file.path);
  if (!torn) return add_error(add, subject, torn.error());
  if (!*torn) return;
  std::string name = file.name;
  std::ranges::replace(name, '/', '.');
  const std::string text = "'" + file.path + "' has no line end behind byte " +
                           std::to_string((*torn)->offset) + ": " + std::to_string((*torn)->bytes) +
                           " bytes that are no row";
  if (!context.in.repair)
    return add(subject, file.batch.empty(),
               text +
                   (file.batch.empty() ? ", of a request that had no answer (the next row for "
                                         "this file cuts them)"
                                       : "") +
                   "; `coeval doctor --repair` sets them aside");
  const std::string folder = ingest::aside_folder(context.state_folder);
  if (const Status made = stores::make_private_folder(folder); !made)
    return add_error(add, subject, made.error());
  const std::string aside =
      unused_name(folder + "/" + name + "." + std::to_string((*torn)->offset), ".torn");
  const auto moved = quality::set_torn_line_aside(file.path, aside);
  if (!moved) return add_error(add, subject, moved.error());
  add(subject, true, text + "; moved to " + aside);
}

// Reads every line of a source's quarantine, and asks whether every row that was read is somewhere.
Status examine_rows_of(Context& context, int index, const stores::EventLog& log,
                       const ingest::Ledger& ledger, const std::vector<ingest::HeldBatch>& held,
                       const Finding& add) {
  const std::string& source = context.project->sources[static_cast<std::size_t>(index)].name;
  COEVAL_ASSIGN(auto files, ingest::quarantine_files(context.state_folder, source, ledger));
  std::ranges::move(ingest::held_quarantine_files(context.state_folder, source, ledger, held),
                    std::back_inserter(files));
  for (const auto& file : files) examine_torn_line(context, source, file, add);
  ingest::DamagedLines damaged;
  for (const auto& file : files)
    COEVAL_TRY(ingest::read_rows(
        file, {[](const quality::QuarantinedRow&, std::string_view) { return Status{}; },
               [&](const ingest::DamagedLine& line, std::string_view) -> Status {
                 damaged.add(line);
                 return {};
               }}));
  for (const std::string& text : damaged.texts())
    add("quarantine of " + source, false,
        text + "; the rest is read, and a replay leaves it where it is");
  COEVAL_ASSIGN(
      const std::int64_t duplicates,
      ingest::duplicates_of_requests(*context.project, index, context.formats, &log, ledger));
  COEVAL_ASSIGN(const auto rows,
                ingest::standing_of(context.state_folder, source, ledger, duplicates));
  if (rows.read == 0 && rows.quarantined == 0) return {};
  const auto n = [](std::int64_t count) { return std::to_string(count); };
  std::string text = n(rows.read) + " rows read";
  if (rows.missing() == 0)
    text += ", each of them in the log or in the quarantine, which has " + n(rows.quarantined) +
            ", replayed, or dropped";
  else
    text += ", and " + ingest::missing_text(rows);
  if (rows.lost > 0)
    text += "; " + n(rows.lost) +
            " of them were in the log and are lost to damage: " + n(rows.read) +
            " read = " + n(rows.accepted) + " accepted + " + n(rows.quarantined) +
            " quarantined + " + n(rows.duplicates) + " duplicates + " + n(rows.replayed) +
            " replayed + " + n(rows.dropped) + " dropped + " + n(rows.lost) + " lost";
  add("rows of " + source, rows.missing() == 0, text);
  return {};
}

void examine_rows(Context& context, const Finding& add) {
  const auto log = stores::open_log_for_reading(context.log_folder());
  if (!log) return add_error(add, "rows", log.error());
  const auto ledger = ingest::Ledger::read(**log);
  if (!ledger) return add_error(add, "rows", ledger.error());
  if (ledger->lost_outside() > 0)
    add("rows", true,
        std::to_string(ledger->lost_outside()) +
            " records outside of batches are lost to damage: whether they were events of requests "
            "or predictions cannot be told, and no sum below has them");
  const auto held = ingest::held_batches(context.state_folder);
  for (const auto& batch : held.damaged) add_error(add, "held batch " + batch.id, batch.error);
  for (std::size_t i = 0; i < context.project->sources.size(); ++i)
    if (const auto examined =
            examine_rows_of(context, static_cast<int>(i), **log, *ledger, held.batches, add);
        !examined)
      add_error(add, "rows of " + context.project->sources[i].name, examined.error());
}

}  // namespace

void examine_log_content(Context& context, const Finding& add) {
  const std::string folder = context.log_folder();
  const auto schemas = stores::read_log_schemas(folder);
  if (!schemas) return add_error(add, "log schemas", schemas.error());
  const auto files = stores::find_segments(folder);
  if (!files) return add_error(add, "log records", files.error());
  if (files->trim) add("log retention", true, replay::removed_text(*files->trim));
  if (!files->left_over.empty())
    add("log retention", true,
        std::to_string(files->left_over.size()) +
            " segments are left of a trim that was cut short; the next writer removes them");
  Census census(*context.project, *schemas);
  for (const auto& segment : files->segments)
    if (const Status read = census.segment(segment); !read)
      return add_error(add, "log records", read.error());
  census.report(add);
  examine_sealed(context, census, files->segments, add);
  examine_rows(context, add);
}

}  // namespace coeval::cli
