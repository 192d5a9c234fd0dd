#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "data/hash.h"
#include "data/text_tables.h"
#include "ingest/ingestion.h"
#include "ingest/named_rows.h"
#include "ingest/publish.h"
#include "ingest/quarantine_files.h"
#include "ingest/row_intake.h"
#include "ingest/sorted_rows.h"
#include "ingest/surroundings.h"
#include "quality/json_extraction.h"
#include "stores/record_names.h"

namespace coeval::ingest {

namespace {

constexpr std::size_t kRowsAtOnce = 1 << 14;
constexpr std::size_t kBytesAtOnce = std::size_t{8} << 20;

// What a file holds of a source: without the columns that are taken out of JSON texts.
data::Schema read_schema(const define::Source& source) {
  data::Schema schema;
  for (std::size_t i = 0; i < source.columns.size(); ++i)
    if (!source.columns[i].json) schema.fields.push_back(source.schema.fields[i]);
  return schema;
}

/// Checks rows of the quarantine again, some at a time; those that pass go to `rows`, and the line
/// of each row to what leaves or stays.
class Recheck {
 public:
  Recheck(const define::Source& source, const RowIntake& intake, quality::KnownKeys known_keys,
          std::int64_t now_us, SortedRows& rows, Leaving& leaving)
      : source_(source),
        intake_(intake),
        known_keys_(std::move(known_keys)),
        now_us_(now_us),
        rows_(rows),
        leaving_(leaving),
        schema_(read_schema(source)),
        holders_(quality::JsonExtraction(source).holders()) {}

  Status add(const quality::QuarantinedRow& row, std::string_view line, bool of_request) {
    bytes_ += line.size();
    waiting_.push_back({row.raw, row.header, std::string(line), of_request, false});
    return waiting_.size() >= kRowsAtOnce || bytes_ >= kBytesAtOnce ? flush() : Status{};
  }

  Status flush() {
    COEVAL_TRY(check_json());
    for (auto& row : waiting_)
      if (!row.header.empty()) COEVAL_TRY(check_csv(row));
    for (const auto& row : waiting_) {
      if (!row.passes) {
        COEVAL_TRY(leaving_.stays(row.line));
        continue;
      }
      leaving_.leaves();
      hash_.update(row.line);
      of_requests_ += row.of_request ? 1 : 0;
    }
    waiting_.clear();
    bytes_ = 0;
    return {};
  }

  std::int64_t of_requests() const { return of_requests_; }
  std::string sha256() { return hash_.hex(); }

 private:
  struct Waiting {
    std::string raw, header, line;
    bool of_request, passes;
  };

  // A line for each row: line breaks between the tokens of a JSON text mean nothing.
  Status check_json() {
    std::string text;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      if (!waiting_[i].header.empty()) continue;
      const std::size_t begin = text.size();
      text += waiting_[i].raw;
      std::replace_if(
          text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(),
          [](char c) { return c == '\n' || c == '\r'; }, ' ');
      text += '\n';
      places.push_back(i);
    }
    if (places.empty()) return {};
    COEVAL_ASSIGN(auto table, data::read_jsonl(text, schema_, holders_));
    const std::vector<std::int64_t> lines = table.lines;
    return take(std::move(table), [&](std::size_t row) -> Waiting& {
      return waiting_[places[static_cast<std::size_t>(lines[row]) - 1]];
    });
  }

  // Alone, for a quote without its end would take in the rows behind it.
  Status check_csv(Waiting& row) {
    auto table = data::read_csv(row.header + "\n" + row.raw + "\n", schema_, source_.delimiter);
    if (!table || table->rows.rows != 1 || !table->bad.empty()) return {};
    return take(std::move(*table), [&row](std::size_t) -> Waiting& { return row; });
  }

  template <class Find>
  Status take(data::TextTable table, Find find) {
    Piece piece;
    piece.table = std::move(table.rows);
    piece.text.lines = std::move(table.lines);
    if (piece.table.rows == 0) return {};
    // Order by key is not asked: the rows that these came between are not here.
    const quality::RowContext context{
        .arrivals = {}, .last_values = nullptr, .known_keys = &known_keys_, .now_us = now_us_};
    COEVAL_ASSIGN(const TakenRows taken, intake_.take(piece, context));
    for (const std::int64_t row : taken.rows) find(static_cast<std::size_t>(row)).passes = true;
    return rows_.add(taken.accepted, taken.known_us);
  }

  const define::Source& source_;
  const RowIntake& intake_;
  quality::KnownKeys known_keys_;
  std::int64_t now_us_;
  SortedRows& rows_;
  Leaving& leaving_;
  data::Schema schema_;
  std::vector<std::string> holders_;
  std::vector<Waiting> waiting_;
  std::size_t bytes_ = 0;
  std::int64_t of_requests_ = 0;
  data::Sha256 hash_;
};

}  // namespace

Result<BatchOutcome> Ingestion::replay_quarantine(int source) {
  const auto& declared = project_->sources[static_cast<std::size_t>(source)];
  COEVAL_ASSIGN(const RowIntake intake, RowIntake::create(declared));
  const Past past{*project_, formats_, log_.get()};
  COEVAL_ASSIGN(const Surroundings around, Surroundings::read_for_rows(past, source));
  SortedRows rows({options_.memory_bytes, state_folder_, options_.files});
  Leaving leaving(state_folder_, declared.name, options_.files);
  Recheck recheck(declared, intake, around.known_keys(), options_.now_us(), rows, leaving);
  COEVAL_ASSIGN(const auto files, quarantine_files(state_folder_, declared.name, ledger_));
  DamagedLines damaged;
  for (const auto& file : files) {
    COEVAL_TRY(leaving.begin(file));
    const QuarantineVisit visit{[&](const quality::QuarantinedRow& row, std::string_view line) {
                                  return recheck.add(row, line, file.batch.empty());
                                },
                                [&](const DamagedLine& line, std::string_view text) -> Status {
                                  damaged.add(line);
                                  COEVAL_TRY(recheck.flush());  // lines keep their order
                                  return leaving.stays(text);
                                },
                                [&](std::string_view text) -> Status {
                                  COEVAL_TRY(recheck.flush());
                                  return leaving.stays(text);
                                }};
    COEVAL_TRY(read_rows(file, visit));
    COEVAL_TRY(recheck.flush());
  }
  COEVAL_TRY(rows.finish());

  BatchOutcome outcome;
  for (const std::string& text : damaged.texts()) outcome.warnings.push_back(text);
  BatchRecord& record = outcome.record;
  record.source = declared.name;
  record.origin = kQuarantineOrigin;
  record.sha256 = recheck.sha256();
  record.id = batch_id(declared.name, record.sha256, 0);
  record.schema = stores::schema_tag(declared.schema);
  record.of_requests = recheck.of_requests();
  record.counts.read = rows.rows();
  outcome.state = BatchOutcome::State::nothing;
  if (rows.rows() == 0) return outcome;
  COEVAL_ASSIGN(record.counts.duplicates,
                count_duplicates(*project_, source, formats_, log_.get(), rows));
  record.counts.accepted = rows.rows() - record.counts.duplicates;
  outcome.state = BatchOutcome::State::counted;
  if (options_.dry_run) return outcome;
  outcome.state = BatchOutcome::State::published;
  COEVAL_TRY(leaving.prepare(record.id));
  COEVAL_TRY(publish(*project_, *log_, options_.log_id, ledger_, record, rows.first_known(),
                     [&rows](const std::function<Status(const EncodedRow&)>& visit) {
                       return rows.visit(visit);
                     }));
  COEVAL_TRY(leaving.finish());
  return outcome;
}

Result<Note> Ingestion::drop_quarantine(const std::string& source, const std::string& rule,
                                        const std::string& reason) {
  Leaving leaving(state_folder_, source, options_.files);
  COEVAL_ASSIGN(const auto files, quarantine_files(state_folder_, source, ledger_));
  data::Sha256 hash;
  hash.update(rule + "\n" + reason + "\n");
  Note note;
  note.source = source;
  note.rule = rule;
  note.reason = reason;
  for (const auto& file : files) {
    COEVAL_TRY(leaving.begin(file));
    const auto leaves = [&](std::string_view line) -> Status {
      leaving.leaves();
      hash.update(line);
      ++note.rows;
      note.of_requests += file.batch.empty() ? 1 : 0;
      return {};
    };
    COEVAL_TRY(read_rows(file, {[&](const quality::QuarantinedRow& row, std::string_view line) {
                                  const bool asked =
                                      rule.empty() ||
                                      std::ranges::find(row.rules, rule) != row.rules.end();
                                  return asked ? leaves(line) : leaving.stays(line);
                                },
                                // Which rule it broke cannot be told.
                                [&](const DamagedLine&, std::string_view line) {
                                  return rule.empty() ? leaves(line) : leaving.stays(line);
                                },
                                [&](std::string_view line) { return leaving.stays(line); }}));
  }
  if (note.rows == 0) return note;
  note.id = batch_id(source, hash.hex(), 0);
  if (options_.dry_run) return note;
  COEVAL_TRY(leaving.prepare(note.id));
  COEVAL_TRY(publish(*log_, ledger_, note));
  COEVAL_TRY(leaving.finish());
  return note;
}

}  // namespace coeval::ingest
